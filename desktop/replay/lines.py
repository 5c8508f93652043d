"""Reading a shop's lines: what can be sold, what comes back, and what is refused with a reason."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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
    path: Path, *, currency: Currency, zone: ZoneInfo, columns: Mapping[str, str] = COLUMNS
) -> Iterator[ShopLine | Refused]:
    """Every line of a CSV file (gzipped or not), in the file's order.

    Raises EnvironmentFault ``replay-file-missing``, ``replay-file-unreadable`` (not CSV, not UTF-8)
    or ``replay-columns-missing``.
    """
    try:
        with _open(path) as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            missing = [name for name in columns.values() if name not in header]
            if missing:
                raise EnvironmentFault("replay-columns-missing", columns=", ".join(missing))
            places = {field: header.index(name) for field, name in columns.items()}
            for fields in rows:
                yield _read(rows.line_num, fields, places, currency=currency, zone=zone)
    except FileNotFoundError as error:
        raise EnvironmentFault("replay-file-missing", file=str(path)) from error
    except (csv.Error, UnicodeDecodeError, zlib.error, EOFError, OSError) as error:
        raise EnvironmentFault(
            "replay-file-unreadable", file=str(path), reason=str(error)
        ) from error


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open("r", encoding="utf-8", newline="")


def _read(
    number: int,
    fields: list[str],
    places: Mapping[str, int],
    *,
    currency: Currency,
    zone: ZoneInfo,
) -> ShopLine | Refused:
    raw = RawLine(number, tuple(fields), Decimal(0))
    try:
        told = {field: fields[place].strip() for field, place in places.items()}
        quantity, price = int(told["quantity"]), Decimal(told["price"])
        at = datetime.fromisoformat(told["time"])
        # A plain zero for a line without a price: decimals know a negative one.
        money = quantity * price or Decimal(0)
        minor = price.scaleb(currency.exponent)
        if not price.is_finite() or not told["invoice"] or not told["code"]:
            return Refused(raw, Refusal.UNREADABLE)
    except (ValueError, ArithmeticError, IndexError):
        return Refused(raw, Refusal.UNREADABLE)
    raw = raw._replace(money=money)
    reason = _refusal(told["invoice"], quantity, minor)
    if reason is not None:
        return Refused(raw, reason)
    return ShopLine(
        raw=raw,
        invoice=told["invoice"],
        code=told["code"],
        name=told["name"] or told["code"],
        units=quantity,
        at=at if at.tzinfo else at.replace(tzinfo=zone),
        price_minor=int(minor),
        member=told["member"].removesuffix(".0"),
    )


def _refusal(invoice: str, quantity: int, minor: Decimal) -> Refusal | None:
    is_cancellation = invoice.startswith(CANCELLATION)
    checks = (
        (not invoice.removeprefix(CANCELLATION).isdecimal(), Refusal.UNKNOWN_PREFIX),
        (quantity == 0, Refusal.ZERO_QUANTITY),
        ((quantity < 0) != is_cancellation, Refusal.STOCK_CORRECTION),
        (abs(quantity) > UNITS_MAX, Refusal.ABSURD_QUANTITY),
        (minor == 0, Refusal.NO_PRICE),
        (minor < 0, Refusal.NEGATIVE_PRICE),
        (minor != minor.to_integral_value(), Refusal.FINER_THAN_CURRENCY),
        (abs(minor * quantity) > AMOUNT_MINOR_MAX, Refusal.ABSURD_QUANTITY),
    )
    return next((reason for is_so, reason in checks if is_so), None)
