"""What a sale earns: base, multipliers, one rounding per rule, exact shares per line."""

from collections.abc import Sequence
from fractions import Fraction
from math import lcm, prod

from shared.loyalty.conditions import Spend
from shared.loyalty.programme import Earning, EarningRule, Multiplier, Overlap, Programme
from shared.money import divide_rounded
from shared.pricing.basket import WHOLE, Basket, BasketLine
from shared.pricing.conditions import hindrance
from shared.pricing.quote import EarningQuote, LineQuote, RuleEarning
from shared.shares import largest_remainder


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
    earning = programme.earning
    paid = points_paid or [0] * len(lines)
    base = tuple(
        _base(earning, sold, quote, covered)
        for sold, quote, covered in zip(basket.lines, lines, paid, strict=True)
    )
    if basket.member is None:
        return EarningQuote(spend_minor=0, line_spend=(0,) * len(base), points=(), growth=())
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


def _base(earning: Earning, sold: BasketLine, quote: LineQuote, covered: int) -> int:
    if sold.goods.no_points:
        return 0
    money = quote.taxed_minor
    if not earning.points_tender_counts:
        money = max(0, money - covered)
    if earning.tax_counts or not quote.taxed_minor:
        return money
    return divide_rounded(money * quote.net_minor, quote.taxed_minor)


def _earned(
    rule: EarningRule,
    basket: Basket,
    base: Sequence[int],
    multipliers: Sequence[Multiplier],
    overlap: Overlap,
) -> RuleEarning | None:
    if hindrance(rule.conditions, basket) is not None or not _spent_enough(rule, basket, base):
        return None
    factors = [
        _factor(line, multipliers, overlap) if rule.goods.contains(line.goods) else Fraction(0)
        for line in basket.lines
    ]
    whole = lcm(*(factor.denominator for factor in factors))
    numerators = tuple(
        amount * rule.points * int(factor * whole)
        for amount, factor in zip(base, factors, strict=True)
    )
    denominator = rule.per_minor * whole
    points = divide_rounded(sum(numerators), denominator, rule.rounding)
    shares = largest_remainder(points, numerators) if numerators else []
    return RuleEarning(
        rule=rule.id,
        points=points,
        line_points=tuple(shares),
        numerators=numerators,
        denominator=denominator,
    )


def _spent_enough(rule: EarningRule, basket: Basket, base: Sequence[int]) -> bool:
    for condition in rule.conditions:
        if isinstance(condition, Spend):
            goods = condition.goods or rule.goods
            spent = sum(
                amount
                for line, amount in zip(basket.lines, base, strict=True)
                if goods.contains(line.goods)
            )
            if spent < condition.minimum_minor:
                return False
    return True


def _factor(line: BasketLine, multipliers: Sequence[Multiplier], overlap: Overlap) -> Fraction:
    """What the points of a line are multiplied by: at least once, where no rule lowers it."""
    meeting = [Fraction(m.basis_points, WHOLE) for m in multipliers if m.goods.contains(line.goods)]
    if not meeting:
        return Fraction(1)
    return prod(meeting, start=Fraction(1)) if overlap is Overlap.PRODUCT else max(meeting)
