"""What a shop knows about its articles beside their prices: category, brand, marks, cost.

TOML with ``[[goods]]`` tables, JSON with a list of them (such as the file of a catalogue import),
or CSV with a header; nothing but ``sku`` has to be there.
"""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.catalogue.goods import Goods, SoldBy
from shared.documents import UNREADABLE, read_document
from shared.errors import DomainError
from shared.ids import GoodsId
from shared.money import AMOUNT_MINOR_MAX, Currency, parse_amount

MONEY: Final = {"cost": "cost_minor", "price": "list_price_minor"}
"""Columns of a CSV file in whole currency units, and the fields they stand for."""
FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False, "1": True, "0": False}


class GoodsNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is told about an article; what is left out stays as the sales say."""

    sku: str
    name_zh: str = ""
    name_en: str = ""
    category: str = ""
    brand: str = ""
    supplier: str = ""
    marks: tuple[str, ...] = ()
    tax_class: str = ""
    no_discount: bool = False
    no_points: bool = False
    cost_minor: int | None = None
    list_price_minor: int = 0
    """Only for gifts nobody bought: what was sold has its own price."""
    sold_by: SoldBy = SoldBy.UNIT
    """As in a catalogue; the sales say themselves what was weighed."""
    barcodes: tuple[str, ...] = ()

    def onto(self, goods: Goods) -> Goods:
        """An article with what is told about it."""
        return replace(
            goods,
            name_zh=self.name_zh or goods.name_zh,
            name_en=self.name_en or goods.name_en,
            category=self.category or goods.category,
            brand=self.brand or goods.brand,
            supplier=self.supplier or goods.supplier,
            marks=self.marks or goods.marks,
            tax_class=self.tax_class or goods.tax_class,
            no_discount=self.no_discount or goods.no_discount,
            no_points=self.no_points or goods.no_points,
            cost_minor=goods.cost_minor if self.cost_minor is None else self.cost_minor,
        )

    def alone(self) -> Goods:
        """The article by itself."""
        bare = Goods(
            sku=GoodsId(self.sku),
            name_zh=self.sku,
            name_en=self.sku,
            tax_class="",
            list_price_minor=self.list_price_minor,
        )
        return self.onto(bare)


GoodsNotes = dict[str, GoodsNote]


def read_goods_notes(file: Path | None, currency: Currency) -> GoodsNotes:
    """What is told about each SKU; nothing without a file.

    Raises DomainError ``goods-file-unreadable``, which names the place.
    """
    if file is None:
        return {}
    data = file.read_bytes()
    try:
        notes = msgspec.convert(_told(file, data, currency), list[GoodsNote])
        for note in notes:
            _check(note)
    except (*UNREADABLE, csv.Error) as error:
        raise DomainError("goods-file-unreadable", file=str(file), detail=str(error)) from error
    return {note.sku: note for note in notes}


def _told(file: Path, data: bytes, currency: Currency) -> Any:
    match file.suffix.lower():
        case ".toml":
            return read_document(data, is_toml=True).get("goods", [])
        case ".csv":
            return list(_rows(data.decode("utf-8-sig"), currency))
        case _:
            return read_document(data, is_toml=False)


def _rows(text: str, currency: Currency) -> list[dict[str, Any]]:
    reader = csv.reader(text.splitlines(), strict=True)
    header = next(reader, [])
    if "sku" not in header:
        raise csv.Error("no column sku")
    rows = []
    for fields in reader:
        if len(fields) != len(header):
            raise csv.Error(
                f"{len(fields)} fields instead of {len(header)}, line {reader.line_num}"
            )
        told = zip(header, fields, strict=True)
        cells = {name: field.strip() for name, field in told if field.strip()}
        rows.append(dict(_cell(*cell, currency, reader.line_num) for cell in cells.items()))
    return rows


def _cell(name: str, text: str, currency: Currency, line: int) -> tuple[str, Any]:
    """A field as the note has it; csv.Error names the line."""
    if name in MONEY:
        try:
            return MONEY[name], parse_amount(text, currency)
        except DomainError as error:
            raise csv.Error(f"{name} “{text}”, line {line}") from error
    if name == "marks":
        return name, [mark.strip() for mark in text.split(";") if mark.strip()]
    if name in ("no_discount", "no_points"):
        return name, FLAGS.get(text.lower(), text)
    return name, text


def _check(note: GoodsNote) -> None:
    amounts = (note.cost_minor or 0, note.list_price_minor)
    if not note.sku or not all(0 <= amount <= AMOUNT_MINOR_MAX for amount in amounts):
        raise msgspec.ValidationError(f"sku or amount out of range - at sku “{note.sku}”")
