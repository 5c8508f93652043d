"""Partners: what their customers earn, and what they owe for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from shared.errors import DomainError
from shared.loyalty.engagement import Partner
from shared.money import AMOUNT_MINOR_MAX, Rounding, divide_rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a partner owes for a period: sums of rounded sales, charged once."""

    partner: str
    sales: int
    spend_minor: int
    points: int
    owed_minor: int
    points_spent: int = 0
    value_spent_minor: int = 0

    @property
    def settlement_minor(self) -> int:
        """What the partner pays us; below zero what we pay the partner."""
        return self.owed_minor - self.value_spent_minor


def worth(partner: Partner, points: int) -> int:
    """What points pay for at a partner, rounded down; 0 where it takes none."""
    return divide_rounded(
        points * partner.value_per_block_minor, partner.points_per_block, Rounding.DOWN
    )


def earned(partner: Partner, spend_minor: int) -> int:
    """Points for a sale at the partner, rounded down."""
    return divide_rounded(spend_minor * partner.points, partner.per_minor, Rounding.DOWN)


class AtPartner(NamedTuple):
    """What a sale at a partner comes to."""

    paid_minor: int
    """By points."""
    points: int
    """Earned; what points paid earns nothing."""


def at_partner(partner: Partner, spend_minor: int, points: int) -> AtPartner:
    """A sale of so much, of which so many points pay a part.

    Raises DomainError ``amount-not-positive``, ``points-not-accepted``, ``tender-exceeds-due``.
    """
    if not 0 < spend_minor <= AMOUNT_MINOR_MAX:
        raise DomainError("amount-not-positive", amount=spend_minor)
    paid = worth(partner, points)
    if points and not paid:
        raise DomainError("points-not-accepted")
    if paid > spend_minor:
        raise DomainError("tender-exceeds-due", amount=paid, due=spend_minor)
    return AtPartner(paid, earned(partner, spend_minor - paid))


def statement(partner: Partner, sales: Iterable[int], redeemed: Iterable[int] = ()) -> Statement:
    """The settlement of sales by what was spent in each, and of payments by their points."""
    spent, paid = list(sales), list(redeemed)
    points = sum(earned(partner, one) for one in spent)
    owed = divide_rounded(points * partner.price_per_block_minor, partner.points_per_block)
    return Statement(
        partner=partner.id,
        sales=len(spent),
        spend_minor=sum(spent),
        points=points,
        owed_minor=owed,
        points_spent=sum(paid),
        value_spent_minor=sum(worth(partner, one) for one in paid),
    )
