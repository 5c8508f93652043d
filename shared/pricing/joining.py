"""Which sums of several parts can be reached, and which of them are worth a look.

Where all that follows depends on one sum alone, the parts' states are numbers to be added up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.pricing.moves import Move
from shared.pricing.nodes import Solved
from shared.pricing.trends import off_at


@dataclass(frozen=True, slots=True)
class Worth:
    """How much more than the cheapest a sum may be and still be the best to go on from.

    In each of ``ranges`` no move of the next bucket jumps, so that a higher sum only costs more:
    the lowest that can be reached is worth a look, and those ``near`` to it, which rounding and
    what follows may bring below it. What the bucket's ``moves`` leave of it decides between ranges,
    up to ``near_after``.
    """

    ranges: Sequence[range]
    near: int
    moves: Sequence[Move]
    cheapest: int
    near_after: int

    def wanted(self, reached: int) -> int:
        """Of the sums that can be reached, as bits, those that are worth a look."""
        found: list[tuple[int, int]] = []
        for one in self.ranges:
            within = reached & (1 << one.stop) - (1 << one.start)
            if within:
                lowest = (within & -within).bit_length() - 1
                amount = self.cheapest + lowest
                left = amount - max(off_at(move, amount) for move in self.moves)
                found.append((left, within & (1 << min(one.stop, lowest + self.near + 1)) - 1))
        best = min(left for left, _ in found)
        sums = 0
        for left, near in found:
            if left <= best + self.near_after:
                sums |= near
        return sums


def needed_sums(below: Sequence[Solved], worth: Worth) -> list[int | None]:
    """For each part, the sums up to and with it that can lead to one that is worth a look.

    Sums are bits of a number: how much more they are than the cheapest.
    """
    most = (1 << worth.ranges[-1].stop) - 1
    reached = 1
    for one in below:
        reached = _higher(reached, one.by_more) & most
    leading = worth.wanted(reached)
    needed: list[int | None] = [leading]
    for one in reversed(below[1:]):
        leading = _lower(leading, one.by_more)
        needed.append(leading)
    return needed[::-1]


class Ways:
    """How much more than a part's cheapest node its nodes are, the least first.

    ``needed`` are the sums, as bits, that are worth a look with this part; None where all are.
    """

    def __init__(self, steps: Iterable[int], needed: int | None) -> None:
        self._steps = steps
        self._needed = needed
        self._bits = 0 if needed is None else _higher(1, steps)

    def on_top_of(self, reached: int) -> Iterable[int]:
        """Those that lead on from a sum."""
        if self._needed is None:
            return self._steps
        return _sums_in(self._needed >> reached & self._bits)


def _sums_in(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _higher(sums: int, steps: Iterable[int]) -> int:
    found = 0
    for step in steps:
        found |= sums << step
    return found


def _lower(sums: int, steps: Iterable[int]) -> int:
    found = 0
    for step in steps:
        found |= sums >> step
    return found
