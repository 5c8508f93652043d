"""A partner's sales as it sends them: a CSV file with a header."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.errors import DomainError
from shared.money import Currency, parse_amount

COLUMNS: Final = ("reference", "day", "member", "spend")
"""And ``points`` and ``returns``, which may be left out."""
TEXT_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldSale:
    """One row: a sale, or what came back of one."""

    line: int
    reference: str
    """The partner's own number of the sale."""
    day: date
    member: str
    """Card, phone or the member's id."""
    spend_minor: int
    """The whole price."""
    points: int
    """With which a part of it was paid."""
    returns: str = ""
    """The reference of the sale that this row gives back so much of; empty: it is a sale."""


def read_sales(document: bytes, currency: Currency) -> list[ToldSale]:
    """All rows; DomainError ``partner-file`` names the first line that cannot be read."""
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError("partner-file", line=1, reason=str(error)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = list(reader.fieldnames or ())
        missing = set(COLUMNS) - set(columns)
        if missing:
            raise DomainError("partner-file", line=1, reason=f"no column {min(missing)}")
        if len(set(columns)) != len(columns):
            raise DomainError("partner-file", line=1, reason="one column stands there twice")
        return list(_rows(reader, currency))
    except csv.Error as error:
        raise DomainError("partner-file", line=reader.line_num, reason=str(error)) from error


def _rows(reader: "csv.DictReader[str]", currency: Currency) -> Iterator[ToldSale]:
    for row in reader:
        line = reader.line_num
        if None in row or None in row.values():
            raise DomainError("partner-file", line=line, reason="another number of fields")
        told = {name: text.strip() for name, text in row.items()}
        names = told["reference"], told["member"], told.get("returns", "") or told["reference"]
        if not all(0 < len(one) <= TEXT_MAX and one.isprintable() for one in names):
            raise DomainError("partner-file", line=line, reason="reference, member or returns")
        try:
            yield ToldSale(
                line=line,
                reference=told["reference"],
                day=date.fromisoformat(told["day"]),
                member=told["member"],
                spend_minor=parse_amount(told["spend"], currency),
                points=_points(told.get("points", "")),
                returns=told.get("returns", ""),
            )
        except DomainError as error:
            reason = f"spend “{told['spend'][:TEXT_MAX]}”"
            raise DomainError("partner-file", line=line, reason=reason) from error
        except ValueError as error:
            raise DomainError("partner-file", line=line, reason=str(error)) from error


def _points(text: str) -> int:
    """In the programme's smallest unit; ValueError for anything but digits."""
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise ValueError(f"points “{text[:20]}”")
    return int(text or 0)
