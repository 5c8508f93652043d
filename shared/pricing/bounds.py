"""No more than this: what an offer can take off at most, whatever works before it.

Earlier offers only lower amounts and use up units, so an offer of money gives most on the untouched
basket. Offers on sets may meet dearer units where others used the cheap ones; they are bounded by
their dearest units.
"""

from collections.abc import Sequence

from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    FixedPrice,
    FreeUnits,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    RoundDown,
    SetPrice,
)
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE
from shared.pricing.effects import Candidate, OfferLine, Standing, amount_off, most_off_net
from shared.pricing.moves import Move
from shared.pricing.multi_buy import scale_of


def most_off(move: Move, lines: Sequence[OfferLine], start: Standing) -> int:
    """In minor units."""
    return sum(_most_of(member, lines, start) for member in move.members)


def _most_of(candidate: Candidate, lines: Sequence[OfferLine], start: Standing) -> int:
    effect = candidate.offer.effect
    whole = sum(start.remaining[index] for index in candidate.lines)
    match effect:
        case Bundle():
            most = _of_bundle(effect, candidate, lines, start)
        case FreeUnits(units=units):
            most = _of_units(units, effect.basis_points_off, candidate, lines, start)
        case NthItem(sets_limit=limit) if limit:
            units = limit * effect.cheaper
            most = _of_units(units, effect.basis_points_off, candidate, lines, start)
        case SetPrice(sets_limit=limit) if limit:
            shelf = _Prices(candidate.lines, lines, start)
            most = limit * max(0, shelf.dearest(effect.units) - effect.price_minor)
        case RoundDown(step_minor=step):
            most = step - 1
        case Ladder() | PercentLadder() | FixedPrice() | PercentOff() | AmountOff() if (
            candidate.nets
        ):
            # Rounded class by class on the way to net and back.
            most = most_off_net(effect, candidate, lines, start) + 2 * len(candidate.lines)
        case _:
            rounded_apart = len(candidate.lines) if isinstance(effect, NthItem) else 0
            most = amount_off(candidate, lines, start) + rounded_apart
    cap = 0 if candidate.nets else candidate.offer.at_most_minor
    return min(most, cap or most, whole)


def _of_units(
    units: int,
    basis_points: int,
    candidate: Candidate,
    lines: Sequence[OfferLine],
    start: Standing,
) -> int:
    worth = _Prices(candidate.lines, lines, start).dearest(units)
    # Rounding on each line may give half a minor unit more.
    return divide_rounded(worth * basis_points, WHOLE, Rounding.UP) + len(candidate.lines)


def _of_bundle(
    effect: Bundle, candidate: Candidate, lines: Sequence[OfferLine], start: Standing
) -> int:
    sets = effect.sets_limit or sum(lines[index].units for index in candidate.lines)
    worth = 0
    for part, positions in zip(effect.parts, candidate.parts, strict=True):
        sets = min(sets, sum(lines[index].units for index in positions) // part.units)
        worth += _Prices(positions, lines, start).dearest(part.units)
    if effect.basis_points_off:
        gain = divide_rounded(worth * effect.basis_points_off, WHOLE, Rounding.UP)
    else:
        gain = effect.off_minor or max(0, worth - effect.price_minor)
    return sets * gain + 1 if sets else 0


class _Prices:
    """What units cost before any offer."""

    def __init__(
        self, positions: Sequence[int], lines: Sequence[OfferLine], start: Standing
    ) -> None:
        self._scale = scale_of(lines, positions)
        self._falling = sorted(
            (
                (start.remaining[index] * (self._scale // lines[index].units), lines[index].units)
                for index in positions
                if lines[index].units
            ),
            reverse=True,
        )

    def dearest(self, units: int) -> int:
        """What so many of the dearest units cost, in minor units rounded up."""
        worth = 0
        for price, count in self._falling:
            worth += price * min(units, count)
            units -= min(units, count)
        return divide_rounded(worth, self._scale, Rounding.UP)
