"""The demo shop's goods and people, from the files beside this module."""

from dataclasses import dataclass
from importlib import resources
from itertools import groupby
from typing import Any

import msgspec

from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import member_code, own_digits
from shared.catalogue.goods import Goods, SoldBy
from shared.loyalty.bundle import programme_bytes, template

SHELF = "desktop.demo"


class Operator(msgspec.Struct, frozen=True):
    """Somebody who works at a till."""

    name: str
    pin: str
    role: str


class Store(msgspec.Struct, frozen=True):
    """A store with its tills."""

    name: str
    tills: tuple[str, ...]


class Login(msgspec.Struct, frozen=True):
    """Who may sign in at head office."""

    login: str
    password: str


class Person(msgspec.Struct, frozen=True):
    """A member to be, and the tier that their purchases bring them to."""

    name: str
    phone: str
    tier: str


class People(msgspec.Struct, frozen=True):
    """Everybody in the demo."""

    operators: tuple[Operator, ...]
    stores: tuple[Store, ...]
    head_office: Login
    members: tuple[Person, ...]

    def cashiers(self) -> list[Operator]:
        """Those who sell."""
        return [one for one in self.operators if one.role == "cashier"]

    def manager(self) -> Operator:
        """The one who approves."""
        return next(one for one in self.operators if one.role == "manager")


@dataclass(frozen=True, slots=True)
class Stock:
    """Goods by what a script wants of them."""

    goods: tuple[Goods, ...]

    def named(self, name: str) -> Goods:
        """The one whose Chinese name begins so; a name nobody has is a bug."""
        return next(one for one in self.goods if one.name_zh.startswith(name))

    def code(self, name: str) -> str:
        """Its barcode."""
        return self.named(name).barcodes[0]

    def label(self, name: str, grams: int) -> str:
        """The label a scale prints for so much of it: prefix 21, item, grams, check digit."""
        item = self.named(name)
        assert item.sold_by is SoldBy.WEIGHT
        body = f"21{item.barcodes[0]}{grams:05d}"
        return body + ean_check_digit(body)

    def shelves(self) -> dict[str, list[Goods]]:
        """Goods by the first part of their category."""

        def shelf(one: Goods) -> str:
            return one.category.partition("/")[0]

        return {name: list(group) for name, group in groupby(sorted(self.goods, key=shelf), shelf)}


def ean_check_digit(digits: str) -> str:
    """The last digit of an EAN: weights 3 and 1 from the right (GS1 General Specifications 7.9)."""
    weighted = (int(d) * (1 if at % 2 else 3) for at, d in enumerate(reversed(digits)))
    return str(-sum(weighted) % 10)


def card_of(number: int) -> str:
    """The code on the card with this number."""
    return member_code(f"{number:0{own_digits(CodeKind.MEMBER)}d}")


def read_stock() -> Stock:
    """All goods of the demo."""
    document = resources.files(SHELF).joinpath("goods.json").read_bytes()
    return Stock(msgspec.json.decode(document, type=tuple[Goods, ...]))


def read_people() -> People:
    """Everybody of the demo."""
    document = resources.files(SHELF).joinpath("people.json").read_bytes()
    return msgspec.json.decode(document, type=People)


def seed_document(stock: Stock, people: People) -> dict[str, Any]:
    """What the server starts with."""
    return {
        "stores": [
            {"name": store.name, "tills": [{"name": name} for name in store.tills]}
            for store in people.stores
        ],
        "operators": msgspec.to_builtins(people.operators),
        "users": [msgspec.to_builtins(people.head_office)],
        "programme": msgspec.json.decode(programme_bytes(template("default"))),
        "goods": msgspec.to_builtins(list(stock.goods)),
    }
