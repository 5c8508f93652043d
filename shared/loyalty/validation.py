"""Finds rules that contradict themselves or each other before a programme is used.

Each finding is a DomainError whose code says what is wrong and how to mend it, and whose field
``rule`` names the place, such as ``offers/half-second``.
"""

from collections.abc import Iterable, Iterator

from shared.errors import DomainError
from shared.loyalty.conditions import Condition, Dates, Members, MonthDays, Weekly
from shared.loyalty.effects import AmountOff, Ladder, NthItem, PercentOff
from shared.loyalty.offers import GroupMode, Offer, Phase
from shared.loyalty.programme import (
    GrowthReached,
    InOneSale,
    InTotal,
    InWindow,
    Programme,
    Rate,
    TierCondition,
)
from shared.money import AMOUNT_MINOR_MAX
from shared.points import POINT_DECIMALS_MAX

WHOLE = 10_000
RATE_PPM_MAX = 10_000_000
MULTIPLIER_MAX = 1_000 * WHOLE
OFFERS_MAX = 2_000


def check(programme: Programme) -> None:
    """Raise the first thing that is wrong with a programme; return when it can be used."""
    for error in problems(programme):
        raise error


def problems(programme: Programme) -> Iterator[DomainError]:
    """Everything that is wrong, in the order of the document."""
    yield from _unit_problems(programme)
    yield from _tax_problems(programme)
    yield from _tier_problems(programme)
    yield from _earning_problems(programme)
    yield from _redemption_problems(programme)
    yield from _coupon_problems(programme)
    for offer in programme.offers:
        yield from _offer_problems(programme, offer)


def _within(value: int, lowest: int, highest: int, rule: str, field: str) -> Iterator[DomainError]:
    if not lowest <= value <= highest:
        yield DomainError(
            "programme-out-of-range",
            rule=rule,
            field=field,
            value=value,
            lowest=lowest,
            highest=highest,
        )


def _twice(ids: Iterable[str], rule: str) -> Iterator[DomainError]:
    seen: set[str] = set()
    for known in ids:
        if known in seen or not known:
            yield DomainError("programme-same-id", rule=rule, id=known)
        seen.add(known)


def _unknown(rule: str, field: str, value: str) -> DomainError:
    return DomainError("programme-unknown-reference", rule=rule, field=field, value=value)


def _unit_problems(programme: Programme) -> Iterator[DomainError]:
    try:
        _ = programme.money
    except DomainError as error:
        yield error
    yield from _within(programme.points.decimals, 0, POINT_DECIMALS_MAX, "points", "decimals")
    rounding = programme.cash_rounding
    yield from _within(rounding.step_minor, 1, AMOUNT_MINOR_MAX, "cash_rounding", "step_minor")
    returns = programme.returns
    yield from _within(returns.days, 0, 36_500, "returns", "days")
    limit = returns.without_receipt_minor
    yield from _within(limit, 0, AMOUNT_MINOR_MAX, "returns", "without_receipt_minor")
    if programme.expiry is not None:
        yield from _within(programme.expiry.months, 0, 1_200, "expiry", "months")
        yield from _within(programme.expiry.days, 0, 36_500, "expiry", "days")


def _tax_problems(programme: Programme) -> Iterator[DomainError]:
    yield from _twice((known.id for known in programme.tax_classes), "tax_classes")
    for known in programme.tax_classes:
        rule = f"tax_classes/{known.id}"
        yield from _twice((part.id for part in known.components), rule)
        for part in known.components:
            if isinstance(part, Rate):
                yield from _within(part.rate_ppm, 0, RATE_PPM_MAX, f"{rule}/{part.id}", "rate_ppm")
            else:
                place = f"{rule}/{part.id}"
                yield from _within(part.amount_minor, 0, AMOUNT_MINOR_MAX, place, "amount_minor")


def _tier_problems(programme: Programme) -> Iterator[DomainError]:
    ladder = programme.tiers.ladder
    yield from _twice((tier.id for tier in ladder), "tiers")
    yield from _within(len(ladder), 1, 100, "tiers", "ladder")
    yield from _within(programme.tiers.validity_months, 1, 1_200, "tiers", "validity_months")
    yield from _within(programme.tiers.grace_days, 0, 3_650, "tiers", "grace_days")
    for tier in ladder[:1]:
        if tier.reached_by:
            yield DomainError("programme-first-tier", rule=f"tiers/{tier.id}")
    for tier in ladder[1:]:
        if not tier.reached_by:
            yield DomainError("programme-tier-without-condition", rule=f"tiers/{tier.id}")
        for condition in tier.reached_by:
            rule = f"tiers/{tier.id}"
            yield from _within(_tier_amount(condition), 1, AMOUNT_MINOR_MAX, rule, "reached_by")


def _tier_amount(condition: TierCondition) -> int:
    match condition:
        case InTotal() | InOneSale() | InWindow():
            return condition.spend_minor
        case GrowthReached():
            return condition.growth
        case _:
            return condition.visits


def _earning_problems(programme: Programme) -> Iterator[DomainError]:
    earning = programme.earning
    for rules in (earning.rules, earning.growth):
        yield from _twice((rule.id for rule in rules), "earning")
        for rule in rules:
            place = f"earning/{rule.id}"
            yield from _within(rule.points, 0, 10**9, place, "points")
            yield from _within(rule.per_minor, 1, AMOUNT_MINOR_MAX, place, "per_minor")
            yield from _condition_problems(programme, rule.conditions, place)
    yield from _twice((known.id for known in earning.multipliers), "earning/multipliers")
    for multiplier in earning.multipliers:
        place = f"earning/multipliers/{multiplier.id}"
        yield from _within(multiplier.basis_points, 0, MULTIPLIER_MAX, place, "basis_points")
        yield from _condition_problems(programme, multiplier.conditions, place)


