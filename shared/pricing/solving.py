"""One part of the search: from the states of the parts below it to its own."""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.money import Rounding, divide_rounded
from shared.pricing.components import Component
from shared.pricing.effects import Taking
from shared.pricing.joining import Ways, Worth, needed_sums
from shared.pricing.moves import SETS_TRIED_MAX, Slot, slots
from shared.pricing.nodes import (
    Node,
    Solved,
    added,
    keep,
    keep_masked,
    stepped,
)
from shared.pricing.outcomes import Outcomes, Promise
from shared.pricing.ranking import Picks, Ranking
from shared.pricing.sequel import Sequel
from shared.pricing.trends import BILLION, always_takes_the_same, jumps_of, rate_between_jumps

JOINED_PER_ATTEMPT: Final = 4
"""So many states of parts are joined for the work of one attempt."""
SUMS_MAX: Final = 1 << 20
"""Pooled sums are looked through one by one if they lie no further apart, in minor units."""
STATES_BEYOND: Final = 4
"""How many states are followed to their end once the attempts are used up."""


@dataclass(slots=True)
class Solving:
    """One part on the way from the nodes below it to its own."""

    part: Component
    sequel: Sequel
    attempts_left: int = 0
    is_proved: bool = True
    known: int | None = None
    """The least that is left in a finished state that closes nothing for later moves."""
    slack: int | None = None
    hopes: list[list[Slot]] = field(default_factory=list)
    """Of each bucket, the slots of its moves."""
    sequels: list[Sequel] = field(default_factory=list)
    """What follows each bucket."""
    after_children: Sequel = field(init=False)
    """What follows the parts below."""
    outcomes: list[Outcomes] = field(default_factory=list)
    """Of each bucket, what its moves do."""
    after_child: list[Sequel] = field(default_factory=list)
    """What follows each of them, in its own numbering."""
    takes_all: list[bool] = field(default_factory=list)
    """Of each bucket, whether each of its moves takes off the same whatever else is taken."""

    def __post_init__(self) -> None:
        self.slack = self.sequel.slack([line.gross for line in self.part.lines])
        self.hopes = [slots(bucket) for bucket in self.part.buckets]
        sequels = [self.sequel]
        for hopes in reversed(self.hopes[1:]):
            sequels.append(sequels[-1].after(hopes))
        self.sequels = sequels[::-1]
        self.after_children = self.sequels[0].after(self.hopes[0])
        self.outcomes = [
            Outcomes(self.part.lines, bucket, is_alone=len(bucket) == 1 and not after.seen)
            for bucket, after in zip(self.part.buckets, self.sequels, strict=True)
        ]
        after_child = {own: self.after_children.of_lines(own) for own in set(self.part.places)}
        self.after_child = [after_child[places] for places in self.part.places]
        self.takes_all = [
            not after.seen and all(always_takes_the_same(move) for move in bucket)
            for bucket, after in zip(self.part.buckets, self.sequels, strict=True)
        ]

    def run(self, below: Sequence[Solved]) -> tuple[Node, ...]:
        """The part's nodes that may still lead to the lowest price, the cheapest first."""
        in_turn = self._joined([one.nodes[0] for one in below])
        for bucket in range(len(self.part.buckets)):
            in_turn = self._in_turn(bucket, in_turn)
        self._note(in_turn)
        nodes: Iterable[Node] = self._join(below)
        for number in range(len(self.part.buckets)):
            nodes = self._beyond(number, nodes)
        found = {self.sequel.of(node): node for node in nodes}
        if not self.is_proved:
            keep(found, self.sequel.of(in_turn), in_turn)
        return self._worth_following(found.values())

    def _worth_following(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """Those that later moves may bring lower than the cheapest, the cheapest first.

        A state that closed a group for later moves is no measure.
        """
        ordered = sorted(nodes, key=lambda node: node.left)
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
        most_left = self._most_left(hope)
        return most_left is not None and left > most_left

    def _most_left(self, hope: int) -> int | None:
        """More than this leads nowhere; None where that is not known."""
        if self.known is None or self.slack is None:
            return None
        return self.known + self.slack + hope

    def _hope(self, first_bucket: int) -> int:
        return sum(slot.most for hopes in self.hopes[first_bucket:] for slot in hopes)

    def _in_turn(self, bucket: int, node: Node, taken: int = 0) -> Node:
        """Where each move of a bucket is taken in turn that can be."""
        outcomes = self.outcomes[bucket]
        for number, move in enumerate(outcomes.moves):
            if taken >> number & 1 or move.closes in node.closed:
                continue
            if found := outcomes.of(number, node):
                node = stepped(node, move, (bucket, number), found[0])
        return node

    # From the parts below to one

    def _join(self, below: Sequence[Solved]) -> list[Node]:
        """Every combination of the parts' nodes that could still be the best."""
        if not below:
            return [self._joined([])]
        most_left = self._most_left(self._hope(0))
        cheapest = self.part.loose_minor + sum(one.nodes[0].left for one in below)
        worth = self._worthwhile(below, cheapest)
        needed = needed_sums(below, worth) if worth else [None] * len(below)
        joined: dict[Hashable, Picks] = {0: Picks(cheapest)}
        looked_at, most = 0, self.attempts_left * JOINED_PER_ATTEMPT
        ranking = Ranking(below)
        for leads, seen, one in zip(needed, self.after_child, below, strict=True):
            ways = Ways(one.by_more, leads)
            found: dict[Hashable, Picks] = {}
            for key, picks in joined.items():
                for more in ways.on_top_of(picks.left - cheapest):
                    total = picks.left + more
                    if most_left is not None and total > most_left:
                        break
                    for node in one.by_more[more]:
                        looked_at += 1
                        # With the sums known that are worth a look, the sum is all that matters.
                        both = total if worth else self._both(key, seen.of(node))
                        other = found.get(both)
                        if other is None or ranking.is_better(picks, node, other):
                            found[both] = Picks(total, picks, node)
            if looked_at > most and len(found) > STATES_BEYOND:
                self.is_proved = False
                by_price = sorted(found, key=lambda k: (found[k].left, ranking.of(found[k])))
                found = {key: found[key] for key in by_price[:STATES_BEYOND]}
            joined = found
        self.attempts_left -= looked_at // JOINED_PER_ATTEMPT
        return [self._joined(picks.nodes) for picks in joined.values()]

    def _both(self, key: Hashable, own: Hashable) -> Hashable:
        """Equal for states of the parts so far, and of one more, that lead to the same."""
        return added(key, own) if self.after_children.is_pooled else (key, own)

    def _worthwhile(self, below: Sequence[Solved], cheapest: int) -> "Worth | None":
        """Which sums are worth a look where only the sum matters; None where that is not known."""
        sequel, after, moves = self.after_children, self.sequels[0], self.part.buckets[0]
        rates = [rate_between_jumps(move) for move in moves]
        slack = sequel.slack([0] * len(self.part.lines))
        closed = frozenset[str]().union(*(n.closed for one in below for n in one.nodes))
        is_known = (
            sequel.is_pooled
            and len(self.hopes[0]) == 1
            and all(len(move.touches) == len(self.part.lines) for move in moves)
            and closed.isdisjoint(sequel.groups)
            # Taking a move that a later place's group rules out may cost more than it saves.
            and after.groups.isdisjoint(move.closes for move in moves)
        )
        if not is_known or None in rates or slack is None or slack > SUMS_MAX:
            return None
        kept = after.kept * (BILLION - max(rate or 0 for rate in rates)) // BILLION
        if not kept:
            return None
        jumps = {j - cheapest for m in moves for j in jumps_of(m, cheapest, cheapest + slack)}
        return Worth(
            ranges=[range(*ends) for ends in pairwise([0, *sorted(jumps), slack + 1])],
            near=divide_rounded((after.lost + 2) * BILLION, kept, Rounding.UP),
            moves=moves,
            cheapest=cheapest,
            near_after=divide_rounded((after.lost + 1) * BILLION, after.kept, Rounding.UP),
        )

    def _joined(self, picks: Sequence[Node]) -> Node:
        """The nodes of the parts below as one state of this part's lines."""
        closed = frozenset[str]().union(*(pick.closed for pick in picks))
        if self.part.is_one_sum:
            left = self.part.loose_minor + sum(pick.left for pick in picks)
            return Node((left,), (0,), (0,), closed, left, tuple(picks))
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
            closed=closed,
            left=sum(remaining),
            picks=tuple(picks),
        )

    # The part's own moves

    def _beyond(self, bucket: int, nodes: Iterable[Node]) -> list[Node]:
        """The states after a bucket that matter."""
        if not self.takes_all[bucket]:
            return self._expand(bucket, nodes)
        after, done = self.sequels[bucket], dict[Hashable, Node]()
        for node in nodes:
            ended = self._in_turn(bucket, node)
            keep(done, after.of(ended), ended)
        return list(done.values())

    def _expand(self, bucket: int, nodes: Iterable[Node]) -> list[Node]:
        """All states that lawful ordered subsets of a bucket lead to."""
        outcomes, after = self.outcomes[bucket], self.sequels[bucket]
        moves = outcomes.moves
        inside = self.after_children if bucket == 0 else after.after(self.hopes[bucket])
        hope_after = self._hope(bucket + 1)
        promise = Promise(self.hopes[bucket], moves)
        is_last = bucket == len(self.part.buckets) - 1
        done: dict[Hashable, Node] = {}
        layer: dict[Hashable, tuple[int, Node]] = {}
        for node in nodes:
            layer[inside.of(node), 0] = 0, node
        while layer:
            following: dict[Hashable, tuple[int, Node]] = {}
            for taken, node in layer.values():
                if not self._is_hopeless(node.left, hope_after):
                    keep(done, after.of(node), node)
                    if is_last:
                        self._note(node)
                if self.attempts_left <= 0:
                    following[inside.of(node), taken] = taken, node
                    continue
                for number, takings in self._open(outcomes, taken, node):
                    mask = taken | 1 << number
                    left = node.left - sum(taking.total for taking in takings)
                    if not self._is_hopeless(left, promise.beyond(mask) + hope_after):
                        reached = stepped(node, moves[number], (bucket, number), takings)
                        keep_masked(following, (inside.of(reached), mask), mask, reached)
            if self.attempts_left <= 0 and following:
                self._finish(bucket, following.values(), done, after)
                break
            layer = following
        return list(done.values())

    def _open(
        self, outcomes: Outcomes, taken: int, node: Node
    ) -> Iterator[tuple[int, Sequence[Taking]]]:
        """What the moves that are still open can do, by number."""
        for number, move in enumerate(outcomes.moves):
            if taken >> number & 1 or move.closes in node.closed:
                continue
            twin = outcomes.twins[number]
            if twin is not None and not taken >> twin & 1:
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
            ended = self._in_turn(bucket, node, taken)
            keep(done, after.of(ended), ended)
