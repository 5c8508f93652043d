"""Reading a shop's lines: what can be sold, what comes back, and what is refused with a reason."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, NamedTuple
from zoneinfo import ZoneInfo

from shared.errors import EnvironmentFault
from shared.money import AMOUNT_MINOR_MAX, Currency
from shared.pricing.basket import UNITS_MAX

COLUMNS: Final = {
    "invoice": "InvoiceNo",
    "code": "StockCode",
    "name": "Description",
    "quantity": "Quantity",
    "time": "InvoiceDate",
    "price": "UnitPrice",
    "member": "CustomerID",
}
"""Which column says what; another mapping can be stated."""

CANCELLATION: Final = "C"
_FIGURE: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_GROUPED: Final = {
    ".": re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?"),
    ",": re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)?"),
}
YEARS: Final = range(1970, 2200)
LENGTH_MAX: Final = 64
NAME_LENGTH_MAX: Final = 500
LINE_MINOR_MAX: Final = AMOUNT_MINOR_MAX // 10_000
"""So that a day of such lines is still an amount."""
DELIMITERS: Final = ",;\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a shop's file is written; the defaults are those of the file that comes with the tests.

    ``columns`` says which header stands for what, ``time_format`` is strptime's (empty: ISO 8601),
    ``decimal`` the sign before cents. An empty ``delimiter`` is found in the header line.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    delimiter: str = ""
    encoding: str = "utf-8"
    time_format: str = ""
    decimal: str = "."

    def time(self, text: str) -> datetime:
        """A moment as the file writes it; ValueError."""
        if self.time_format:
            return datetime.strptime(text, self.time_format)  # noqa: DTZ007 - the zone is the shop's
        return datetime.fromisoformat(text)

    def number(self, text: str) -> Decimal:
        """A figure as the file writes it, thousands apart or not; ArithmeticError."""
        grouping = "," if self.decimal == "." else "."
        if _GROUPED[self.decimal].fullmatch(text):
            text = text.replace(grouping, "")
        text = text.replace(self.decimal, ".")
        if not _FIGURE.fullmatch(text):
            raise InvalidOperation(text)
        return Decimal(text)


class Refusal(StrEnum):
    """Why a line cannot be sold."""

    UNREADABLE = "unreadable"
    """A figure or a date is not one, or a field is missing."""
    UNKNOWN_PREFIX = "unknown-invoice-prefix"
    """The invoice number begins with a letter of unknown meaning."""
    ZERO_QUANTITY = "zero-quantity"
    ABSURD_QUANTITY = "absurd-quantity"
    STOCK_CORRECTION = "stock-correction"
    """A negative quantity outside a cancellation, or a positive one in it."""
    NO_PRICE = "no-price"
    NEGATIVE_PRICE = "negative-price"
    FINER_THAN_CURRENCY = "price-finer-than-currency"
    ABSURD_AMOUNT = "absurd-amount"
    ABSURD_DATE = "absurd-date"
    """Before 1970 or after 2200."""
    TEXT_TOO_LONG = "text-too-long"
    """A code, invoice or member of over 64 characters, or a name of over 500."""


class RawLine(NamedTuple):
    """A line as the file has it; ``money`` is quantity × price, zero where unreadable."""

    number: int
    """Of the line in the file, the header being 1."""
    fields: tuple[str, ...]
    money: Decimal


@dataclass(frozen=True, slots=True)
class ShopLine:
    """A line that can be rung up (positive units) or taken back (negative)."""

    raw: RawLine
    invoice: str
    code: str
    name: str
    units: int
    at: datetime
    price_minor: int
    member: str


class Refused(NamedTuple):
    """A line that cannot be sold, and why."""

    raw: RawLine
    reason: Refusal


def read_lines(
    path: Path, *, currency: Currency, zone: ZoneInfo, layout: Layout | None = None
) -> Iterator[ShopLine | Refused]:
    """Every line of a CSV file (gzipped or not), in the file's order.

    Raises EnvironmentFault ``replay-file-missing``, ``replay-file-unreadable`` (not CSV, another
    encoding) or ``replay-columns-missing``.
    """
    layout = layout or Layout()
    try:
        with _open(path, layout.encoding) as file:
            rows = csv.reader(file, delimiter=layout.delimiter or _delimiter(file), strict=True)
            header = _header(rows)
            missing = [name for name in layout.columns.values() if name not in header]
            if missing:
                raise EnvironmentFault(
                    "replay-columns-missing", columns=", ".join(missing), found=", ".join(header)
                )
            places = {field: header.index(name) for field, name in layout.columns.items()}
            for fields in rows:
                yield _read(rows.line_num, fields, places, layout, currency=currency, zone=zone)
    except FileNotFoundError as error:
        raise EnvironmentFault("replay-file-missing", file=str(path)) from error
    except (csv.Error, UnicodeDecodeError, LookupError, zlib.error, EOFError, OSError) as error:
        raise EnvironmentFault(
            "replay-file-unreadable",
            file=str(path),
            encoding=layout.encoding,
            reason=str(error),
        ) from error


BYTE_ORDER_MARK: Final = "\ufeff"
"""What some programs put before the first column's name."""


