"""The best-price search: which lawful combination of offers costs the customer least.

Offers that share no goods and no group are searched apart, and so are, below offers that join them,
the parts into which the phases before fall (``shared.pricing.components``). A part is solved once
for all sequels: it keeps every state that could still lead to the lowest price, which is the
cheapest one and those that are dearer by no more than what later offers can make of the difference
(``shared.pricing.outlook``). Inside a part every lawful subset is tried in every order and with
every number of sets; equal states are merged, and a state is dropped when all that is left to take
could not bring it down to the best one known. None of this loses the optimum.

Work is bounded: beyond ``ATTEMPTS_MAX`` attempts only the cheapest states are followed to their
end, and the answer says that it is not proved.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.pricing.bounds import most_off
from shared.pricing.components import Component, components_of
from shared.pricing.effects import Candidate, OfferLine, State, Taking
from shared.pricing.moves import SETS_TRIED_MAX, Move, moves_of
from shared.pricing.outlook import Prospect, Slot, View, prospect, slots, view

INTERACTING_OFFERS_EXACT: Final = 6
"""So many offers of one place that all interact are always searched exactly."""
ATTEMPTS_MAX: Final = 2_000
"""Six offers of one rank have 1,956 ordered non-empty subsets."""
JOINED_PER_ATTEMPT: Final = 4
"""So many states of parts are joined for the work of one attempt."""
STATES_BEYOND: Final = 4
"""How many states are followed to their end once the attempts are used up."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The takings in the order in which they work, and whether no better choice exists."""

    takings: tuple[Taking, ...]
    is_proved: bool


@dataclass(frozen=True, slots=True)
class Node:
    """A state of a part's lines and the way to it, in the part's own numbering.

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


@dataclass(slots=True)
class SearchMemory:
    """Parts that were solved before: it saves time and changes nothing.

    It holds for one programme; ``size`` parts are kept, the oldest make way.
    """

    size: int = 2_000
    _solved: dict[Hashable, Solved] = field(default_factory=dict)

    def recall(self, likeness: Hashable, attempts_left: int) -> Solved | None:
        """A part's solution, if so many attempts would have been enough to find it."""
        known = self._solved.get(likeness)
        return known if known and known.attempts <= attempts_left else None

    def keep(self, likeness: Hashable, solved: Solved) -> None:
        """Remember a proved solution."""
        if solved.is_proved:
            if len(self._solved) >= self.size:
                del self._solved[next(iter(self._solved))]
            self._solved[likeness] = solved


def best_choice(
    candidates: Sequence[Candidate],
    lines: Sequence[OfferLine],
    memory: SearchMemory | None = None,
) -> Choice:
    """The combination with the least to pay.

    Ties: fewer offers, then higher priority, then lower ids.
    """
    nothing = (0,) * len(lines)
    start = State(tuple(line.gross for line in lines), nothing, nothing)
    moves = moves_of(candidates)
    search = _Search({move: most_off(move, lines, start) for move in moves}, memory)
    takings: list[Taking] = []
    is_proved = True
    for part in components_of(moves, lines):
        solved = search.solve(part, ())
        is_proved &= solved.is_proved
        takings += _takings(part, solved.nodes[0])
    takings.sort(key=lambda taking: (taking.candidate.offer.works_in, taking.candidate.offer.rank))
    return Choice(tuple(takings), is_proved)


def _takings(part: Component, node: Node) -> Iterator[Taking]:
    """The way to a node in the basket's numbering."""
    for child, pick in zip(part.children, node.picks, strict=True):
        yield from _takings(child, pick)
    for bucket, number, takings in node.steps:
        origin = part.buckets[bucket][number].origin
        assert origin is not None
        for member, taking in zip(origin.members, takings, strict=True):
            yield Taking(
                candidate=member,
                amounts={part.positions[i]: amount for i, amount in taking.amounts.items()},
                units={part.positions[i]: units for i, units in taking.units.items()},
                sets=taking.sets,
            )


