"""Ratings as numbers: which of many equally cheap ways is better, by adding up."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from shared.pricing.nodes import Node, Solved

Thing = TypeVar("Thing", int, str)


class Picks(Struct, eq=False, gc=False):
    """One node of each of several parts, the last one on top of those ``before`` it."""

    left: int
    """What is left of all lines with these nodes, and with the cheapest ones of further parts."""
    before: "Picks | None" = None
    last: Node | None = None
    rank: int | None = None
    """Reckoned when there is another way to the same."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """In the order of the parts."""
        nodes: list[Node] = []
        picks = self
        while picks.before is not None and picks.last is not None:
            nodes.append(picks.last)
            picks = picks.before
        return tuple(reversed(nodes))


class Ranking:
    """Compares ways that take one node of each of several parts: the lower number is better.

    Ratings are compared as sorted lists, and of two such lists of one length the lower is the one
    that has more of the lowest thing of which they do not have equally many. So each thing is a
    digit of a number, the lowest things in front, and the numbers of the parts add up. They are
    made when the first two ways turn out to be equally cheap, which often none do.
    """

    def __init__(self, parts: Sequence[Solved]) -> None:
        self._parts = parts
        self._numbers: dict[int, int] = {}

    def of(self, picks: Picks) -> int:
        """The number of a way."""
        if picks.rank is None:
            rank = 0
            if picks.before is not None and picks.last is not None:
                rank = self.of(picks.before) + self._number(picks.last)
            picks.rank = rank
        return picks.rank

    def is_better(self, before: Picks, last: Node, other: Picks) -> bool:
        """Whether a way with a last node has a better rating than another one to the same."""
        return self.of(before) + self._number(last) < self.of(other)

    def _number(self, node: Node) -> int:
        numbers = self._numbers or self._made()
        return numbers[id(node)]

    def _made(self) -> dict[int, int]:
        nodes = [node for part in self._parts for node in part.nodes]
        # No digit overflows: no way takes more offers than the longest ways of all parts together.
        base = 1 + sum(max(node.rating[1] for node in part.nodes) for part in self._parts)
        by_priority = _digits({one for node in nodes for one in node.rating[2]}, base)
        by_key = _digits({key for node in nodes for key in node.rating[3]}, base)
        whole_priorities, whole_keys = base ** len(by_priority), base ** len(by_key)
        for node in nodes:
            points, offers, priorities, keys = node.rating
            number = (points * base + offers) * whole_priorities
            number -= sum([by_priority[one] for one in priorities])
            self._numbers[id(node)] = number * whole_keys - sum([by_key[key] for key in keys])
        return self._numbers


def _digits(things: Iterable[Thing], base: int) -> dict[Thing, int]:
    """What one of each is worth."""
    return {thing: base**place for place, thing in enumerate(sorted(things, reverse=True))}
