"""What offers give on top at 0: it changes no price, and applies whenever its conditions hold."""

from collections.abc import Sequence

from shared.loyalty.effects import FurtherUnits, Gift
from shared.pricing.basket import Basket
from shared.pricing.effects import Candidate, OfferLine, State
from shared.pricing.explaining import Course
from shared.pricing.gates import shortfall
from shared.pricing.quote import AddedUnits, Explanation, Reason


def added_units(
    candidates: Sequence[Candidate], course: Course, basket: Basket
) -> tuple[tuple[AddedUnits, ...], list[Explanation]]:
    """All additions, and what is to be said about each offer that could give some."""
    gifts = dict(basket.gifts)
    added: list[AddedUnits] = []
    told: list[Explanation] = []
    for candidate in candidates:
        before = course.before(candidate)
        missing = shortfall(candidate.gate, before.remaining)
        if missing is not None:
            reason = Reason.MISSING_SPEND if missing else Reason.EXCLUDED
            told.append(_told(candidate, reason, missing=missing))
            continue
        found = _added(candidate, course.lines, before, gifts.get(candidate.offer.id, ""))
        added += found
        told.append(_told(candidate, _reason(found)))
    return tuple(added), told


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
    return [
        AddedUnits(
            offer=offer.id,
            version=offer.version,
            goods=goods,
            units=units,
            choices=choices,
            coupon=candidate.coupon,
        )
        for goods, units in sorted(given.items())
        if units
    ]


def _further(
    effect: FurtherUnits, candidate: Candidate, lines: Sequence[OfferLine], state: State
) -> dict[str, int]:
    paid: dict[str, int] = {}
    for index in candidate.lines:
        line = lines[index]
        paid[line.sku] = paid.get(line.sku, 0) + line.units - state.used[index]
    return {sku: units * effect.units // effect.per_units for sku, units in paid.items()}


def _reason(found: Sequence[AddedUnits]) -> Reason:
    if not found:
        return Reason.NO_GOODS
    return Reason.APPLIED if all(one.goods for one in found) else Reason.CHOICE_OPEN


def _told(candidate: Candidate, reason: Reason, *, missing: int = 0) -> Explanation:
    return Explanation(
        offer=candidate.offer.id, reason=reason, missing_minor=missing, coupon=candidate.coupon
    )