@dataclass(slots=True)
class _Search:
    """The search of one basket: what each move takes off at most, and the work that is left."""

    most: Mapping[Move, int]
    memory: SearchMemory | None
    attempts_left: int = ATTEMPTS_MAX

    def solve(self, part: Component, later: tuple[Move, ...]) -> Solved:
        """The states of a part that matter; ``later`` are all moves that work after it."""
        start = [line.gross for line in part.lines]
        ahead = prospect(part.positions, start, slots(later, self.most), self.most)
        seen = view(part.positions, later)
        likeness = (part.likeness(), seen, ahead) if self.memory is not None else None
        if self.memory is not None:
            known = self.memory.recall(likeness, self.attempts_left)
            if known is not None:
                self.attempts_left -= known.attempts
                return known
        solved = self._solve(part, later, ahead, seen)
        if self.memory is not None:
            self.memory.keep(likeness, solved)
        return solved

    def _solve(
        self, part: Component, later: tuple[Move, ...], ahead: Prospect, seen: View
    ) -> Solved:
        before = self.attempts_left
        own = tuple(_original(move) for move in part.moves)
        below: dict[int, Solved] = {}
        # Small parts first: a tangle must not use up what they need.
        for number in sorted(range(len(part.children)), key=lambda n: part.children[n].size):
            below[number] = self.solve(part.children[number], (*own, *later))
        solving = _Solving(part, later, ahead, seen, self.most, self.attempts_left)
        nodes = solving.run([below[number] for number in range(len(part.children))])
        self.attempts_left = solving.attempts_left
        is_proved = solving.is_proved and all(one.is_proved for one in below.values())
        return Solved(nodes, before - self.attempts_left, is_proved)


