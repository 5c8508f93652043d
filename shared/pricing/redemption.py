"""Points as payment: how many for how much, from which lots, and which lines they cover."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import DomainError
from shared.loyalty.lots import Lot, draw, spendable
from shared.loyalty.programme import Programme
from shared.loyalty.programme import Redemption as RedemptionRule
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE, Basket
from shared.pricing.earning import earn
from shared.pricing.quote import EarningQuote, Quote
from shared.shares import largest_remainder
from shared.trade.fact import LotDraw


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsValue:
    """So many points, worth so much."""

    points: int
    value_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsPayment:
    """A payment with points. The line tuples follow the quote's lines.

    ``earning`` replaces the quote's: what is covered by points earns only where the programme says
    so.
    """

    points: int
    value_minor: int
    draws: tuple[LotDraw, ...]
    line_values: tuple[int, ...]
    line_points: tuple[int, ...]
    earning: EarningQuote


def offered(basket: Basket, quote: Quote, programme: Programme, lots: Iterable[Lot]) -> PointsValue:
    """The most that the member's points can pay of this basket; zero where nothing can be paid."""
    rule = programme.redemption
    if rule is None or basket.member is None:
        return PointsValue(points=0, value_minor=0)
    most = _worth(rule, spendable(lots, basket.at.date()), _limit(rule, basket, quote))
    return most if most.points >= rule.minimum_points else PointsValue(points=0, value_minor=0)


def redeem(
    basket: Basket, quote: Quote, points: int, programme: Programme, lots: Iterable[Lot]
) -> PointsPayment:
    """Pay with up to ``points`` points; no more are taken than needed.

    Raises DomainError ``points-not-accepted`` where the programme has no such payment or nothing in
    the basket takes points, ``points-not-enough`` for more than can be spent, and
    ``points-below-minimum``.
    """
    rule = programme.redemption
    if rule is None or basket.member is None:
        raise DomainError("points-not-accepted")
    held, today = list(lots), basket.at.date()
    if points > (have := spendable(held, today)):
        raise DomainError("points-not-enough", points=points, balance=have)
    worth = _worth(rule, points, _limit(rule, basket, quote))
    if points < max(1, rule.minimum_points):
        raise DomainError("points-below-minimum", points=points, minimum=rule.minimum_points)
    if not worth.value_minor:
        raise DomainError("points-not-accepted")
    values = largest_remainder(worth.value_minor, _payable(rule, basket, quote))
    return PointsPayment(
        points=worth.points,
        value_minor=worth.value_minor,
        draws=draw(held, worth.points, today),
        line_values=tuple(values),
        line_points=tuple(largest_remainder(worth.points, values)),
        earning=earn(basket, quote.lines, programme, values),
    )


def _payable(rule: RedemptionRule, basket: Basket, quote: Quote) -> list[int]:
    return [
        0 if rule.excluded is not None and rule.excluded.contains(line.goods) else quoted.pay_minor
        for line, quoted in zip(basket.lines, quote.lines, strict=True)
    ]


def _limit(rule: RedemptionRule, basket: Basket, quote: Quote) -> int:
    """The most money that points may pay."""
    share = quote.total_minor * rule.maximum_share_basis_points // WHOLE
    return min(share, sum(_payable(rule, basket, quote)))


def _worth(rule: RedemptionRule, points: int, limit: int) -> PointsValue:
    """What points are worth up to a limit; a cut block costs whole points, rounded up."""
    block, value = rule.points_per_block, rule.value_per_block_minor
    if rule.whole_blocks:
        blocks = min(points // block, limit // value)
        return PointsValue(points=blocks * block, value_minor=blocks * value)
    money = min(points * value // block, limit)
    needed = divide_rounded(money * block, value, Rounding.UP)
    return PointsValue(points=needed, value_minor=money)
