"""Figures in the fields of errors, as people read them: money and points, not their units.

Errors carry integers. Which of their fields are money, or points, stands here once, for the till,
for quotes and for head office.
"""

from collections.abc import Callable
from typing import Final

from shared.errors import EvertillError

MONEY: Final = {
    "advice-below-cost": frozenset({"price", "cost"}),
    "amount-not-positive": frozenset({"amount"}),
    "gift-card-amount": frozenset({"lowest", "highest", "amount"}),
    "gift-card-not-enough": frozenset({"amount", "balance"}),
    "paid-out-in-cash": frozenset({"amount"}),
    "refund-exceeds-sale": frozenset({"amount", "left"}),
    "stored-value-limit": frozenset({"highest", "amount"}),
    "stored-value-not-enough": frozenset({"amount", "balance"}),
    "stored-value-short": frozenset({"most", "amount"}),
    "tender-may-not-pay": frozenset({"most", "amount"}),
    "top-up-amount": frozenset({"amount", "highest"}),
}
"""Fields that are minor units, by the code of the error."""
POINTS: Final = {
    "points-below-minimum": frozenset({"minimum", "points"}),
    "points-not-enough": frozenset({"points", "balance"}),
}
"""Fields that are the programme's smallest units of points."""


def is_money(code: str, field: str) -> bool:
    """Whether a field of an error is an amount."""
    return field in MONEY.get(code, ())


def readable(
    error: EvertillError, money: Callable[[int], str], points: Callable[[int], str]
) -> dict[str, object]:
    """The fields of an error with its money and points as text."""

    def told(field: str, value: object) -> object:
        if not isinstance(value, int):
            return value
        if is_money(error.code, field):
            return money(value)
        return points(value) if field in POINTS.get(error.code, ()) else value

    return {field: told(field, value) for field, value in error.fields.items()}
