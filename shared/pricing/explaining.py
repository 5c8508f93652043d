"""Why each offer applied or not, and what one more purchase would unlock: codes and fields."""

from collections.abc import Sequence

from shared.pricing.effects import (
    Candidate,
    Missing,
    OfferLine,
    State,
    Taking,
    after,
    lacking,
    take,
)
from shared.pricing.gates import positions_in
from shared.pricing.quote import Explanation, Reason
from shared.pricing.search import Choice


def explain_candidates(
    candidates: Sequence[Candidate], lines: Sequence[OfferLine], choice: Choice
) -> list[Explanation]:
    """One or more explanations for every candidate, in their order."""
    told: list[Explanation] = []
    applied = {id(taking.candidate): taking for taking in choice.takings}
    for candidate in candidates:
        before = state_before(candidate, lines, choice)
        taking = applied.get(id(candidate))
        if taking is not None:
            told.append(_applied(candidate, taking))
            missing = lacking(candidate, lines, before)
            told += _unlock(candidate, missing) if _can_gain(candidate) else []
        else:
            found = take(candidate, lines, before)
            if found == Missing():
                found = take(candidate, lines, _start(lines))
            told.append(_not_applied(candidate, found, choice))
    return told


def _start(lines: Sequence[OfferLine]) -> State:
    nothing = (0,) * len(lines)
    return State(tuple(line.gross for line in lines), nothing, nothing)


def _can_gain(candidate: Candidate) -> bool:
    """Whether more purchases could make an applied offer give more (its cap is not known here)."""
    return not candidate.offer.at_most_minor


def state_before(candidate: Candidate, lines: Sequence[OfferLine], choice: Choice) -> State:
    """What the offers that work before this one left."""
    state = _start(lines)
    place = (candidate.offer.works_in, candidate.offer.rank)
    for taking in choice.takings:
        offer = taking.candidate.offer
        if taking.candidate is candidate or (offer.works_in, offer.rank) > place:
            break
        state = after(state, [taking], "")
    return state


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


def _not_applied(candidate: Candidate, found: Taking | Missing, choice: Choice) -> Explanation:
    if isinstance(found, Missing):
        if unlock := _unlock(candidate, found):
            return unlock[0]
        return Explanation(
            offer=candidate.offer.id, reason=Reason.NO_GOODS, coupon=candidate.coupon
        )
    return Explanation(
        offer=candidate.offer.id,
        reason=Reason.BETTER_WITHOUT,
        instead=_rival(candidate, choice),
        coupon=candidate.coupon,
    )


def _rival(candidate: Candidate, choice: Choice) -> str:
    """The applied offer that stands in the way: of the same group, else on the same goods."""
    own = set(candidate.lines)
    spends = bool(positions_in(candidate.gate))
    for taking in choice.takings:
        other = taking.candidate
        if candidate.group and other.group == candidate.group:
            return other.offer.id
    for taking in choice.takings:
        if spends or not own.isdisjoint(taking.amounts):
            return taking.candidate.offer.id
    return ""
