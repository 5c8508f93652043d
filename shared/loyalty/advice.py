"""What is lawful in a programme and still hardly meant: offers and steps that never work, losses.

Each piece of advice is a DomainError like those of the check: its code says what and how to mend
it, its field ``rule`` names the place. Nothing here keeps a programme from being used.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import combinations, pairwise, product

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.conditions import (
    AllOf,
    Birthday,
    Condition,
    Dates,
    FirstSale,
    Measured,
    Members,
    NthVisit,
    Segments,
    Spend,
)
from shared.loyalty.contradictions import can_hold
from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    FixedPrice,
    FurtherUnits,
    Gift,
    IssueCoupon,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    SetPrice,
)
from shared.loyalty.offers import GroupMode, Offer
from shared.loyalty.programme import (
    EndOf,
    InOneSale,
    InTotal,
    InWindow,
    Programme,
    TierCondition,
)
from shared.money import divide_rounded

WHOLE = 10_000


def advice(programme: Programme, today: date, goods: Sequence[Goods] = ()) -> Iterator[DomainError]:
    """Everything worth a second look on a day; ``goods`` are the catalogue, where it is known."""
    yield from _groups(programme)
    yield from _tiers(programme)
    yield from _overlaps(programme, goods)
    yield from _coupons(programme)
    yield from _price_lists(programme, today, goods)
    yield from _lapsing(programme)
    for offer in programme.offers:
        yield from _never(offer, today)
        yield from _figures(offer)
        yield from _steps(offer)
        if goods:
            yield from _goods(offer, goods)


def _groups(programme: Programme) -> Iterator[DomainError]:
    members = Counter(offer.group for offer in programme.offers if offer.group)
    for group in programme.groups:
        if not members[group.id]:
            yield DomainError("advice-group-unused", rule=f"groups/{group.id}")
        elif members[group.id] == 1 and group.mode is not GroupMode.CHAIN:
            yield DomainError("advice-group-of-one", rule=f"groups/{group.id}")


def _overlaps(programme: Programme, goods: Sequence[Goods]) -> Iterator[DomainError]:
    """Two groups of which one offer each applies, on the same goods: both of them do.

    Where their places differ somebody has thought of that.
    """
    modes = {group.id: group.mode for group in programme.groups}
    members: dict[str, list[Offer]] = {}
    for offer in programme.offers:
        if modes.get(offer.group) is GroupMode.ONE and not offer.claimed and not offer.is_reward:
            members.setdefault(offer.group, []).append(offer)
    for one, other in combinations(sorted(members), 2):
        pairs = product(members[one], members[other])
        found = next((pair for pair in pairs if _work_on_the_same(*pair, goods)), None)
        if found is not None:
            first, second = (offer.id for offer in found)
            more = {"other": other, "first": first, "second": second}
            yield DomainError("advice-groups-overlap", rule=f"groups/{one}", **more)


def _work_on_the_same(one: Offer, other: Offer, goods: Sequence[Goods]) -> bool:
    if one.place != other.place:
        return False
    if goods:
        return any(one.goods.contains(sold) and other.goods.contains(sold) for sold in goods)
    return one.goods == other.goods or one.goods.is_everything or other.goods.is_everything


def _tiers(programme: Programme) -> Iterator[DomainError]:
    """A tier that is reached with no more than the one below it leaves that one empty."""
    for lower, higher in pairwise(programme.tiers.ladder[1:]):
        for one in lower.reached_by:
            for other in higher.reached_by:
                if _asks_no_more(other, one):
                    yield DomainError(
                        "advice-tier-skipped", rule=f"tiers/{higher.id}", lower=lower.id
                    )


def _asks_no_more(one: TierCondition, other: TierCondition) -> bool:
    """Whether whoever meets the other condition has met this one, where they can be compared."""
    match one, other:
        case InTotal(spend_minor=asked), InTotal(spend_minor=known):
            return asked <= known
        case InOneSale(spend_minor=asked), InOneSale(spend_minor=known):
            return asked <= known
        case InWindow(), InWindow():
            return one.spend_minor <= other.spend_minor and one.months >= other.months
        case _:
            return False


def _never(offer: Offer, today: date) -> Iterator[DomainError]:
    """Offers whose time is over, or whose conditions contradict each other."""
    rule = f"offers/{offer.id}"
    over = [one.last for one in _flat(offer.conditions) if isinstance(one, Dates)]
    if over and min(over) < today:
        yield DomainError("advice-offer-over", rule=rule, last=min(over).isoformat())
    elif not can_hold(offer.conditions, today):
        yield DomainError("advice-offer-never", rule=rule, field="conditions")


def _flat(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Conditions that must all hold."""
    for condition in conditions:
        if isinstance(condition, AllOf):
            yield from _flat(condition.of)
        else:
            yield condition


def _coupons(programme: Programme) -> Iterator[DomainError]:
    """Coupons that come from their own use for ever, or from nowhere while they are good."""
    issues = {
        offer.id: offer.effect.coupon
        for offer in programme.offers
        if isinstance(offer.effect, IssueCoupon)
    }
    for coupon in programme.coupons:
        if issues.get(coupon.offer) == coupon.id:
            yield DomainError("advice-coupon-of-itself", rule=f"coupons/{coupon.id}")


