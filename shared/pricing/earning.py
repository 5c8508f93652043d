"""What a sale earns: base, multipliers, one rounding per rule, exact shares per line."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod

from shared.loyalty.document import GoodsSet
from shared.loyalty.programme import Basis, Earning, EarningRule, Multiplier, Overlap, Programme
from shared.money import divide_rounded
from shared.pricing.basket import WHOLE, Basket, BasketLine
from shared.pricing.conditions import hindrance
from shared.pricing.gates import gate_of, shortfall
from shared.pricing.net import NetPart
from shared.pricing.quote import EarningQuote, LineQuote, RuleEarning
from shared.shares import largest_remainder

AS_IT_IS = NetPart("", 1, 1)


def earn(
    basket: Basket,
    lines: Sequence[LineQuote],
    programme: Programme,
    points_paid: Sequence[int] | None = None,
) -> EarningQuote:
    """What the lines earn; ``points_paid`` is how much of each was paid with points.

    The base of a line is what is paid for it without levies; goods marked ``no_points`` have none.
    Nothing is earned without a member.
    """
    if basket.member is None:
        return EarningQuote(spend_minor=0, line_spend=(0,) * len(lines), points=(), growth=())
    earning = programme.earning
    paid = points_paid or [0] * len(lines)
    lowered = [0] * len(lines)
    if basket.points_off is not None:
        lowered = [_lowered(basket.points_off.rule, quote) for quote in lines]
    base = tuple(
        [
            _base(earning, sold, quote, covered, less)
            for sold, quote, covered, less in zip(basket.lines, lines, paid, lowered, strict=True)
        ]
    )
    multipliers = [m for m in earning.multipliers if hindrance(m.conditions, basket) is None]

    def by_rule(rules: Sequence[EarningRule], times: list[Multiplier]) -> tuple[RuleEarning, ...]:
        found = (_earned(rule, basket, base, times, earning.overlap) for rule in rules)
        return tuple(one for one in found if one is not None)

    return EarningQuote(
        spend_minor=sum(base),
        line_spend=base,
        points=by_rule(earning.rules, multipliers),
        growth=by_rule(earning.growth, []),
    )


def _base(earning: Earning, sold: BasketLine, quote: LineQuote, covered: int, lowered: int) -> int:
    """What a line earns on; points may cover a part of it, or have lowered its price."""
    if sold.goods.no_points or sold.comes_in:
        return 0
    money = taxed = quote.taxed_minor
    if earning.points_tender_counts:
        money += lowered
    else:
        money = max(0, money - covered)
    if earning.tax_counts or not taxed:
        return money
    return divide_rounded(money * quote.net_minor, taxed)


def _lowered(rule: str, quote: LineQuote) -> int:
    """What points took off a line's price."""
    return sum(share.amount_minor for share in quote.discounts if share.offer == rule)


def _earned(
    rule: EarningRule,
    basket: Basket,
    base: Sequence[int],
    multipliers: Sequence[Multiplier],
    overlap: Overlap,
) -> RuleEarning | None:
    if hindrance(rule.conditions, basket, rule.goods) or not _spent_enough(rule, basket, base):
        return None
    counted = _counted(rule, basket, base)
    per = _per(rule, counted)
    if per == 0:
        return None
    whole, numerators = 1, [count * rule.points for count in counted]
    if multipliers and rule.multiplied:
        factors = [_factor(line, multipliers, overlap) for line in basket.lines]
        whole = lcm(*(factor.denominator for factor in factors))
        numerators = [
            numerator * int(factor * whole)
            for numerator, factor in zip(numerators, factors, strict=True)
        ]
    denominator = per * whole
    points = divide_rounded(sum(numerators), denominator, rule.rounding)
    shares = largest_remainder(points, numerators) if numerators else []
    return RuleEarning(
        rule=rule.id,
        points=points,
        line_points=tuple(shares),
        numerators=tuple(numerators),
        denominator=denominator,
    )


def _counted(rule: EarningRule, basket: Basket, base: Sequence[int]) -> list[int]:
    """What of each line counts for a rule: money of the base, or units that are paid for."""
    counted = []
    for line, amount in zip(basket.lines, base, strict=True):
        is_meant = amount > 0 and rule.goods.contains(line.goods)
        count = (line.units or 1) if rule.basis is Basis.UNITS else amount
        counted.append(count if is_meant else 0)
    was_here = basket.member is not None and basket.member.was_here_today
    return [0] * len(counted) if rule.basis is Basis.VISIT and was_here else counted


def _per(rule: EarningRule, counted: Sequence[int]) -> int:
    """How much of what is counted gives the rule's points once."""
    match rule.basis:
        case Basis.AMOUNT:
            return rule.per_minor
        case Basis.UNITS:
            return rule.per_units
        case Basis.SALE | Basis.VISIT:
            return sum(counted)


def _spent_enough(rule: EarningRule, basket: Basket, base: Sequence[int]) -> bool:
    """Whether thresholds hold, measured on the base: it is what it is, net or not."""
    if not rule.conditions:
        return True

    def positions_of(goods: GoodsSet) -> tuple[int, ...]:
        return tuple(i for i, line in enumerate(basket.lines) if goods.contains(line.goods))

    gate = gate_of(
        rule.conditions,
        basket,
        rule.goods,
        own_positions=positions_of(rule.goods),
        positions_of=positions_of,
        listed=base,
        nets=[AS_IT_IS] * len(base),
    )
    return shortfall(gate, base) is None


def _factor(line: BasketLine, multipliers: Sequence[Multiplier], overlap: Overlap) -> Fraction:
    """What the points of a line are multiplied by: at least once, where no rule lowers it."""
    meeting = [Fraction(m.basis_points, WHOLE) for m in multipliers if m.goods.contains(line.goods)]
    if not meeting:
        return Fraction(1)
    match overlap:
        case Overlap.PRODUCT:
            return prod(meeting, start=Fraction(1))
        case Overlap.SUM:
            return sum(meeting, start=Fraction(0))
        case Overlap.HIGHEST:
            return max(meeting)
