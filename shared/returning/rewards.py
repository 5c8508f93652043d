"""Points that a sale has cost: those that paid, and those of rewards, by line."""

from collections.abc import Mapping

from shared.money import divide_rounded
from shared.shares import largest_remainder
from shared.trade.fact import LotDraw, TenderKind
from shared.trade.ticket import SaleCompleted


def points_that_paid(sale: SaleCompleted, amount: int) -> int:
    """How many of the points that paid go back with so much of the money that they paid."""
    paid = sum(line.points_paid for line in sale.lines)
    return divide_rounded(_paying(sale) * amount, paid) if paid else 0


def rewards_of(sale: SaleCompleted, units: Mapping[int, int] | None = None) -> int:
    """Points that rewards have cost: those of so many ``units`` by line, or all of them.

    They are what is not a line's share of the points that paid. Gifts go by themselves.
    """
    paid = [line.points_paid for line in sale.lines]
    shares = largest_remainder(_paying(sale), paid) if any(paid) else [0] * len(paid)
    return sum(
        cost if units is None else divide_rounded(cost * units[line.line], line.quantity)
        for line, share in zip(sale.lines, shares, strict=True)
        if (cost := line.points_spent - share) and not line.given_by
    )


def drawn(sale: SaleCompleted) -> list[LotDraw]:
    """The lots in the order in which they were drawn: rewards took theirs before anything paid."""
    in_points = [one for one in sale.tenders if one.tender is TenderKind.POINTS]
    in_turn = sorted(in_points, key=lambda one: one.amount > 0)
    return [draw for tender in in_turn for draw in tender.lots]


def _paying(sale: SaleCompleted) -> int:
    return sum(tender.points for tender in sale.tenders if tender.amount)
