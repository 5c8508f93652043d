"""The best-price search: which lawful combination of offers costs the customer least.

Offers that share no goods and no group are searched apart, and so are, below offers that join them,
the parts into which the phases before fall (``shared.pricing.components``). A part is solved once
for all sequels: it keeps every state that could still lead to the lowest price, which is the
cheapest one and those that are dearer by no more than what later offers can make of the difference
(``shared.pricing.sequel``). Inside a part every lawful subset is tried in every order and with
every number of sets; equal states are merged, and a state is dropped when all that is left to take
could not bring it down to the best one known. None of this loses the optimum.

Work is bounded: beyond ``ATTEMPTS_MAX`` attempts only the cheapest states are followed to their
end, and the answer says that it is not proved.
"""

from bisect import insort
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.money import Rounding, divide_rounded
from shared.pricing.bounds import bounded
from shared.pricing.components import Component, components_of
from shared.pricing.effects import Candidate, OfferLine, State, Taking
from shared.pricing.moves import SETS_TRIED_MAX, Move, moves_of
from shared.pricing.sequel import Sequel, Slot, slots
from shared.pricing.trends import BILLION, jumps_of, rate_between_jumps

INTERACTING_OFFERS_EXACT: Final = 6
"""So many offers of one place that all interact are always searched exactly."""
ATTEMPTS_MAX: Final = 2_000
"""Six offers of one rank have 1,956 ordered non-empty subsets."""
JOINED_PER_ATTEMPT: Final = 4
"""So many states of parts are joined for the work of one attempt."""
SUMS_MAX: Final = 1 << 20
"""Pooled sums are looked through one by one if they lie no further apart, in minor units."""
STATES_BEYOND: Final = 4
"""How many states are followed to their end once the attempts are used up."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The takings in the order in which they work, and whether no better choice exists."""

    takings: tuple[Taking, ...]
    is_proved: bool


@dataclass(slots=True, eq=False)
class Node:
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


@dataclass(slots=True)
class SearchMemory:
    """Parts that were solved before: it saves time and changes nothing.

    It holds for one programme; ``size`` parts are kept, the oldest make way.
    """

    size: int = 2_000
    _programme: object = None
    _solved: dict[Hashable, Solved] = field(default_factory=dict)

    def open(self, programme: object) -> None:
        """Forget what was solved for another programme."""
        if self._programme is not programme:
            self._programme = programme
            self._solved.clear()

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
    most = bounded(moves_of(candidates), lines, start)
    search = _Search(most, memory)
    takings: list[Taking] = []
    is_proved = True
    for part in components_of(list(most), lines):
        solved = search.solve(part, Sequel.nothing(len(part.lines)))
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

    def solve(self, part: Component, sequel: Sequel) -> Solved:
        """The states of a part that matter to what follows it."""
        if self.memory is None:
            return self._solve(part, sequel)
        likeness = part.likeness(), sequel
        solved = self.memory.recall(likeness, self.attempts_left)
        if solved is None:
            solved = self._solve(part, sequel)
            self.memory.keep(likeness, solved)
        else:
            self.attempts_left -= solved.attempts
        return solved

    def _solve(self, part: Component, sequel: Sequel) -> Solved:
        before = self.attempts_left
        solving = _Solving(part, sequel, self.most)
        below: dict[int, Solved] = {}
        # Small parts first: a tangle must not use up what they need.
        for number in sorted(range(len(part.children)), key=lambda n: part.children[n].size):
            child, places = part.children[number], part.places[number]
            below[number] = self.solve(child, solving.after_children.of_lines(places))
        solving.attempts_left = self.attempts_left
        nodes = solving.run([below[number] for number in range(len(part.children))])
        self.attempts_left = solving.attempts_left
        is_proved = solving.is_proved and all(one.is_proved for one in below.values())
        return Solved(nodes, before - self.attempts_left, is_proved)


