"""What is lawful in a programme and still hardly meant: offers and steps that never work, losses.

Each piece of advice is a DomainError like those of the check: its code says what and how to mend
it, its field ``rule`` names the place. Nothing here keeps a programme from being used.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.conditions import AllOf, Condition, Dates, Stores, Tills, Weekly
from shared.loyalty.effects import Bundle, FixedPrice, Gift, Ladder, PercentLadder, PercentOff
from shared.loyalty.offers import GroupMode, Offer
from shared.loyalty.programme import InOneSale, InTotal, InWindow, Programme, TierCondition
from shared.money import divide_rounded

WHOLE = 10_000


def advice(programme: Programme, today: date, goods: Sequence[Goods] = ()) -> Iterator[DomainError]:
    """Everything worth a second look on a day; ``goods`` are the catalogue, where it is known."""
    yield from _groups(programme)
    yield from _tiers(programme)
    for offer in programme.offers:
        yield from _never(offer, today)
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
    """Offers whose time is over or never comes, or that no place has."""
    rule = f"offers/{offer.id}"
    conditions = list(_flat(offer.conditions))
    for condition in conditions:
        match condition:
            case Dates(last=last) if last < today:
                yield DomainError("advice-offer-over", rule=rule, last=last.isoformat())
            case Weekly(start=start, end=end) if end is not None and end <= start:
                yield DomainError("advice-offer-never", rule=rule, field="end")
            case Weekly(weekdays=()) | Stores(stores=()) | Tills(tills=()):
                yield DomainError("advice-offer-never", rule=rule, field="conditions")
            case _:
                pass
    dates = [one for one in conditions if isinstance(one, Dates)]
    if dates and max(one.first for one in dates) > min(one.last for one in dates):
        yield DomainError("advice-offer-never", rule=rule, field="dates")


def _flat(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Conditions that must all hold."""
    for condition in conditions:
        if isinstance(condition, AllOf):
            yield from _flat(condition.of)
        else:
            yield condition


def _steps(offer: Offer) -> Iterator[DomainError]:
    """Steps that give no more than the one before, because a cap stands in the way."""
    cap, effect = offer.at_most_minor, offer.effect
    if not cap:
        return
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
    for (_, before), (threshold, _off) in pairwise(gives):
        if before >= cap:
            yield DomainError("advice-step-unreachable", rule=rule, threshold_minor=threshold)


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
    """What a piece or kilogram costs with this offer alone; None where it does not say."""
    if goods.no_discount or not offer.goods.contains(goods):
        return None
    match offer.effect:
        case PercentOff(basis_points_off=points):
            off = divide_rounded(goods.list_price_minor * points, WHOLE)
            return goods.list_price_minor - min(off, offer.at_most_minor or off)
        case FixedPrice(price_minor=price):
            return min(price, goods.list_price_minor)
        case _:
            return None
