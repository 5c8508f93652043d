"""Points as payment: how many for how much, from which lots, and which lines they cover."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.lots import Lot, draw, less, pending, spendable
from shared.loyalty.programme import Programme, Treatment
from shared.loyalty.programme import Redemption as RedemptionRule
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE, Basket, PointsOff
from shared.pricing.conditions import hindrance
from shared.pricing.earning import earn
from shared.pricing.engine import price
from shared.pricing.quote import EarningQuote, Quote
from shared.shares import largest_remainder
from shared.trade.fact import LotDraw

THIS_SALE: Final = LotId("this-sale")
"""The lot of a draw on points that the running sale itself earns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsValue:
    """So many points, worth so much, by one of the programme's rules."""

    points: int
    value_minor: int
    rule: str = ""


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
    rule: str = ""


NOTHING: Final = PointsValue(points=0, value_minor=0)


def offered(
    basket: Basket, quote: Quote, programme: Programme, lots: Iterable[Lot], rule: str = ""
) -> PointsValue:
    """The most that the member's points can pay of this basket; zero where nothing can be paid.

    Of several rules the named one, else the one that pays most.
    """
    held = list(lots)
    found = [_most(one, basket, quote, programme, held) for one in _rules(programme, basket, rule)]
    return max(found, key=lambda one: (one.value_minor, -one.points), default=NOTHING)


def _most(
    rule: RedemptionRule, basket: Basket, quote: Quote, programme: Programme, lots: Sequence[Lot]
) -> PointsValue:
    have = _available(rule, basket, quote, programme, lots)
    most = _worth(rule, have, _limit(rule, basket, quote))
    return most if most.points >= rule.minimum_points else NOTHING


def redeem(
    basket: Basket,
    quote: Quote,
    points: int,
    programme: Programme,
    lots: Iterable[Lot],
    rule: str = "",
) -> PointsPayment:
    """Pay with up to ``points`` points; no more are taken than needed.

    Of several rules the named one is used, else the one that pays most with them; those that lower
    the price are none of them. Raises DomainError ``points-not-accepted`` where the programme has
    no such payment or nothing in the basket takes points, ``points-not-enough`` for more than can
    be spent, and ``points-below-minimum``.
    """
    rules, held = _rules(programme, basket, rule), list(lots)
    paying = [one for one in rules if one.treatment is not Treatment.PRICE_REDUCTION]
    chosen, worth = _chosen(paying, basket, quote, points, programme, held)
    values = largest_remainder(worth.value_minor, _payable(chosen, basket, quote))
    is_of_this_sale = chosen.running_sale
    return PointsPayment(
        points=worth.points,
        value_minor=worth.value_minor,
        draws=_draws(worth.points, basket, programme, held),
        line_values=tuple(values),
        line_points=tuple(largest_remainder(worth.points, values)),
        earning=quote.earning if is_of_this_sale else earn(basket, quote.lines, programme, values),
        rule=chosen.id,
    )


def reduce(
    basket: Basket,
    quote: Quote,
    points: int,
    programme: Programme,
    lots: Iterable[Lot],
    rule: str = "",
) -> PointsOff:
    """Lower the price with up to ``points`` points; the basket is priced again with the answer.

    As ``redeem``, by the rules that lower the price.
    """
    rules = _rules(programme, basket, rule)
    lowering = [one for one in rules if one.treatment is Treatment.PRICE_REDUCTION]
    chosen, worth = _chosen(lowering, basket, quote, points, programme, list(lots))
    return PointsOff(chosen.id, worth.points, worth.value_minor)


@dataclass(frozen=True, slots=True)
class Lowering:
    """Points that are to lower the price: so many, or all that can, by a rule."""

    points: int | None
    rule: str


