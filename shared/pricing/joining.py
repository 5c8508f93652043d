"""Which sums of several parts can be reached, and which of them are worth a look.

Where all that follows depends on one sum alone, the parts' states are numbers to be added up.
"""

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Reach:
    """Which sums of the parts' nodes lead to one that is worth a look.

    Sums are bits of a number: how much more they are than the cheapest.
    """

    beyond: tuple[int, ...]
    """What the parts from each on can add."""
    wanted: int | None

    @staticmethod
    def of(below: Sequence[Solved], worth: "Worth | None") -> "Reach":
        """Everything is worth a look where nothing is known."""
        if worth is None:
            return Reach((), None)
        most = (1 << worth.ranges[-1].stop) - 1
        beyond = [1]
        for one in reversed(below):
            sums = 0
            for more in {node.left - one.nodes[0].left for node in one.nodes}:
                sums |= beyond[-1] << more
            beyond.append(sums & most)
        return Reach(tuple(reversed(beyond)), worth.wanted(beyond[-1]))

    def leads(self, part: int, more: int) -> bool:
        """Whether so much more than the cheapest, up to and with a part, can lead to such a sum."""
        return self.wanted is None or bool(self.beyond[part + 1] << more & self.wanted)