@dataclass(slots=True)
class _Solving:
    """One part on the way from the nodes below it to its own."""

    part: Component
    sequel: Sequel
    most: Mapping[Move, int]
    attempts_left: int = 0
    is_proved: bool = True
    known: int | None = None
    """The least that is left in a finished state that closes nothing for later moves."""
    slack: int | None = None
    hopes: list[list[Slot]] = field(default_factory=list)
    """Of each bucket, the slots of its moves."""
    sequels: list[Sequel] = field(default_factory=list)
    """What follows each bucket."""

    def __post_init__(self) -> None:
        self.slack = self.sequel.slack([line.gross for line in self.part.lines])
        self.hopes = [slots(bucket, self.most) for bucket in self.part.buckets]
        sequels = [self.sequel]
        for hopes in reversed(self.hopes[1:]):
            sequels.append(sequels[-1].after(hopes))
        self.sequels = sequels[::-1]

    @property
    def after_children(self) -> Sequel:
        """What follows the parts below."""
        return self.sequels[0].after(self.hopes[0])

    def run(self, below: Sequence[Solved]) -> tuple[Node, ...]:
        """The part's nodes that may still lead to the lowest price, the cheapest first."""
        cheapest = self._joined([one.nodes[0] for one in below])
        in_turn = self._in_turn(cheapest, 0)
        self._note(in_turn)
        nodes: Iterable[Node] = self._join(below)
        for number in range(len(self.part.buckets)):
            nodes = self._expand(number, nodes)
        found = {self.sequel.of(node): node for node in nodes}
        if not self.is_proved:
            _keep(found, self.sequel.of(in_turn), in_turn)
        return self._worth_following(found.values())

    def _worth_following(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """Those that later moves may bring lower than the cheapest, the cheapest first.

        A state that closed a group for later moves is no measure.
        """
        ordered = sorted(nodes, key=lambda node: (node.left, node.rating))
        groups = self.sequel.groups
        measure = next((node for node in ordered if node.closed.isdisjoint(groups)), None)
        if measure is None:
            return tuple(ordered)
        cheapest = measure.remaining
        return tuple(n for n in ordered if not self.sequel.is_beaten(n.remaining, cheapest))

    # What is known, and what is hoped for

    def _note(self, node: Node) -> None:
        is_open = node.closed.isdisjoint(self.sequel.groups)
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
        sequel = self.after_children
        hope = self._hope(0)
        loose = sum(self.part.lines[index].gross for index in self.part.loose)
        cheapest = loose + sum(one.nodes[0].left for one in below)
        reach = _Reach.of(below, self._worthwhile(below, cheapest))
        joined: dict[Hashable, tuple[int, tuple[Node, ...]]] = {0: (cheapest, ())}
        looked_at, most = 0, self.attempts_left * JOINED_PER_ATTEMPT
        for number, (places, one) in enumerate(zip(self.part.places, below, strict=True)):
            seen = sequel.of_lines(places)
            found: dict[Hashable, tuple[int, tuple[Node, ...]]] = {}
            for key, (left, picks) in joined.items():
                for node in one.nodes:
                    total = left + node.left - one.nodes[0].left
                    if self._is_hopeless(total, hope):
                        break
                    if not reach.leads(number, total - cheapest):
                        continue
                    looked_at += 1
                    own = seen.of(node)
                    both = _added(key, own) if sequel.is_pooled else (key, own)
                    other = found.get(both)
                    if other is None or _ranked((*picks, node)) < _ranked(other[1]):
                        found[both] = total, (*picks, node)
            if looked_at > most and len(found) > STATES_BEYOND:
                self.is_proved = False
                by_price = sorted(found, key=lambda key: (found[key][0], _ranked(found[key][1])))
                found = {key: found[key] for key in by_price[:STATES_BEYOND]}
            joined = found
        self.attempts_left -= looked_at // JOINED_PER_ATTEMPT
        return [self._joined(picks) for _, picks in joined.values()]

    def _worthwhile(self, below: Sequence[Solved], cheapest: int) -> tuple[list[range], int] | None:
        """Which sums are worth a look where only the sum matters: ranges above the cheapest one.

        Between two jumps of the first bucket's moves a higher sum only costs more. So of each range
        the lowest sum that can be reached is worth it, and those near to it, which later moves and
        rounding may still bring below it. None where that is not known.
        """
        sequel, after, moves = self.after_children, self.sequels[0], self.part.buckets[0]
        rates = [rate_between_jumps(move) for move in moves]
        slack = sequel.slack([0] * len(self.part.lines))
        closed = frozenset[str]().union(*(n.closed for one in below for n in one.nodes))
        is_known = (
            sequel.is_pooled
            and len(self.hopes[0]) == 1
            and all(len(move.touches) == len(self.part.lines) for move in moves)
            and closed.isdisjoint(sequel.groups)
        )
        if not is_known or None in rates or slack is None or slack > SUMS_MAX:
            return None
        kept = after.kept * (BILLION - max(rate or 0 for rate in rates)) // BILLION
        if not kept:
            return None
        near = divide_rounded((after.lost + 2) * BILLION, kept, Rounding.UP)
        jumps = {j - cheapest for m in moves for j in jumps_of(m, cheapest, cheapest + slack)}
        return [range(*ends) for ends in pairwise([0, *sorted(jumps), slack + 1])], near

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
        after = self.sequels[bucket]
        inside = after.after(self.hopes[bucket])
        hope_after = self._hope(bucket + 1)
        is_alone = len(moves) == 1 and not after.seen
        outcomes = _Outcomes(self.part.lines, moves, is_alone=is_alone)
        promise = _Promise(self.hopes[bucket], moves)
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
        after: Sequel,
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


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which sums of the parts' nodes lead to one that is worth a look.

    Sums are bits of a number: how much more they are than the cheapest.
    """

    beyond: tuple[int, ...]
    """What the parts from each on can add."""
    wanted: int | None

    @staticmethod
    def of(below: Sequence[Solved], worthwhile: tuple[list[range], int] | None) -> "_Reach":
        """``worthwhile`` are ranges of which the lowest sums count, up to so much above these."""
        if worthwhile is None:
            return _Reach((), None)
        ranges, near = worthwhile
        most = (1 << ranges[-1].stop) - 1
        beyond = [1]
        for one in reversed(below):
            added = {node.left - one.nodes[0].left for node in one.nodes}
            sums = 0
            for more in added:
                sums |= beyond[-1] << more
            beyond.append(sums & most)
        wanted = 0
        for one_range in ranges:
            within = beyond[-1] & (1 << one_range.stop) - (1 << one_range.start)
            if within:
                lowest = (within & -within).bit_length() - 1
                end = min(one_range.stop, lowest + near + 1)
                wanted |= within & (1 << end) - 1
        return _Reach(tuple(reversed(beyond)), wanted)

    def leads(self, part: int, more: int) -> bool:
        """Whether so much more than the cheapest, up to and with a part, can lead to such a sum."""
        return self.wanted is None or bool(self.beyond[part + 1] << more & self.wanted)


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


def _after(node: Node, move: Move, number: tuple[int, int], takings: Sequence[Taking]) -> Node:
    """The node that a move leads to."""
    remaining, used, multi = list(node.remaining), list(node.used), list(node.multi)
    left = node.left
    priorities, keys = list(node.ranking[0]), list(node.ranking[1])
    for taking in takings:
        insort(priorities, -taking.candidate.offer.priority)
        insort(keys, taking.candidate.key)
        for index, amount in taking.amounts.items():
            remaining[index] -= amount
            left -= amount
            if taking.units:
                multi[index] += amount
        for index, units in taking.units.items():
            used[index] += units
    return Node(
        tuple(remaining),
        tuple(used) if takings[0].units else node.used,
        tuple(multi) if takings[0].units else node.multi,
        node.closed | {move.closes} if move.closes else node.closed,
        left,
        (tuple(priorities), tuple(keys)),
        node.picks,
        (*node.steps, (*number, tuple(takings))),
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