@dataclass(slots=True)
class _Solving:
    """One part on the way from the nodes below it to its own."""

    part: Component
    later: tuple[Move, ...]
    ahead: Prospect
    finished: View
    most: Mapping[Move, int]
    attempts_left: int
    is_proved: bool = True
    known: int | None = None
    """The least that is left in a finished state that closes nothing for later moves."""
    slack: int | None = None
    hopes: list[list[Slot]] = field(default_factory=list)
    """Of each bucket, the slots of its moves."""

    def run(self, below: Sequence[Solved]) -> tuple[Node, ...]:
        """The part's nodes that may still lead to the lowest price, the cheapest first."""
        part = self.part
        self.slack = self.ahead.slack
        self.hopes = [slots([_original(m) for m in bucket], self.most) for bucket in part.buckets]
        cheapest = self._joined([one.nodes[0] for one in below])
        in_turn = self._in_turn(cheapest, 0)
        self._note(in_turn)
        nodes: Iterable[Node] = self._join(below)
        for number in range(len(part.buckets)):
            nodes = self._expand(number, nodes)
        found = {self.finished.of(node): node for node in nodes}
        if not self.is_proved:
            _keep(found, self.finished.of(in_turn), in_turn)
        return self._worth_following(found.values())

    def _worth_following(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """Those that later moves may bring lower than the cheapest, the cheapest first.

        A state that closed a group for later moves is no measure.
        """
        ordered = sorted(nodes, key=lambda node: (node.left, node.rating))
        groups = self.finished.groups
        measure = next((node for node in ordered if node.closed.isdisjoint(groups)), None)
        if measure is None:
            return tuple(ordered)
        cheapest = measure.remaining
        return tuple(n for n in ordered if not self.ahead.is_beaten(n.remaining, cheapest))

    # What is known, and what is hoped for

    def _note(self, node: Node) -> None:
        is_open = node.closed.isdisjoint(self.finished.groups)
        if is_open and (self.known is None or node.left < self.known):
            self.known = node.left

    def _is_hopeless(self, left: int, hope: int) -> bool:
        """Whether so much, less what can still be taken off in this part, leads nowhere."""
        if self.known is None or self.slack is None:
            return False
        return left - hope > self.known + self.slack

    def _hope(self, first_bucket: int) -> int:
        return sum(slot.most for hopes in self.hopes[first_bucket:] for slot in hopes)

    def _in_turn(self, node: Node, bucket: int, taken: int = 0) -> Node:
        """Where each move is taken in turn that can be, from a bucket on."""
        for number in range(bucket, len(self.part.buckets)):
            for place, move in enumerate(self.part.buckets[number]):
                if (number == bucket and taken >> place & 1) or move.closes in node.closed:
                    continue
                if takings := move.attempt(self.part.lines, node):
                    node = _after(node, move, (number, place), takings)
        return node

    # From the parts below to one

    def _join(self, below: Sequence[Solved]) -> list[Node]:
        """Every combination of the parts' nodes that could still be the best."""
        if not below:
            return [self._joined([])]
        later = (*(_original(move) for move in self.part.moves), *self.later)
        is_pooled = view(self.part.positions, later).is_pooled
        hope = self._hope(0)
        loose = sum(self.part.lines[index].gross for index in self.part.loose)
        rest = loose + sum(one.nodes[0].left for one in below)
        joined: dict[Hashable, tuple[int, tuple[Node, ...]]] = {0: (0, ())}
        looked_at, most = 0, self.attempts_left * JOINED_PER_ATTEMPT
        for child, one in zip(self.part.children, below, strict=True):
            rest -= one.nodes[0].left
            seen = view(child.positions, later)
            found: dict[Hashable, tuple[int, tuple[Node, ...]]] = {}
            for key, (left, picks) in joined.items():
                for node in one.nodes:
                    if self._is_hopeless(left + node.left + rest, hope):
                        break
                    looked_at += 1
                    own = seen.of(node)
                    both = _added(key, own) if is_pooled else (key, own)
                    other = found.get(both)
                    if other is None or _ranked((*picks, node)) < _ranked(other[1]):
                        found[both] = left + node.left, (*picks, node)
            if looked_at > most and len(found) > STATES_BEYOND:
                self.is_proved = False
                cheapest = sorted(found, key=lambda key: (found[key][0], _ranked(found[key][1])))
                found = {key: found[key] for key in cheapest[:STATES_BEYOND]}
            joined = found
        self.attempts_left -= looked_at // JOINED_PER_ATTEMPT
        return [self._joined(picks) for _, picks in joined.values()]

    def _joined(self, picks: Sequence[Node]) -> Node:
        """The nodes of the parts below as one state of this part's lines."""
        remaining = [line.gross for line in self.part.lines]
        used, multi = [0] * len(remaining), [0] * len(remaining)
        for places, pick in zip(self.part.places, picks, strict=True):
            for place, left, units, off in zip(
                places, pick.remaining, pick.used, pick.multi, strict=True
            ):
                remaining[place], used[place], multi[place] = left, units, off
        return Node(
            remaining=tuple(remaining),
            used=tuple(used),
            multi=tuple(multi),
            closed=frozenset[str]().union(*(pick.closed for pick in picks)),
            left=sum(remaining),
            ranking=_ranked(picks)[1:],
            picks=tuple(picks),
        )

    # The part's own moves

    def _expand(self, bucket: int, nodes: Iterable[Node]) -> list[Node]:
        """All states that lawful ordered subsets of a bucket lead to."""
        moves = self.part.buckets[bucket]
        rest = [_original(m) for later in self.part.buckets[bucket + 1 :] for m in later]
        after = view(self.part.positions, (*rest, *self.later))
        inside = view(self.part.positions, (*(_original(m) for m in moves), *rest, *self.later))
        hope_after = self._hope(bucket + 1)
        is_alone = len(moves) == 1 and not rest and not self.later
        outcomes = _Outcomes(self.part.lines, moves, is_alone=is_alone)
        promise = _Promise(self.hopes[bucket], [_original(move) for move in moves])
        is_last = bucket == len(self.part.buckets) - 1
        done: dict[Hashable, Node] = {}
        layer: dict[Hashable, tuple[int, Node]] = {}
        for node in nodes:
            layer[inside.of(node), 0] = 0, node
        while layer:
            following: dict[Hashable, tuple[int, Node]] = {}
            for taken, node in layer.values():
                if not self._is_hopeless(node.left, hope_after):
                    _keep(done, after.of(node), node)
                    if is_last:
                        self._note(node)
                if self.attempts_left <= 0:
                    following[inside.of(node), taken] = taken, node
                    continue
                for number, takings in self._open(outcomes, taken, node):
                    mask = taken | 1 << number
                    left = node.left - sum(taking.total for taking in takings)
                    if not self._is_hopeless(left, promise.beyond(mask) + hope_after):
                        reached = _after(node, moves[number], (bucket, number), takings)
                        _keep_masked(following, (inside.of(reached), mask), mask, reached)
            if self.attempts_left <= 0 and following:
                self._finish(bucket, following.values(), done, after)
                break
            layer = following
        return list(done.values())

    def _open(
        self, outcomes: "_Outcomes", taken: int, node: Node
    ) -> Iterator[tuple[int, Sequence[Taking]]]:
        """What the moves that are still open can do, by number."""
        for number, move in enumerate(outcomes.moves):
            if taken >> number & 1 or move.closes in node.closed:
                continue
            found = outcomes.of(number, node)
            self.attempts_left -= max(1, len(found))
            if found and found[0][0].sets > SETS_TRIED_MAX and not outcomes.is_alone:
                self.is_proved = False
            for takings in found:
                yield number, takings

    def _finish(
        self,
        bucket: int,
        open_ends: Iterable[tuple[int, Node]],
        done: dict[Hashable, Node],
        after: View,
    ) -> None:
        """Follow the cheapest states to an end of the bucket, and give up the proof."""
        self.is_proved = False
        cheapest = sorted(open_ends, key=lambda one: (one[1].left, one[1].rating))
        for taken, node in cheapest[:STATES_BEYOND]:
            ended = node
            for number, move in enumerate(self.part.buckets[bucket]):
                if taken >> number & 1 or move.closes in ended.closed:
                    continue
                if takings := move.attempt(self.part.lines, ended):
                    ended = _after(ended, move, (bucket, number), takings)
            _keep(done, after.of(ended), ended)


@dataclass(slots=True)
class _Outcomes:
    """What each move of a bucket does to states, reckoned once for states alike to it.

    ``is_alone`` where nothing else works on these lines, so that fewer sets are of no use.
    """

    lines: Sequence[OfferLine]
    moves: Sequence[Move]
    is_alone: bool
    _known: dict[Hashable, list[Sequence[Taking]]] = field(default_factory=dict)
    _looks: list[tuple[tuple[int, ...], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._looks = [(tuple(sorted(m.touches)), m.looks_at_units) for m in self.moves]

    def of(self, number: int, node: Node) -> list[Sequence[Taking]]:
        """All sets first, then fewer."""
        touches, sees_units = self._looks[number]
        key: Hashable = number, tuple([node.remaining[index] for index in touches])
        if sees_units:
            units = tuple([(node.used[index], node.multi[index]) for index in touches])
            key = key, units
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = list(self._reckon(self.moves[number], node))
        return known

    def _reckon(self, move: Move, node: Node) -> Iterator[Sequence[Taking]]:
        takings = move.attempt(self.lines, node)
        if takings:
            yield takings
            if not self.is_alone:
                yield from move.fewer_sets(takings, self.lines, node)


@dataclass(slots=True)
class _Promise:
    """What the moves of a bucket that are not taken yet can still take off."""

    hopes: Sequence[Slot]
    moves: Sequence[Move]
    _known: dict[int, int] = field(default_factory=dict)

    def beyond(self, taken: int) -> int:
        """By the mask of taken moves."""
        known = self._known.get(taken)
        if known is None:
            gone = {move for number, move in enumerate(self.moves) if taken >> number & 1}
            known = sum(slot.most for slot in self.hopes if gone.isdisjoint(slot.moves))
            self._known[taken] = known
        return known


def _original(move: Move) -> Move:
    return move.origin or move


def _after(node: Node, move: Move, number: tuple[int, int], takings: Sequence[Taking]) -> Node:
    """The node that a move leads to."""
    remaining, used, multi = list(node.remaining), list(node.used), list(node.multi)
    left = node.left
    for taking in takings:
        for index, amount in taking.amounts.items():
            remaining[index] -= amount
            left -= amount
            if taking.units:
                multi[index] += amount
        for index, units in taking.units.items():
            used[index] += units
    priorities = (*node.ranking[0], *(-member.offer.priority for member in move.members))
    keys = (*node.ranking[1], *(member.key for member in move.members))
    return Node(
        remaining=tuple(remaining),
        used=tuple(used),
        multi=tuple(multi),
        closed=node.closed | {move.closes} if move.closes else node.closed,
        left=left,
        ranking=(tuple(sorted(priorities)), tuple(sorted(keys))),
        picks=node.picks,
        steps=(*node.steps, (*number, tuple(takings))),
    )


def _ranked(nodes: Sequence[Node]) -> tuple[int, tuple[int, ...], tuple[str, ...]]:
    """The rating of several nodes together."""
    priorities = sorted(one for node in nodes for one in node.ranking[0])
    keys = sorted(one for node in nodes for one in node.ranking[1])
    return len(keys), tuple(priorities), tuple(keys)


def _added(one: Hashable, other: Hashable) -> Hashable:
    """The sums that two pooled states have together."""
    assert isinstance(other, tuple)
    if one == 0:
        return other
    assert isinstance(one, tuple)
    return one[0] + other[0], one[1] + other[1], one[2] | other[2]


def _keep(found: dict[Hashable, Node], key: Hashable, node: Node) -> None:
    known = found.get(key)
    if known is None or node.rating < known.rating:
        found[key] = node


def _keep_masked(
    found: dict[Hashable, tuple[int, Node]], key: Hashable, mask: int, node: Node
) -> None:
    known = found.get(key)
    if known is None or node.rating < known[1].rating:
        found[key] = mask, node
