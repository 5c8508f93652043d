"""Partners: what their customers earn, and what they owe for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from shared.errors import DomainError
from shared.loyalty.engagement import Partner
from shared.money import AMOUNT_MINOR_MAX, Rounding, divide_rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a partner owes for a period: sums of rounded sales, charged once."""

    partner: str
    sales: int
    returns: int
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
    """What a sale at a partner comes to, or what a return takes back of it."""

    spend_minor: int
    """Without what points paid."""
    points: int
    """Earned; what points paid earns nothing."""
    paid_minor: int = 0
    """By points."""
    points_spent: int = 0

    @property
    def price_minor(self) -> int:
        """The whole."""
        return self.spend_minor + self.paid_minor


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
    return AtPartner(spend_minor - paid, earned(partner, spend_minor - paid), paid, points)


def returned_at_partner(sale: AtPartner, amount_minor: int, *, before: int = 0) -> AtPartner:
    """What goes back with so much of a sale's price, ``before`` of which went back earlier.

    Each figure is rounded down over all returns so far, so that they sum to the sale. Raises
    DomainError ``refund-exceeds-sale``.
    """
    whole = sale.price_minor
    if not 0 < amount_minor <= whole - before:
        raise DomainError("refund-exceeds-sale", amount=amount_minor, left=whole - before)

    def part(figure: int) -> int:
        until = divide_rounded(figure * (before + amount_minor), whole, Rounding.DOWN)
        return until - divide_rounded(figure * before, whole, Rounding.DOWN)

    paid = part(sale.paid_minor)
    return AtPartner(amount_minor - paid, part(sale.points), paid, part(sale.points_spent))


def statement(
    partner: Partner, sales: Sequence[AtPartner], returns: Sequence[AtPartner] = ()
) -> Statement:
    """The settlement of what was sold and of what came back, charged once."""

    def total(figure: Callable[[AtPartner], int]) -> int:
        return sum(map(figure, sales)) - sum(map(figure, returns))

    points = total(attrgetter("points"))
    return Statement(
        partner=partner.id,
        sales=len(sales),
        returns=len(returns),
        spend_minor=total(attrgetter("spend_minor")),
        points=points,
        owed_minor=divide_rounded(points * partner.price_per_block_minor, partner.points_per_block),
        points_spent=total(attrgetter("points_spent")),
        value_spent_minor=total(attrgetter("paid_minor")),
    )
