"""Money as an integer of minor units with its currency. Floats are refused at the door."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from shared.errors import DomainError

# ISO 4217 (amendment 179): currencies whose exponent is not 2.
EXPONENT_OTHER_THAN_TWO = {
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(),  # noqa: SIM905 - a list of codes reads best as one
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    "CLF": 4,
}

SYMBOLS = {"CNY": "¥", "JPY": "¥", "GBP": "£", "EUR": "€", "USD": "$", "HKD": "HK$", "TWD": "NT$"}

# Above this no amount is meant seriously, and sums still fit the journal's ±2^53.
AMOUNT_MINOR_MAX = 10**13


class Rounding(StrEnum):
    """How a fraction of a minor unit becomes an integer."""

    HALF_UP = "half-up"
    """Half away from zero: 0.5 → 1, -0.5 → -1; what tax offices and shops mean by rounding."""
    DOWN = "down"
    """Towards zero: 1.9 → 1, -1.9 → -1."""
    UP = "up"
    """Away from zero: 1.1 → 2, -1.1 → -2."""


def divide_rounded(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """Divide integers and round the quotient as named; the one rounding function of the product.

    ``denominator`` must be positive. Exact for integers of any size.
    """
    assert denominator > 0
    magnitude, rest = divmod(abs(numerator), denominator)
    if rounding is Rounding.HALF_UP:
        magnitude += 2 * rest >= denominator
    elif rounding is Rounding.UP:
        magnitude += rest > 0
    return magnitude if numerator >= 0 else -magnitude


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency."""

    code: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.code):
            raise DomainError("bad-currency", currency=self.code)

    @property
    def exponent(self) -> int:
        """How many decimals the minor unit stands for: 2 for CNY, 0 for JPY, 3 for KWD."""
        return EXPONENT_OTHER_THAN_TWO.get(self.code, 2)

    @property
    def symbol(self) -> str:
        """The sign written before amounts; the code and a space where there is no usual one."""
        return SYMBOLS.get(self.code, f"{self.code} ")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency in minor units (分 for CNY, so 12.50 is 1250)."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError(f"money is an integer of minor units, not {self.minor!r}")

    def __str__(self) -> str:
        return self.currency.symbol + format_amount(self.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise TypeError(f"{self.currency.code} and {other.currency.code} do not mix")
        return other.minor


def parse_amount(text: str, currency: Currency) -> int:
    """Read an amount as people write it (``12.5``, ``1,234.00``) into minor units.

    Raises DomainError ``bad-amount`` for anything else, for more decimals than the currency has,
    and beyond ``AMOUNT_MINOR_MAX``.
    """
    minor = _parse_scaled(text, currency.exponent)
    if minor is None or abs(minor) > AMOUNT_MINOR_MAX:
        raise DomainError("bad-amount", text=text[:40], currency=currency.code)
    return minor


def parse_percent(text: str) -> int:
    """Read a percentage (``10``, ``12.5``, ``7.25%``) into basis points.

    Raises DomainError ``bad-percent`` for anything else, below 0 and above 100.
    """
    points = _parse_scaled(text.strip().removesuffix("%"), 2)
    if points is None or not 0 <= points <= 100_00:
        raise DomainError("bad-percent", text=text[:40])
    return points


def _parse_scaled(text: str, decimals: int) -> int | None:
    """A decimal number as an integer scaled by ``10**decimals``; None where it is none."""
    plain = text.strip().replace(",", "")
    try:
        value = Decimal(plain) if re.fullmatch(r"-?\d*\.?\d*", plain) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    scaled = value.scaleb(decimals) if value.is_finite() else None
    return int(scaled) if scaled is not None and scaled == scaled.to_integral_value() else None


def format_amount(minor: int, currency: Currency) -> str:
    """Write minor units with the currency's own decimals and thousands marks: ``1,234.50``."""
    return format_decimal(minor, currency.exponent)


def format_decimal(scaled: int, decimals: int) -> str:
    """Write an integer scaled by ``10**decimals`` as a decimal number with thousands marks."""
    whole, fraction = divmod(abs(scaled), 10**decimals)
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")
