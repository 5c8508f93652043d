"""Gift cards: sold, spent and paid out by whoever bears them. Amounts are minor units."""

from dataclasses import dataclass, replace
from datetime import date

from shared.errors import DomainError
from shared.loyalty.accounts import GiftCards
from shared.loyalty.calendar import add_months
from shared.money import divide_rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftCard:
    """A card: what is left on it, and the last day on which it pays.

    ``tax`` is what was paid in tax when it was sold, on ``worth``: of a single-purpose card.
    """

    code: str
    left: int
    last_day: date | None = None
    worth: int = 0
    tax: int = 0

    @property
    def tax_left(self) -> int:
        """The part of its tax that is in what is left on it."""
        return divide_rounded(self.tax * self.left, self.worth) if self.worth else 0


def sold(code: str, amount: int, rules: GiftCards, today: date, tax: int = 0) -> GiftCard:
    """A card that was just sold, ``tax`` included. Raises DomainError ``gift-card-amount``."""
    if not rules.minimum_minor <= amount <= rules.maximum_minor:
        raise DomainError(
            "gift-card-amount",
            amount=amount,
            lowest=rules.minimum_minor,
            highest=rules.maximum_minor,
        )
    last = add_months(today, rules.valid_months) if rules.valid_months else None
    return GiftCard(code=code, left=amount, last_day=last, worth=amount, tax=tax)


def check_lapsed(last_day: date | None, today: date) -> None:
    """DomainError ``gift-card-lapsed`` after the last day on which a card pays, or is paid out."""
    if last_day is not None and today > last_day:
        raise DomainError("gift-card-lapsed", on=last_day.isoformat())


def spent(card: GiftCard, amount: int, today: date) -> GiftCard:
    """The card after a payment.

    Raises DomainError ``gift-card-lapsed`` after its last day and ``gift-card-not-enough``.
    """
    check_lapsed(card.last_day, today)
    if amount > card.left:
        raise DomainError("gift-card-not-enough", amount=amount, balance=card.left)
    return replace(card, left=card.left - amount)