def _open(path: Path, encoding: str) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open("r", encoding=encoding, newline="")


def _header(rows: Iterator[list[str]]) -> list[str]:
    return [name.removeprefix(BYTE_ORDER_MARK) for name in next(rows, [])]


def _delimiter(file: IO[str]) -> str:
    """The sign that separates the columns of the header; a comma where none does."""
    header = file.readline()
    file.seek(0)
    return max(DELIMITERS, key=header.count)


def _read(
    number: int,
    fields: list[str],
    places: Mapping[str, int],
    layout: Layout,
    *,
    currency: Currency,
    zone: ZoneInfo,
) -> ShopLine | Refused:
    raw = RawLine(number, tuple(fields), Decimal(0))
    try:
        told = {field: fields[place].strip() for field, place in places.items()}
        quantity, price = layout.number(told["quantity"]), layout.number(told["price"])
        # A plain zero for a line without a price: decimals know a negative one.
        raw = raw._replace(money=quantity * price or Decimal(0))
        at, minor = layout.time(told["time"]), price.scaleb(currency.exponent)
        is_whole = price.is_finite() and quantity == quantity.to_integral_value()
        has_nul = any("\0" in text for text in told.values())
        if not is_whole or has_nul or not told["invoice"] or not told["code"]:
            return Refused(raw._replace(money=_finite(raw.money)), Refusal.UNREADABLE)
    except (ValueError, ArithmeticError, IndexError):
        return Refused(raw._replace(money=_finite(raw.money)), Refusal.UNREADABLE)
    raw = raw._replace(money=_finite(raw.money))
    reason = _refusal(told["invoice"], quantity, minor) or _too_much(told, at)
    if reason is not None:
        return Refused(raw, reason)
    return ShopLine(
        raw=raw,
        invoice=told["invoice"],
        code=told["code"],
        name=told["name"] or told["code"],
        units=int(quantity),
        at=at if at.tzinfo else at.replace(tzinfo=zone),
        price_minor=int(minor),
        member=told["member"].removesuffix(".0"),
    )


def _finite(money: Decimal) -> Decimal:
    return money if money.is_finite() else Decimal(0)


class FileTotals(NamedTuple):
    """What a file holds, whatever becomes of its lines."""

    lines: int
    money: Decimal
    """Quantity × price of every line on which both are figures."""


def file_totals(path: Path, layout: Layout) -> FileTotals:
    """Count a file by itself, for comparison with what was rung up and refused."""
    lines, money = 0, Decimal(0)
    with _open(path, layout.encoding) as file:
        rows = csv.reader(file, delimiter=layout.delimiter or _delimiter(file))
        header = _header(rows)
        factors = [header.index(layout.columns[name]) for name in ("quantity", "price")]
        for row in rows:
            lines += 1
            with suppress(ArithmeticError, IndexError):
                quantity, price = (layout.number(row[place].strip()) for place in factors)
                money += _finite(quantity * price)
    return FileTotals(lines, money)


def _refusal(invoice: str, quantity: Decimal, minor: Decimal) -> Refusal | None:
    is_cancellation = invoice.startswith(CANCELLATION)
    checks = (
        (not invoice.removeprefix(CANCELLATION).isdecimal(), Refusal.UNKNOWN_PREFIX),
        (quantity == 0, Refusal.ZERO_QUANTITY),
        ((quantity < 0) != is_cancellation, Refusal.STOCK_CORRECTION),
        (abs(quantity) > UNITS_MAX, Refusal.ABSURD_QUANTITY),
        (minor == 0, Refusal.NO_PRICE),
        (minor < 0, Refusal.NEGATIVE_PRICE),
        (minor != minor.to_integral_value(), Refusal.FINER_THAN_CURRENCY),
        (abs(minor * quantity) > LINE_MINOR_MAX, Refusal.ABSURD_AMOUNT),
    )
    return next((reason for is_so, reason in checks if is_so), None)


def _too_much(told: Mapping[str, str], at: datetime) -> Refusal | None:
    if at.year not in YEARS:
        return Refusal.ABSURD_DATE
    is_long = any(len(told[field]) > LENGTH_MAX for field in ("invoice", "code", "member"))
    return Refusal.TEXT_TOO_LONG if is_long or len(told["name"]) > NAME_LENGTH_MAX else None
