"""Which sums of several parts can be reached, and which of them are worth a look.

Where all that follows depends on one sum alone, the parts' states are numbers to be added up.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.pricing.moves import Move
from shared.pricing.nodes import Node, Solved
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
    steps = [{node.left - one.nodes[0].left for node in one.nodes} for one in below]
    reached = 1
    for more in steps:
        reached = _either(reached << one for one in more) & most
    needed = [worth.wanted(reached)]
    for more in reversed(steps[1:]):
        needed.append(_either(needed[-1] >> one for one in more))
    return needed[::-1]


class Ways:
    """The nodes of a part by how much more than the cheapest they are, the cheapest first.

    ``needed`` are the sums, as bits, that are worth a look with this part; None where all are.
    """

    def __init__(self, part: Solved, needed: int | None) -> None:
        self.by_more: dict[int, list[Node]] = {}
        for node in part.nodes:
            self.by_more.setdefault(node.left - part.nodes[0].left, []).append(node)
        self._needed = needed
        self._steps = 0 if needed is None else _either(1 << more for more in self.by_more)

    def on_top_of(self, reached: int) -> Iterable[int]:
        """How much more the nodes are that lead on from a sum, the least first."""
        if self._needed is None:
            return self.by_more
        return _bits_of(self._needed >> reached & self._steps)


def _bits_of(sums: int) -> Iterator[int]:
    while sums:
        lowest = sums & -sums
        yield lowest.bit_length() - 1
        sums ^= lowest


def _either(sums: Iterable[int]) -> int:
    found = 0
    for one in sums:
        found |= one
    return found