def lowered(
    basket: Basket, programme: Programme, lowering: Lowering, lots: Iterable[Lot]
) -> Basket:
    """The basket with the points that lower its price as it is now; without where they cannot."""
    quote = price(basket, programme)
    usable, today = list(lots), basket.at.date()
    rewards = min(quote.reward_points, spendable(usable, today))
    free = less(usable, draw(usable, rewards, today))
    most = offered(basket, quote, programme, free, lowering.rule).points
    points = most if lowering.points is None else min(most, lowering.points)
    try:
        off = reduce(basket, quote, points, programme, free, lowering.rule)
    except DomainError:
        return basket
    return replace(basket, points_off=off)


def _chosen(
    rules: Sequence[RedemptionRule],
    basket: Basket,
    quote: Quote,
    points: int,
    programme: Programme,
    lots: Sequence[Lot],
) -> tuple[RedemptionRule, PointsValue]:
    if not rules:
        raise DomainError("points-not-accepted")
    chosen = max(
        rules,
        key=lambda one: (
            points >= one.minimum_points,
            _worth(one, points, _limit(one, basket, quote)).value_minor,
        ),
    )
    have = _available(chosen, basket, quote, programme, lots)
    if points > have:
        raise DomainError("points-not-enough", points=points, balance=have)
    worth = _worth(chosen, points, _limit(chosen, basket, quote))
    if points < max(1, chosen.minimum_points):
        raise DomainError("points-below-minimum", points=points, minimum=chosen.minimum_points)
    if not worth.value_minor:
        raise DomainError("points-not-accepted")
    return chosen, worth


def _rules(programme: Programme, basket: Basket, named: str) -> list[RedemptionRule]:
    """The rules that hold for a basket."""
    if basket.member is None:
        return []
    return [
        rule
        for rule in programme.redemptions
        if (not named or rule.id == named) and hindrance(rule.conditions, basket) is None
    ]


def _available(
    rule: RedemptionRule,
    basket: Basket,
    quote: Quote,
    programme: Programme,
    lots: Sequence[Lot],
) -> int:
    """How many points a rule can take: what is spendable, and this sale's where it says so."""
    held = spendable(pending(lots, programme.earning.pending_days), basket.at.date())
    return held + (quote.earning.points_total if rule.running_sale else 0)


def _draws(
    points: int, basket: Basket, programme: Programme, lots: Sequence[Lot]
) -> tuple[LotDraw, ...]:
    """Lots first, then what the sale itself earns."""
    usable, today = pending(lots, programme.earning.pending_days), basket.at.date()
    of_lots = min(points, spendable(usable, today))
    draws = draw(usable, of_lots, today) if of_lots else ()
    rest = points - of_lots
    return (*draws, LotDraw(lot=THIS_SALE, points=rest)) if rest else draws


def _payable(rule: RedemptionRule, basket: Basket, quote: Quote) -> list[int]:
    """What points may pay of each line; they lower no levy."""
    is_lower = rule.treatment is Treatment.PRICE_REDUCTION
    return [
        0
        if line.comes_in or (rule.excluded is not None and rule.excluded.contains(line.goods))
        else (quoted.taxed_minor if is_lower else quoted.pay_minor)
        for line, quoted in zip(basket.lines, quote.lines, strict=True)
    ]


def _limit(rule: RedemptionRule, basket: Basket, quote: Quote) -> int:
    """The most money that points may pay."""
    share = max(0, quote.total_minor) * rule.maximum_share_basis_points // WHOLE
    return min(share, sum(_payable(rule, basket, quote)))


def _worth(rule: RedemptionRule, points: int, limit: int) -> PointsValue:
    """What points are worth up to a limit; a cut block costs whole points, rounded up."""
    block, value = rule.points_per_block, rule.value_per_block_minor
    if rule.whole_blocks:
        blocks = min(points // block, limit // value)
        return PointsValue(points=blocks * block, value_minor=blocks * value, rule=rule.id)
    money = min(points * value // block, limit)
    needed = divide_rounded(money * block, value, Rounding.UP)
    return PointsValue(points=needed, value_minor=money, rule=rule.id)
