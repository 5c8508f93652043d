"""Why each offer applied or not, and what one more purchase would unlock: codes and fields."""

from bisect import bisect_right
from collections.abc import Sequence

from shared.pricing.effects import (
    Candidate,
    Missing,
    OfferLine,
    State,
    Taking,
    after,
    lacking,
    obstacle,
)
from shared.pricing.gates import positions_in
from shared.pricing.quote import Explanation, Reason
from shared.pricing.search import Choice


class Course:
    """The states that a choice passes through, to ask what an offer had before it."""

    def __init__(self, lines: Sequence[OfferLine], choice: Choice) -> None:
        self.lines = lines
        self.takings = choice.takings
        self._states = [State.untouched(lines)]
        for taking in choice.takings:
            self._states.append(after(self._states[-1], taking))
        self._places = [taking.candidate.place for taking in choice.takings]
        self._applied = {id(t.candidate): number for number, t in enumerate(choice.takings)}

    @property
    def start(self) -> State:
        """Before any offer."""
        return self._states[0]

    @property
    def end(self) -> State:
        """After all offers."""
        return self._states[-1]

    def taking_of(self, candidate: Candidate) -> Taking | None:
        """What an offer took off; None where it did not apply."""
        number = self._applied.get(id(candidate))
        return None if number is None else self.takings[number]

    def before(self, candidate: Candidate) -> State:
        """What the offers that work before this one left."""
        number = self._applied.get(id(candidate))
        if number is None:
            number = bisect_right(self._places, candidate.place)
        return self._states[number]


def explain_candidates(candidates: Sequence[Candidate], course: Course) -> list[Explanation]:
    """One or more explanations for every candidate, in their order."""
    told: list[Explanation] = []
    for candidate in candidates:
        before = course.before(candidate)
        taking = course.taking_of(candidate)
        if taking is not None:
            told.append(_applied(candidate, taking))
            missing = lacking(candidate, course.lines, before)
            told += _unlock(candidate, missing) if _can_gain(candidate) else []
        else:
            missed = obstacle(candidate, course.lines, before)
            if missed == Missing():
                missed = obstacle(candidate, course.lines, course.start)
            told.append(_not_applied(candidate, missed, course.takings))
    return told


def _can_gain(candidate: Candidate) -> bool:
    """Whether more purchases could make an applied offer give more (its cap is not known here)."""
    return not candidate.offer.at_most_minor


def _applied(candidate: Candidate, taking: Taking) -> Explanation:
    return Explanation(
        offer=candidate.offer.id,
        reason=Reason.APPLIED,
        amount_minor=taking.total,
        coupon=candidate.coupon,
    )


def _unlock(candidate: Candidate, missing: Missing) -> list[Explanation]:
    if not (missing.spend or missing.units):
        return []
    return [
        Explanation(
            offer=candidate.offer.id,
            reason=Reason.MISSING_SPEND if missing.spend else Reason.MISSING_UNITS,
            missing_minor=missing.spend,
            missing_units=missing.units,
            gain_minor=missing.gain,
            coupon=candidate.coupon,
        )
    ]


def _not_applied(
    candidate: Candidate, missed: Missing | None, takings: Sequence[Taking]
) -> Explanation:
    if missed is not None:
        if unlock := _unlock(candidate, missed):
            return unlock[0]
        return Explanation(
            offer=candidate.offer.id, reason=Reason.NO_GOODS, coupon=candidate.coupon
        )
    return Explanation(
        offer=candidate.offer.id,
        reason=Reason.BETTER_WITHOUT,
        instead=_rival(candidate, takings),
        coupon=candidate.coupon,
    )


def _rival(candidate: Candidate, takings: Sequence[Taking]) -> str:
    """The applied offer that stands in the way: of the same group, else on the same goods."""
    own = set(candidate.lines)
    spends = bool(positions_in(candidate.gate))
    for taking in takings:
        other = taking.candidate
        if candidate.group and other.group == candidate.group:
            return other.offer.id
    for taking in takings:
        if spends or not own.isdisjoint(taking.amounts):
            return taking.candidate.offer.id
    return ""
