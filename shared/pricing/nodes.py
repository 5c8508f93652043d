"""States on the way to the best price, and which of two ways there is better."""

from collections.abc import Hashable, Sequence

from msgspec import Struct

from shared.pricing.effects import Candidate, Standing, Taking, take_off
from shared.pricing.moves import Move

Rating = tuple[int, int, tuple[int, ...], tuple[str, ...]]
"""Points of rewards, number of offers, their priorities negated and their ids; lower is better."""


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
    picks: tuple["Node", ...] = ()
    steps: tuple[tuple[int, int, tuple[Taking, ...]], ...] = ()
    _rating: Rating | None = None
    way: "Way | None" = None
    """Reckoned where it is taken, and then known to every basket with the same part."""

    @property
    def rating(self) -> Rating:
        """Among equal amounts: fewer points, fewer offers, higher priority, lower ids.

        Reckoned when two ways are equally cheap, which few are.
        """
        if self._rating is None:
            self._rating = _together([self.on_top, *[one.rating for one in self.picks]])
        return self._rating

    def is_better_than(self, other: "Node") -> bool:
        """Whether its rating is lower.

        What both have below them does not matter: what two sorted lists of one length have in
        common does not change which of them comes first.
        """
        if self.picks is other.picks:
            return self.on_top < other.on_top
        return self.rating < other.rating

    @property
    def on_top(self) -> Rating:
        """The rating of what its own steps take."""
        return rating_of([taking.candidate for step in self.steps for taking in step[2]])


class Way(Struct, frozen=True, gc=False):
    """What is taken on the way to a node, its parts below included, in the part's own numbering."""

    taken: tuple[tuple[int, int, Taking], ...]
    """By the number of the move, and which of its members it is."""
    end: Standing | None = None
    """Where it leads, if that is not the node itself: nodes must not refer to themselves, for they
    are freed by counting who refers to them."""


def rating_of(used: Sequence[Candidate]) -> Rating:
    """Of a way that uses these offers."""
    points = sum([one.offer.costs_points for one in used])
    priorities = tuple(sorted([-one.offer.priority for one in used]))
    return points, len(used), priorities, tuple(sorted([one.key for one in used]))


def _together(ratings: Sequence[Rating]) -> Rating:
    points = 0
    priorities: list[int] = []
    keys: list[str] = []
    for own_points, _, own_priorities, own_keys in ratings:
        points += own_points
        priorities += own_priorities
        keys += own_keys
    return points, len(keys), tuple(sorted(priorities)), tuple(sorted(keys))


class Solved(Struct, eq=False):
    """What may still lead to the lowest price after a part, the cheapest first; never changed."""

    nodes: tuple[Node, ...]
    attempts: int
    is_proved: bool
    _by_more: dict[int, list[Node]] | None = None

    @property
    def by_more(self) -> dict[int, list[Node]]:
        """Nodes by how much more than the cheapest is left, the least first; reckoned once."""
        if self._by_more is None:
            self._by_more = {}
            for node in self.nodes:
                self._by_more.setdefault(node.left - self.nodes[0].left, []).append(node)
        return self._by_more


def stepped(node: Node, move: Move, number: tuple[int, int], takings: Sequence[Taking]) -> Node:
    """The node that a move leads to."""
    remaining, used, multi = list(node.remaining), list(node.used), list(node.multi)
    for taking in takings:
        take_off(taking, remaining, used, multi)
    return Node(
        tuple(remaining),
        tuple(used) if takings[0].units else node.used,
        tuple(multi) if takings[0].units else node.multi,
        node.closed | {move.closes} if move.closes else node.closed,
        sum(remaining),
        node.picks,
        (*node.steps, (*number, tuple(takings))),
    )


def added(one: Hashable, other: Hashable) -> Hashable:
    """The sums that two pooled states have together."""
    assert isinstance(other, tuple)
    if one == 0:
        return other
    assert isinstance(one, tuple)
    return one[0] + other[0], one[1] + other[1], one[2] | other[2]


def keep(found: dict[Hashable, Node], key: Hashable, node: Node) -> None:
    known = found.get(key)
    if known is None or node.is_better_than(known):
        found[key] = node


def keep_masked(
    found: dict[Hashable, tuple[int, Node]], key: Hashable, mask: int, node: Node
) -> None:
    known = found.get(key)
    if known is None or node.is_better_than(known[1]):
        found[key] = mask, node
