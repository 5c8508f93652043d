"""Partners: what their customers earn, and what they owe for it."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.loyalty.engagement import Partner
from shared.money import Rounding, divide_rounded


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
