"""How what an offer takes off grows with what is left: a rate, and how far it may lag behind it.

Where one state is dearer than another by some amount, the offer takes off no more on it than on the
other, plus ``rate`` times that amount, plus ``lag``. A percentage has its rate and no lag. A ladder
满100减20 that repeats has a rate of a fifth, and lags by 20.00 just below a step. What jumps for
other reasons has no rate, and lags by all that it may take off.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from shared.loyalty.effects import AmountOff, Effect, Ladder, PercentLadder, PercentOff
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE
from shared.pricing.effects import Candidate, ladder_off, percent_of
from shared.pricing.gates import OPEN, Every, Threshold
from shared.pricing.moves import Move

BILLION: Final = 10**9
BASIS_POINT: Final = BILLION // WHOLE


@dataclass(frozen=True, slots=True)
class Trend:
    """``rate`` in billionths, ``lag`` in minor units.

    ``is_linear`` where it does the same to every line whatever the others are, as a percentage.
    """

    rate: int
    lag: int
    is_linear: bool = False


def trend_of(move: Move, most: int) -> Trend:
    """The trend of a move that takes off no more than ``most``.

    What lies below the move's floor is never met: a step down there is always reached.
    """
    jump = Trend(0, most)
    least = least_of(move)
    if least is None or move.members[0].offer.at_most_minor:
        return jump
    if least <= move.floor:
        least = 0
    match move.members[0].offer.effect:
        case PercentOff(spares_multi_buy=False, basis_points_off=points):
            rate = points * BASIS_POINT
            found = Trend(rate, _share(rate, least), is_linear=least == 0)
        case PercentLadder() as percents:
            found = _of_percents(percents, least, move.floor)
        case Ladder() as ladder:
            bounded = jump if least else Trend(0, most - ladder_off(ladder, move.floor))
            found = _of_ladder(ladder, least) or bounded
        case AmountOff(each_unit=False) if least == 0 and move.floor:
            found = Trend(0, 0)
        case _:
            found = jump
    return min(found, jump, key=lambda trend: trend.lag)


def always_takes_the_same(move: Move) -> bool:
    """Whether it takes off one amount whatever works beside it."""
    trend = trend_of(move, move.most)
    return not (trend.rate or trend.lag or move.closes)


def _of_percents(ladder: PercentLadder, least: int, floor: int) -> Trend:
    """The highest percentage, which is missed by most just below each step above the floor."""
    highest = max(step.basis_points_off for step in ladder.steps)
    above = [step.threshold_minor for step in ladder.steps if step.threshold_minor > floor]
    lags = [_share((highest - percent_of(ladder, one - 1)) * BASIS_POINT, one) for one in above]
    rate = highest * BASIS_POINT
    lag = max(_share(rate, least), *lags, 0)
    return Trend(rate, lag, is_linear=lag == 0)


def _of_ladder(ladder: Ladder, least: int) -> Trend | None:
    """A ladder that repeats follows its rate for ever, if its top step is as good as any."""
    steps, top = ladder.steps, ladder.steps[-1]
    rate = max(-(-step.off_minor * BILLION // step.threshold_minor) for step in steps)
    is_endless = ladder.repeats and not ladder.repeat_limit
    if not is_endless or top.off_minor * BILLION != rate * top.threshold_minor:
        return None
    lags = [_share(rate, steps[0].threshold_minor), _share(rate, least)]
    lags += [
        _share(rate, later.threshold_minor) - step.off_minor for step, later in pairwise(steps)
    ]
    return Trend(rate, max(lags))


def least_of(move: Move) -> int | None:
    """How much of its own lines has to be left for it; None where it asks for something else."""
    if len(move.members) != 1 or move.members[0].nets:
        return None
    (member,) = move.members
    match member.gate:
        case gate if gate == OPEN:
            return 0
        case Every(gates=(Threshold(minimum=minimum, nets=()) as threshold,)):
            return minimum if _is_own(threshold, member) else None
        case _:
            return None


def _is_own(threshold: Threshold, member: Candidate) -> bool:
    return frozenset(threshold.positions) == frozenset(member.lines)


def rate_between_jumps(move: Move) -> int | None:
    """How much more a move takes off for every minor unit more, in billionths, where none jumps.

    None where that is not known.
    """
    if least_of(move) is None:
        return None
    match move.members[0].offer.effect:
        case PercentOff(spares_multi_buy=False, basis_points_off=points):
            return points * BASIS_POINT
        case PercentLadder(steps=steps):
            return max(step.basis_points_off for step in steps) * BASIS_POINT
        case Ladder() | AmountOff(each_unit=False):
            return 0 if move.floor or isinstance(_effect(move), Ladder) else None
        case _:
            return None


def off_at(move: Move, amount: int) -> int:
    """What a move with a known rate takes off so much."""
    least = least_of(move) or 0
    effect = _effect(move)
    match effect:
        case _ if amount < least:
            off = 0
        case PercentOff(basis_points_off=points):
            off = divide_rounded(amount * points, WHOLE)
        case PercentLadder():
            off = divide_rounded(amount * percent_of(effect, amount), WHOLE)
        case Ladder():
            off = ladder_off(effect, amount)
        case AmountOff(off_minor=most):
            off = min(amount, most)
        case _:
            raise AssertionError(effect)
    return min(off, move.members[0].offer.at_most_minor or off)


def jumps_of(move: Move, lowest: int, highest: int) -> Iterator[int]:
    """The sums of its lines, above one and up to another, at which such a move jumps."""
    least = least_of(move)
    sums = [] if not least else [least]
    match _effect(move):
        case PercentLadder(steps=steps):
            sums += [step.threshold_minor for step in steps]
        case Ladder(steps=steps):
            top = steps[-1].threshold_minor
            whole = range(lowest // top, highest // top + 1)
            sums += [times * top + step.threshold_minor for times in whole for step in steps]
        case _:
            pass
    yield from (one for one in sums if lowest < one <= highest)


def _effect(move: Move) -> Effect:
    return move.members[0].offer.effect


def _share(rate: int, amount: int) -> int:
    return divide_rounded(rate * amount, BILLION, Rounding.UP)
