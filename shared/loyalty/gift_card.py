"""Gift cards: sold, spent and paid out by whoever bears them. Amounts are minor units."""

from dataclasses import dataclass, replace
from datetime import date

from shared.errors import DomainError
from shared.loyalty.accounts import GiftCards
from shared.loyalty.calendar import add_months
from shared.loyalty.prepaid_tax import TaxTable, less, plus, tax_used


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftCard:
    """A card: what is left on it, and the last day on which it pays.

    One that was taxed when it was sold has the table of that tax, ``as_sold``, and what of it no
    payment has used up.
    """

    code: str
    left: int
    last_day: date | None = None
    as_sold: TaxTable = ()
    unused: TaxTable = ()

    def tax_used_by(self, amount: int) -> TaxTable:
        """The tax table of a payment; empty where it is taxed now."""
        return tax_used(self.as_sold, self.unused, self.left, amount)


def sold(code: str, amount: int, rules: GiftCards, today: date, taxes: TaxTable = ()) -> GiftCard:
    """A card that was just sold, with its tax. Raises DomainError ``gift-card-amount``."""
    if not rules.minimum_minor <= amount <= rules.maximum_minor:
        raise DomainError(
            "gift-card-amount",
            amount=amount,
            lowest=rules.minimum_minor,
            highest=rules.maximum_minor,
        )
    last = add_months(today, rules.valid_months) if rules.valid_months else None
    return GiftCard(code=code, left=amount, last_day=last, as_sold=taxes, unused=taxes)


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
    unused = less(card.unused, card.tax_used_by(amount))
    return replace(card, left=card.left - amount, unused=unused)


def refunded(card: GiftCard, amount: int, taxes: TaxTable) -> GiftCard:
    """The card after money has gone back to it, with the tax that is in it again."""
    unused = plus(card.unused, taxes) if taxes else card.unused
    return replace(card, left=card.left + amount, unused=unused)