def _price_lists(
    programme: Programme, today: date, goods: Sequence[Goods]
) -> Iterator[DomainError]:
    """Lists of which chance decides one, for the lower id wins, and prices below cost."""
    for one, other in combinations(programme.price_lists, 2):
        both = sorted(one.prices.keys() & other.prices.keys())
        conditions = (*one.conditions, *other.conditions)
        if both and one.priority == other.priority and can_hold(conditions, today):
            rule = f"price_lists/{one.id}"
            yield DomainError(
                "advice-price-lists-overlap", rule=rule, other=other.id, goods=both[0]
            )
    costs = {str(one.sku): one.cost_minor for one in goods if one.cost_minor is not None}
    for prices in programme.price_lists:
        rule = f"price_lists/{prices.id}"
        for sku, price in sorted(prices.prices.items()):
            if sku in costs and price < costs[sku]:
                yield DomainError(
                    "advice-below-cost", rule=rule, goods=sku, price=price, cost=costs[sku]
                )


def _lapsing(programme: Programme) -> Iterator[DomainError]:
    """Points that are gone at the end of the day on which they were earned."""
    expiry = programme.expiry
    if expiry is None or not expiry.is_about_lots:
        return
    if not (expiry.months or expiry.days) and expiry.end_of is EndOf.DAY:
        yield DomainError("advice-points-lapse-at-once", rule="expiry")


def _figures(offer: Offer) -> Iterator[DomainError]:
    """Figures that another figure of the offer makes useless."""
    rule, limits = f"offers/{offer.id}", offer.limits
    if 0 < limits.per_member < limits.per_member_and_day:
        yield DomainError("advice-limit-useless", rule=rule, field="per_member_and_day")
    if 0 < limits.in_total < limits.per_store:
        yield DomainError("advice-limit-useless", rule=rule, field="per_store")
    is_limited = limits.per_member or limits.per_member_and_day
    if is_limited and not offer.costs_points and not _is_for_members(offer):
        yield DomainError("advice-limit-for-members", rule=rule)
    match offer.effect:
        case AmountOff(off_minor=off, each_unit=False) if 0 < offer.at_most_minor < off:
            yield DomainError("advice-cap-below", rule=rule, off=off, cap=offer.at_most_minor)
        case PercentOff(basis_points_off=points) if (
            points == WHOLE and not offer.claimed and not offer.is_reward
        ):
            if not offer.at_most_minor and not offer.conditions:
                yield DomainError("advice-all-free", rule=rule)
        case _:
            pass


def _is_for_members(offer: Offer) -> bool:
    """Whether it never applies where nobody is known to buy."""
    return any(
        isinstance(one, Members | Birthday | Segments | FirstSale | NthVisit)
        for one in _flat(offer.conditions)
    )


def _steps(offer: Offer) -> Iterator[DomainError]:
    """Steps that a cap keeps from giving more, or that the next one always replaces."""
    cap, effect = offer.at_most_minor, offer.effect
    rule = f"offers/{offer.id}"
    match effect:
        case Ladder(steps=steps):
            gives = [(step.threshold_minor, step.off_minor) for step in steps]
        case PercentLadder(steps=steps):
            gives = [
                (
                    step.threshold_minor,
                    divide_rounded(step.threshold_minor * step.basis_points_off, WHOLE),
                )
                for step in steps
            ]
        case _:
            return
    least = max((one.minimum_minor for one in _own_spend(offer)), default=0)
    for (threshold, before), (following, _off) in pairwise(gives):
        if following <= least:
            yield DomainError("advice-step-passed", rule=rule, threshold_minor=threshold)
        if cap and before >= cap:
            yield DomainError("advice-step-unreachable", rule=rule, threshold_minor=following)


def _own_spend(offer: Offer) -> Iterator[Spend]:
    """What has to be left of the offer's own goods before it works, measured as its steps are."""
    for condition in _flat(offer.conditions):
        if isinstance(condition, Spend) and condition.net == offer.net:
            is_left = condition.measured is Measured.LEFT
            if is_left and condition.goods in (None, offer.goods):
                yield condition


def _goods(offer: Offer, goods: Sequence[Goods]) -> Iterator[DomainError]:
    """Offers without goods in the catalogue, gifts that are not in it, prices below cost."""
    rule, effect = f"offers/{offer.id}", offer.effect
    sets = [part.goods for part in effect.parts] if isinstance(effect, Bundle) else [offer.goods]
    for one_set in sets:
        if not any(one_set.contains(one) and not one.no_discount for one in goods):
            yield DomainError("advice-no-goods", rule=rule)
    if isinstance(effect, Gift):
        known = {one.sku for one in goods}
        for sku in effect.choices:
            if sku not in known:
                yield DomainError("advice-unknown-gift", rule=rule, goods=sku)
    for one in goods:
        price = _price_after(offer, one)
        if price is not None and one.cost_minor is not None and price < one.cost_minor:
            yield DomainError(
                "advice-below-cost", rule=rule, goods=one.sku, price=price, cost=one.cost_minor
            )


def _price_after(offer: Offer, goods: Goods) -> int | None:
    """What a piece or kilogram costs with this offer alone, on average where it is of several.

    None where it does not say.
    """
    if goods.no_discount or not offer.goods.contains(goods):
        return None
    match offer.effect:
        case PercentOff(basis_points_off=points):
            off = divide_rounded(goods.list_price_minor * points, WHOLE)
            return goods.list_price_minor - min(off, offer.at_most_minor or off)
        case FixedPrice(price_minor=price):
            return min(price, goods.list_price_minor)
        case AmountOff(off_minor=off, each_unit=True):
            return max(0, goods.list_price_minor - min(off, offer.at_most_minor or off))
        case NthItem(nth=nth, cheaper=cheaper, basis_points_off=points):
            off = divide_rounded(goods.list_price_minor * cheaper * points, WHOLE * nth)
            return goods.list_price_minor - off
        case SetPrice(units=units, price_minor=price):
            return min(divide_rounded(price, units), goods.list_price_minor)
        case FurtherUnits(per_units=paid, units=units):
            return divide_rounded(goods.list_price_minor * paid, paid + units)
        case _:
            return None
