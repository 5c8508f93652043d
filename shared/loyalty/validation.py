"""Finds rules that contradict themselves or each other before a programme is used.

Each finding is a DomainError whose code says what is wrong and how to mend it, and whose field
``rule`` names the place, such as ``offers/half-second``.
"""

from collections.abc import Iterator

from shared.errors import DomainError
from shared.loyalty.check_benefits import benefit_problems
from shared.loyalty.check_conditions import condition_problems
from shared.loyalty.check_effects import effect_problems
from shared.loyalty.effects import IssueCoupon, PercentOff
from shared.loyalty.findings import WHOLE, tiers_of, twice, unknown, within
from shared.loyalty.offers import GroupMode, Offer, Phase
from shared.loyalty.programme import (
    BalanceReached,
    Basis,
    GrowthReached,
    InOneSale,
    InTotal,
    InWindow,
    Programme,
    Rate,
    TierCondition,
    Treatment,
    VisitsReached,
)
from shared.money import AMOUNT_MINOR_MAX
from shared.points import POINT_DECIMALS_MAX

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
    yield from _price_list_problems(programme)
    yield from _coupon_problems(programme)
    for offer in programme.offers:
        yield from _offer_problems(programme, offer)
    yield from benefit_problems(programme)


def _unit_problems(programme: Programme) -> Iterator[DomainError]:
    try:
        _ = programme.money
    except DomainError as error:
        yield error
    yield from within(programme.points.decimals, 0, POINT_DECIMALS_MAX, "points", "decimals")
    rounding = programme.cash_rounding
    yield from within(rounding.step_minor, 1, AMOUNT_MINOR_MAX, "cash_rounding", "step_minor")
    returns = programme.returns
    yield from within(returns.days, 0, 36_500, "returns", "days")
    limit = returns.without_receipt_minor
    yield from within(limit, 0, AMOUNT_MINOR_MAX, "returns", "without_receipt_minor")
    daily = returns.without_receipt_per_day_minor
    yield from within(daily, 0, AMOUNT_MINOR_MAX, "returns", "without_receipt_per_day_minor")
    if programme.expiry is not None:
        yield from within(programme.expiry.months, 0, 1_200, "expiry", "months")
        yield from within(programme.expiry.days, 0, 36_500, "expiry", "days")
        idle = programme.expiry.inactive_months
        yield from within(idle, 0, 1_200, "expiry", "inactive_months")
        yield from within(programme.expiry.inactive_days, 0, 36_500, "expiry", "inactive_days")
        yield from within(programme.expiry.grace_days, 0, 3_650, "expiry", "grace_days")
        for days in programme.expiry.reminders_days:
            yield from within(days, 1, 3_650, "expiry", "reminders_days")


def _tax_problems(programme: Programme) -> Iterator[DomainError]:
    yield from twice((known.id for known in programme.tax_classes), "tax_classes")
    for known in programme.tax_classes:
        rule = f"tax_classes/{known.id}"
        yield from twice((part.id for part in known.components), rule)
        for part in known.components:
            if isinstance(part, Rate):
                yield from within(part.rate_ppm, 0, RATE_PPM_MAX, f"{rule}/{part.id}", "rate_ppm")
            else:
                place = f"{rule}/{part.id}"
                yield from within(part.amount_minor, 0, AMOUNT_MINOR_MAX, place, "amount_minor")


def _tier_problems(programme: Programme) -> Iterator[DomainError]:
    ladder = programme.tiers.ladder
    yield from twice((tier.id for tier in ladder), "tiers")
    yield from within(len(ladder), 1, 100, "tiers", "ladder")
    yield from within(programme.tiers.validity_months, 1, 1_200, "tiers", "validity_months")
    yield from within(programme.tiers.grace_days, 0, 3_650, "tiers", "grace_days")
    for tier in ladder[:1]:
        if tier.reached_by:
            yield DomainError("programme-first-tier", rule=f"tiers/{tier.id}")
    for tier in ladder[1:]:
        if not tier.reached_by:
            yield DomainError("programme-tier-without-condition", rule=f"tiers/{tier.id}")
        for condition in tier.reached_by:
            rule = f"tiers/{tier.id}"
            yield from within(_tier_amount(condition), 1, AMOUNT_MINOR_MAX, rule, "reached_by")
            if isinstance(condition, InWindow):
                yield from within(condition.months, 1, 1_200, rule, "months")
            elif isinstance(condition, VisitsReached):
                yield from within(condition.months, 0, 1_200, rule, "months")


def _tier_amount(condition: TierCondition) -> int:
    match condition:
        case InTotal() | InOneSale() | InWindow():
            return condition.spend_minor
        case GrowthReached():
            return condition.growth
        case BalanceReached():
            return condition.points
        case _:
            return condition.visits


