"""States on the way to the best price, and which of two ways there is better."""

from bisect import insort
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from shared.pricing.effects import Taking, take_off
from shared.pricing.moves import Move


class Node(Struct, eq=False, gc=False):
    """A state of a part's lines and the way to it, in the part's own numbering; never changed.

    ``picks`` are the nodes of the parts below, ``steps`` the moves taken on top of them by bucket
    and number.
    """

    remaining: tuple[int, ...]
    used: tuple[int, ...]
    multi: tuple[int, ...]
    closed: frozenset[str]
    left: int
    ranking: tuple[tuple[int, ...], tuple[str, ...]]
    picks: tuple["Node", ...] = ()
    steps: tuple[tuple[int, int, tuple[Taking, ...]], ...] = ()

    @property
    def rating(self) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
        """Lower is better among equal amounts: fewer offers, higher priority, lower ids."""
        return len(self.ranking[1]), *self.ranking


@dataclass(frozen=True, slots=True)
class Solved:
    """What may still lead to the lowest price after a part, the cheapest first."""

    nodes: tuple[Node, ...]
    attempts: int
    is_proved: bool


def stepped(node: Node, move: Move, number: tuple[int, int], takings: Sequence[Taking]) -> Node:
    """The node that a move leads to."""
    remaining, used, multi = list(node.remaining), list(node.used), list(node.multi)
    priorities, keys = list(node.ranking[0]), list(node.ranking[1])
    for taking in takings:
        insort(priorities, -taking.candidate.offer.priority)
        insort(keys, taking.candidate.key)
        take_off(taking, remaining, used, multi)
    return Node(
        tuple(remaining),
        tuple(used) if takings[0].units else node.used,
        tuple(multi) if takings[0].units else node.multi,
        node.closed | {move.closes} if move.closes else node.closed,
        sum(remaining),
        (tuple(priorities), tuple(keys)),
        node.picks,
        (*node.steps, (*number, tuple(takings))),
    )


def is_better(some: Sequence[Node], others: Sequence[Node]) -> bool:
    """Whether some nodes together have a better rating than others."""
    count, other = (sum(len(node.ranking[1]) for node in nodes) for nodes in (some, others))
    return count < other or (count == other and ranked(some) < ranked(others))


def ranked(nodes: Sequence[Node]) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    """The rating of several nodes together."""
    priorities = sorted(one for node in nodes for one in node.ranking[0])
    keys = sorted(one for node in nodes for one in node.ranking[1])
    return len(keys), tuple(priorities), tuple(keys)


def added(one: Hashable, other: Hashable) -> Hashable:
    """The sums that two pooled states have together."""
    assert isinstance(other, tuple)
    if one == 0:
        return other
    assert isinstance(one, tuple)
    return one[0] + other[0], one[1] + other[1], one[2] | other[2]


def keep(found: dict[Hashable, Node], key: Hashable, node: Node) -> None:
    known = found.get(key)
    if known is None or node.rating < known.rating:
        found[key] = node


def keep_masked(
    found: dict[Hashable, tuple[int, Node]], key: Hashable, mask: int, node: Node
) -> None:
    known = found.get(key)
    if known is None or node.rating < known[1].rating:
        found[key] = mask, node
