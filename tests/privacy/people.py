"""Seeded people: what names them, in every shape a file could hold it in."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote

from stdnum import damm, luhn

from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import member_code, own_digits

COUNT: Final = 250
"""People, each with a name, a phone, a member card and a payment card: a thousand things."""
FAMILY: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
GIVEN: Final = "静雯思远佳颖浩然雨桐子涵欣怡俊杰梓萱嘉懿煜城烨霖智宸弘文致远博涛"
CARDS: Final = (("4", 16), ("5412", 16), ("6222", 19), ("37", 15), ("3530", 16), ("36", 14))
"""Beginnings and lengths of payment cards: Visa, Mastercard, UnionPay, Amex, JCB, Diners."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and the number of the bank card in their purse."""

    name: str
    phone: str
    card: str
    payment_card: str


def people() -> list[Person]:
    """The same people every time; no two share anything."""
    chance = Random(20_260_302)
    found: dict[str, Person] = {}
    while len(found) < COUNT:
        # Two families and four given characters: no name is part of a receipt's words.
        name = "".join(chance.choices(FAMILY, k=2) + chance.choices(GIVEN, k=4))
        phone = f"1{chance.choice('3578')}{chance.randrange(10**9):09}"
        digits = own_digits(CodeKind.MEMBER)
        card = member_code(f"{chance.randrange(10**digits):0{digits}}")
        begin, length = CARDS[len(found) % len(CARDS)]
        body = begin + "".join(chance.choices("0123456789", k=length - len(begin) - 1))
        found[name] = Person(name, phone, card, body + luhn.calc_check_digit(body))
    assert all(damm.is_valid(one.card) for one in found.values())
    return list(found.values())


def shapes(text: str) -> Iterator[bytes]:
    """A text as UTF-8, UTF-16, GBK, escaped for JSON and addresses, in hex and base64."""
    plain = text.encode()
    yield from (plain, text.encode("utf-16-le"), text.encode("utf-16-be"), text.encode("gb18030"))
    yield from (json.dumps(text)[1:-1].encode(), quote(text).encode(), quote(text).lower().encode())
    yield from (plain.hex().encode(), plain.hex().upper().encode())
    for shift in range(3):
        # Only the characters that no neighbour has a part in.
        coded = base64.b64encode(bytes(shift) + plain)
        yield coded[(shift * 8 + 5) // 6 : len(coded) - 4]
    if text.isdecimal() and len(text) > 12:
        yield " ".join(text[at : at + 4] for at in range(0, len(text), 4)).encode()
        yield "-".join(text[at : at + 4] for at in range(0, len(text), 4)).encode()