def _redemption_problems(programme: Programme) -> Iterator[DomainError]:
    rule = programme.redemption
    if rule is not None:
        amount = rule.value_per_block_minor
        yield from _within(rule.points_per_block, 1, 10**9, "redemption", "points_per_block")
        yield from _within(amount, 1, AMOUNT_MINOR_MAX, "redemption", "value_per_block_minor")
        yield from _within(rule.minimum_points, 0, 10**12, "redemption", "minimum_points")
        share = rule.maximum_share_basis_points
        yield from _within(share, 1, WHOLE, "redemption", "maximum_share_basis_points")


def _offer_problems(programme: Programme, offer: Offer) -> Iterator[DomainError]:
    rule = f"offers/{offer.id}"
    if offer is programme.offers[0]:
        yield from _within(len(programme.offers), 0, OFFERS_MAX, "offers", "offers")
        yield from _twice((known.id for known in programme.offers), "offers")
        yield from _twice((known.id for known in programme.groups), "groups")
    yield from _within(offer.version, 1, 10**9, rule, "version")
    yield from _within(offer.phase, 0, Phase.COUPONS, rule, "phase")
    yield from _within(offer.at_most_minor, 0, AMOUNT_MINOR_MAX, rule, "at_most_minor")
    yield from _effect_problems(offer, rule)
    yield from _condition_problems(programme, offer.conditions, rule)
    if offer.group:
        modes = {group.id: group.mode for group in programme.groups}
        if offer.group not in modes:
            yield _unknown(rule, "group", offer.group)
        elif modes[offer.group] is GroupMode.ADD and not isinstance(offer.effect, PercentOff):
            yield DomainError("programme-add-needs-percent", rule=rule, group=offer.group)
    if offer.claimed and all(coupon.offer != offer.id for coupon in programme.coupons):
        yield DomainError("programme-no-coupon-claims", rule=rule)


def _effect_problems(offer: Offer, rule: str) -> Iterator[DomainError]:
    effect = offer.effect
    match effect:
        case Ladder():
            yield from _ladder_problems(effect, rule)
        case NthItem():
            yield from _within(effect.nth, 2, 1_000, rule, "nth")
            yield from _within(effect.basis_points_off, 1, WHOLE, rule, "basis_points_off")
            yield from _within(effect.sets_limit, 0, 10**6, rule, "sets_limit")
        case PercentOff():
            yield from _within(effect.basis_points_off, 1, WHOLE, rule, "basis_points_off")
        case AmountOff():
            yield from _within(effect.off_minor, 1, AMOUNT_MINOR_MAX, rule, "off_minor")


def _ladder_problems(ladder: Ladder, rule: str) -> Iterator[DomainError]:
    yield from _within(len(ladder.steps), 1, 100, rule, "steps")
    yield from _within(ladder.repeat_limit, 0, 10**6, rule, "repeat_limit")
    for step in ladder.steps:
        yield from _within(step.threshold_minor, 1, AMOUNT_MINOR_MAX, rule, "threshold_minor")
        yield from _within(step.off_minor, 1, step.threshold_minor, rule, "off_minor")
    for lower, higher in zip(ladder.steps, ladder.steps[1:], strict=False):
        if higher.threshold_minor <= lower.threshold_minor or higher.off_minor <= lower.off_minor:
            yield DomainError(
                "programme-ladder-falls", rule=rule, threshold_minor=higher.threshold_minor
            )


def _condition_problems(
    programme: Programme, conditions: tuple[Condition, ...], rule: str
) -> Iterator[DomainError]:
    for condition in conditions:
        match condition:
            case Dates() if condition.last < condition.first:
                yield DomainError(
                    "programme-dates-reversed",
                    rule=rule,
                    first=condition.first.isoformat(),
                    last=condition.last.isoformat(),
                )
            case Weekly():
                for day in condition.weekdays:
                    yield from _within(day, 1, 7, rule, "weekdays")
            case MonthDays():
                for day in condition.days:
                    yield from _within(day, 1, 31, rule, "days")
            case Members():
                tiers = {tier.id for tier in programme.tiers.ladder}
                for tier in condition.tiers:
                    if tier not in tiers:
                        yield _unknown(rule, "tiers", tier)
            case _:
                pass


def _coupon_problems(programme: Programme) -> Iterator[DomainError]:
    yield from _twice((coupon.id for coupon in programme.coupons), "coupons")
    offers = {offer.id: offer for offer in programme.offers}
    for coupon in programme.coupons:
        rule = f"coupons/{coupon.id}"
        yield from _within(coupon.version, 1, 10**9, rule, "version")
        yield from _within(coupon.valid_days, 1, 36_500, rule, "valid_days")
        yield from _within(coupon.per_sale, 1, 100, rule, "per_sale")
        if coupon.offer not in offers:
            yield _unknown(rule, "offer", coupon.offer)
        elif not offers[coupon.offer].claimed:
            yield DomainError("programme-coupon-not-claimed", rule=rule, offer=coupon.offer)