def _earning_problems(programme: Programme) -> Iterator[DomainError]:
    earning = programme.earning
    yield from within(earning.pending_days, 0, 3_650, "earning", "pending_days")
    for rules in (earning.rules, earning.growth):
        yield from twice((rule.id for rule in rules), "earning")
        for rule in rules:
            place = f"earning/{rule.id}"
            yield from within(rule.points, 0, 10**9, place, "points")
            least = 1 if rule.basis is Basis.AMOUNT else 0
            yield from within(rule.per_minor, least, AMOUNT_MINOR_MAX, place, "per_minor")
            yield from within(rule.per_units, 1, 10**6, place, "per_units")
            yield from condition_problems(tiers_of(programme), rule.conditions, place)
    yield from twice((known.id for known in earning.multipliers), "earning/multipliers")
    for multiplier in earning.multipliers:
        place = f"earning/multipliers/{multiplier.id}"
        yield from within(multiplier.basis_points, 0, MULTIPLIER_MAX, place, "basis_points")
        yield from condition_problems(tiers_of(programme), multiplier.conditions, place)


def _redemption_problems(programme: Programme) -> Iterator[DomainError]:
    yield from twice((rule.id for rule in programme.redemptions), "redemption")
    is_single = not isinstance(programme.redemption, tuple)
    for rule in programme.redemptions:
        place = "redemption" if is_single else f"redemption/{rule.id}"
        amount = rule.value_per_block_minor
        yield from within(rule.points_per_block, 1, 10**9, place, "points_per_block")
        yield from within(amount, 1, AMOUNT_MINOR_MAX, place, "value_per_block_minor")
        yield from within(rule.minimum_points, 0, 10**12, place, "minimum_points")
        share = rule.maximum_share_basis_points
        yield from within(share, 1, WHOLE, place, "maximum_share_basis_points")
        yield from condition_problems(tiers_of(programme), rule.conditions, place)
        if rule.running_sale and rule.treatment is Treatment.PRICE_REDUCTION:
            yield DomainError("programme-running-sale-reduction", rule=place)


def _offer_problems(programme: Programme, offer: Offer) -> Iterator[DomainError]:
    rule = f"offers/{offer.id}"
    if offer is programme.offers[0]:
        yield from within(len(programme.offers), 0, OFFERS_MAX, "offers", "offers")
        yield from twice((known.id for known in programme.offers), "offers")
        yield from twice((known.id for known in programme.groups), "groups")
    yield from within(offer.version, 1, 10**9, rule, "version")
    yield from within(offer.phase, 0, Phase.POINTS, rule, "phase")
    yield from within(offer.at_most_minor, 0, AMOUNT_MINOR_MAX, rule, "at_most_minor")
    yield from within(offer.costs_points, 0, 10**12, rule, "costs_points")
    for name in offer.limits.__struct_fields__:
        yield from within(getattr(offer.limits, name), 0, 10**9, rule, f"limits/{name}")
    if offer.claimed and offer.costs_points:
        yield DomainError("programme-claimed-twice", rule=rule)
    if isinstance(offer.effect, IssueCoupon):
        known = {coupon.id for coupon in programme.coupons}
        if offer.effect.coupon not in known:
            yield unknown(rule, "coupon", offer.effect.coupon)
    yield from effect_problems(offer, rule)
    yield from condition_problems(tiers_of(programme), offer.conditions, rule)
    if offer.group:
        modes = {group.id: group.mode for group in programme.groups}
        if offer.group not in modes:
            yield unknown(rule, "group", offer.group)
        elif modes[offer.group] is GroupMode.ADD and not isinstance(offer.effect, PercentOff):
            yield DomainError("programme-add-needs-percent", rule=rule, group=offer.group)
    if (
        offer.claimed
        and not offer.by_hand
        and all(coupon.offer != offer.id for coupon in programme.coupons)
    ):
        yield DomainError("programme-no-coupon-claims", rule=rule)


def _price_list_problems(programme: Programme) -> Iterator[DomainError]:
    yield from twice((known.id for known in programme.price_lists), "price_lists")
    for known in programme.price_lists:
        rule = f"price_lists/{known.id}"
        for sku, price in known.prices.items():
            yield from within(price, 0, AMOUNT_MINOR_MAX, f"{rule}/{sku}", "prices")
        yield from condition_problems(tiers_of(programme), known.conditions, rule)


def _coupon_problems(programme: Programme) -> Iterator[DomainError]:
    yield from twice((coupon.id for coupon in programme.coupons), "coupons")
    offers = {offer.id: offer for offer in programme.offers}
    for coupon in programme.coupons:
        rule = f"coupons/{coupon.id}"
        yield from within(coupon.version, 1, 10**9, rule, "version")
        yield from within(coupon.valid_days, 1, 36_500, rule, "valid_days")
        yield from within(coupon.per_sale, 1, 100, rule, "per_sale")
        yield from within(coupon.uses, 1, 10**6, rule, "uses")
        yield from within(coupon.from_days, 0, coupon.valid_days - 1, rule, "from_days")
        if coupon.offer not in offers:
            yield unknown(rule, "offer", coupon.offer)
        elif not offers[coupon.offer].claimed:
            yield DomainError("programme-coupon-not-claimed", rule=rule, offer=coupon.offer)
