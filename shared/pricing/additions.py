"""What offers give on top at 0: it changes no price, and applies whenever its conditions hold."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.loyalty.effects import FurtherUnits, Gift, IssueCoupon
from shared.loyalty.offers import GroupMode
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
    short: set[str] = field(default_factory=set)
    """Offers that the points left are too few for."""

    @property
    def points(self) -> int:
        """What it costs."""
        return sum(one.points for one in self.added) + sum(one.points for one in self.issued)


@dataclass(frozen=True, slots=True)
class _Given:
    """What one candidate would give, as far as its group lets it."""

    candidate: Candidate
    told: Explanation
    added: Sequence[AddedUnits] = ()
    issued: Sequence[IssuedCoupons] = ()


def additions_of(
    candidates: Sequence[Candidate],
    course: Course,
    basket: Basket,
    *,
    points: int,
    personal: Collection[str] = (),
    refunded_minor: int = 0,
) -> Additions:
    """What offers give beside the price; of a closing group nothing beside one that applied.

    ``points`` are left for what costs some. ``personal`` coupons are issued to members only.
    ``refunded_minor`` of what is left was given back without goods.
    """
    chosen: dict[str, list[str]] = {}
    for offer, goods in sorted(basket.gifts):
        chosen.setdefault(offer, []).append(goods)
    given = [
        _given(one, course, chosen.setdefault(one.offer.id, []), refunded_minor)
        for one in candidates
    ]
    if basket.member is None:
        given = [_without_member(one, personal) for one in given]
    refused = _refused(given, course, points)
    found = Additions()
    for one in given:
        if told := refused.get(id(one.candidate)):
            if told.reason is Reason.POINTS_MISSING:
                found.short.add(told.offer)
            else:
                found.told.append(told)
            continue
        found.added += one.added
        found.issued += one.issued
        found.told.append(one.told)
    return found


def _without_member(given: _Given, personal: Collection[str]) -> _Given:
    """A coupon for one member alone would be nobody's, or anybody's."""
    if not any(one.coupon in personal for one in given.issued):
        return given
    return _Given(given.candidate, _told(given.candidate, Reason.MEMBER_NEEDED))


def _refused(given: Sequence[_Given], course: Course, points: int) -> dict[int, Explanation]:
    """What could be given and is not, by the id of the candidate.

    What lowers the price goes first in a closing group, and takes its points first. Among what is
    given on top the higher priority decides, then the lower id: what articles are worth that nobody
    buys is not known here.
    """
    first: dict[str, Candidate] = {}
    for taking in course.takings:
        if taking.candidate.mode is GroupMode.ONE:
            first.setdefault(taking.candidate.group, taking.candidate)
    refused: dict[int, Explanation] = {}
    giving = [one.candidate for one in given if one.added or one.issued]
    for candidate in sorted(giving, key=lambda one: (-one.offer.priority, one.key)):
        cost = candidate.offer.costs_points
        if rival := first.get(candidate.group):
            told = _told(candidate, Reason.BETTER_WITHOUT, instead=rival.offer.id)
            refused[id(candidate)] = told
        elif cost > max(points, 0):
            refused[id(candidate)] = _told(candidate, Reason.POINTS_MISSING)
        else:
            points -= cost
            if candidate.mode is GroupMode.ONE:
                first[candidate.group] = candidate
    return refused


def _given(candidate: Candidate, course: Course, chosen: list[str], refunded_minor: int) -> _Given:
    """``chosen`` are the articles chosen of its offer; units of a mix that it gives are taken."""
    before = course.before(candidate)
    if refunded_minor:
        before = before.less(refunded_minor)
    missing = shortfall(candidate.gate, before.remaining)
    if missing is not None:
        reason = Reason.MISSING_SPEND if missing else Reason.EXCLUDED
        return _Given(candidate, _told(candidate, reason, missing=missing))
    if isinstance(candidate.offer.effect, IssueCoupon):
        issued = _issued(candidate.offer.effect, candidate, before)
        reason = Reason.APPLIED if issued else Reason.NO_GOODS
        return _Given(candidate, _told(candidate, reason), issued=issued)
    added = _added(candidate, course.lines, before, chosen)
    return _Given(candidate, _told(candidate, _reason(added)), added=added)


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
    candidate: Candidate, lines: Sequence[OfferLine], state: State, chosen: list[str]
) -> list[AddedUnits]:
    offer, effect = candidate.offer, candidate.offer.effect
    if isinstance(effect, Gift):
        choices = effect.choices
        given = _mixed(effect, chosen) if effect.mixed else {_chosen(choices, chosen): effect.units}
    else:
        assert isinstance(effect, FurtherUnits)
        paid = _paid(candidate, lines, state)
        choices = tuple(sorted(paid)) if effect.together else ()
        if effect.together:
            paid = {_chosen(choices, chosen): sum(paid.values())}
        given = {sku: units * effect.units // effect.per_units for sku, units in paid.items()}
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


def _chosen(choices: Sequence[str], wanted: Sequence[str]) -> str:
    """Which article it is; none while the choice is open."""
    if wanted and wanted[-1] in choices:
        return wanted[-1]
    return choices[0] if len(choices) == 1 else ""


def _mixed(effect: Gift, chosen: list[str]) -> dict[str, int]:
    """Units by article as they were chosen one by one; those of no article are open."""
    mix = [goods for goods in chosen if goods in effect.choices][: effect.units]
    for goods in mix:
        chosen.remove(goods)
    given = Counter(mix)
    given[_chosen(effect.choices, ())] += effect.units - len(mix)
    return dict(given)


def _paid(candidate: Candidate, lines: Sequence[OfferLine], state: State) -> dict[str, int]:
    """Units that the customer pays for and that nothing has used, by article."""
    paid: dict[str, int] = {}
    for index in candidate.lines:
        line = lines[index]
        used = 0 if candidate.offer.reuses_units else state.used[index]
        if line.units > used:
            paid[line.sku] = paid.get(line.sku, 0) + line.units - used
    return paid


def _reason(found: Sequence[AddedUnits]) -> Reason:
    if not found:
        return Reason.NO_GOODS
    return Reason.APPLIED if all(one.goods for one in found) else Reason.CHOICE_OPEN


def _told(
    candidate: Candidate, reason: Reason, *, missing: int = 0, instead: str = ""
) -> Explanation:
    return Explanation(
        offer=candidate.offer.id,
        reason=reason,
        missing_minor=missing,
        coupon=candidate.coupon,
        instead=instead,
    )
