"""What offers give on top at 0: it changes no price, and applies whenever its conditions hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.loyalty.effects import FurtherUnits, Gift, IssueCoupon
from shared.pricing.basket import Basket
from shared.pricing.effects import Candidate, OfferLine, State
from shared.pricing.explaining import Course
from shared.pricing.gates import shortfall
from shared.pricing.quote import AddedUnits, Explanation, IssuedCoupons, Reason

COUPONS_MAX: Final = 1_000
"""So many codes one offer issues in one sale at most."""


@dataclass(slots=True)
class Additions:
    """All additions of a basket, and what is to be said about each offer that could give some."""

    added: list[AddedUnits] = field(default_factory=list)
    issued: list[IssuedCoupons] = field(default_factory=list)
    told: list[Explanation] = field(default_factory=list)


def additions_of(
    candidates: Sequence[Candidate], course: Course, basket: Basket, refunded_minor: int = 0
) -> Additions:
    """What offers give beside the price, of which so much was refunded without goods."""
    gifts = dict(basket.gifts)
    found = Additions()
    for candidate in candidates:
        before = course.before(candidate)
        if refunded_minor:
            before = before.less(refunded_minor)
        missing = shortfall(candidate.gate, before.remaining)
        if missing is not None:
            reason = Reason.MISSING_SPEND if missing else Reason.EXCLUDED
            found.told.append(_told(candidate, reason, missing=missing))
        elif isinstance(candidate.offer.effect, IssueCoupon):
            issued = _issued(candidate.offer.effect, candidate, before)
            found.issued += issued
            found.told.append(_told(candidate, Reason.APPLIED if issued else Reason.NO_GOODS))
        else:
            chosen = gifts.get(candidate.offer.id, "")
            added = _added(candidate, course.lines, before, chosen)
            found.added += added
            found.told.append(_told(candidate, _reason(added)))
    return found


def _issued(effect: IssueCoupon, candidate: Candidate, state: State) -> list[IssuedCoupons]:
    times = 1
    if effect.per_minor:
        amount = sum(state.remaining[index] for index in candidate.lines)
        times = min(amount // effect.per_minor, COUPONS_MAX // effect.units)
    if not times:
        return []
    return [
        IssuedCoupons(
            offer=candidate.offer.id,
            version=candidate.offer.version,
            coupon=effect.coupon,
            units=effect.units * times,
            points=candidate.offer.costs_points,
            claimed_by=candidate.coupon,
        )
    ]


def _added(
    candidate: Candidate, lines: Sequence[OfferLine], state: State, chosen: str
) -> list[AddedUnits]:
    offer, effect = candidate.offer, candidate.offer.effect
    if isinstance(effect, Gift):
        choices = effect.choices
        goods = chosen if chosen in choices else (choices[0] if len(choices) == 1 else "")
        given = {goods: effect.units}
    else:
        assert isinstance(effect, FurtherUnits)
        choices = ()
        given = _further(effect, candidate, lines, state)
    articles = [(goods, units) for goods, units in sorted(given.items()) if units]
    return [
        AddedUnits(
            offer=offer.id,
            version=offer.version,
            goods=goods,
            units=units,
            choices=choices,
            coupon=candidate.coupon,
            points=0 if number else offer.costs_points,
        )
        for number, (goods, units) in enumerate(articles)
    ]


def _further(
    effect: FurtherUnits, candidate: Candidate, lines: Sequence[OfferLine], state: State
) -> dict[str, int]:
    paid: dict[str, int] = {}
    for index in candidate.lines:
        line = lines[index]
        used = 0 if candidate.offer.reuses_units else state.used[index]
        paid[line.sku] = paid.get(line.sku, 0) + line.units - used
    return {sku: units * effect.units // effect.per_units for sku, units in paid.items()}


def _reason(found: Sequence[AddedUnits]) -> Reason:
    if not found:
        return Reason.NO_GOODS
    return Reason.APPLIED if all(one.goods for one in found) else Reason.CHOICE_OPEN


def _told(candidate: Candidate, reason: Reason, *, missing: int = 0) -> Explanation:
    return Explanation(
        offer=candidate.offer.id, reason=reason, missing_minor=missing, coupon=candidate.coupon
    )
