"""Moves in the order of their places, taken apart wherever they share neither lines nor a group.

Moves that are connected form a tree: the last place's moves on top, and below them the parts into
which what works before falls. A part is numbered by its own lines and moves, so that the same goods
under the same offers are the same part wherever they stand in the basket.
"""

from collections.abc import Hashable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from shared.pricing.bounds import most_off
from shared.pricing.effects import OfferLine, State
from shared.pricing.gates import OPEN, Positions, moved
from shared.pricing.moves import Move, slots
from shared.pricing.one_sum import in_one, looks_at_one_sum

PARTS_KEPT: Final = 500


class Component(Struct, frozen=True, eq=False):
    """Connected moves with their lines.

    ``buckets`` hold the moves of the last place in its own numbering, those that are connected
    among themselves together. ``children`` are the parts before it; ``places`` says where a child's
    lines are in this numbering, ``numbers`` which of this part's moves are a child's.
    """

    lines: tuple[OfferLine, ...]
    buckets: tuple[tuple[Move, ...], ...]
    children: tuple["Component", ...]
    places: tuple[Positions, ...]
    numbers: tuple[tuple[int, ...], ...]
    loose_minor: int
    """What the lines that no child has cost together."""
    size: int
    """How many moves there are, those of all parts below included."""
    most: int = 0
    """What all of them together take off at most, in minor units."""
    one_sum: "Component | None" = None
    """The part with one line for all, where nothing matters about them but their sum."""
    is_one_sum: bool = False
    """Whether it is that of another part."""


class Part(NamedTuple):
    """A component where it is found: which positions are its lines, and which moves are its own."""

    component: Component
    positions: Positions
    moves: Sequence[Move]


@dataclass(slots=True)
class Components:
    """Takes moves apart; parts that were met before are not made again."""

    is_kept: bool = True
    _kept: dict[Hashable, Component] = field(default_factory=dict)

    def parts_of(self, moves: Sequence[Move], lines: Sequence[OfferLine]) -> list[Part]:
        """The parts of sorted moves, in the order of their first lines."""
        return [self._part(own, touches, lines) for own, touches in _connected(moves)]

    def _part(
        self, moves: Sequence[Move], touches: Iterable[int], lines: Sequence[OfferLine]
    ) -> Part:
        positions = tuple(sorted(touches))
        own = _Own(positions)
        own_lines = tuple([lines[index] for index in positions])
        # What has all the lines there are is another part after each scan: it is not looked up.
        if not self.is_kept or len(positions) == len(lines):
            return Part(self._made(moves, lines, own, own_lines), positions, moves)
        likeness = own_lines, own.likeness(moves)
        known = self._kept.get(likeness)
        if known is None:
            known = self._made(moves, lines, own, own_lines)
            if len(self._kept) >= PARTS_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[likeness] = known
        return Part(known, positions, moves)

    def _made(
        self,
        moves: Sequence[Move],
        lines: Sequence[OfferLine],
        numbering: "_Own",
        own_lines: tuple[OfferLine, ...],
    ) -> Component:
        last = moves[-1].place
        below = self.parts_of([move for move in moves if move.place != last], lines)
        number = {id(move): n for n, move in enumerate(moves)}
        on_top = [
            replace(numbering.moved(move), number=n)
            for n, move in enumerate(moves)
            if move.place == last
        ]
        places = tuple([numbering.placed(child.positions) for child in below])
        held = {place for one in places for place in one}
        bare = Component(
            lines=own_lines,
            buckets=(),
            children=tuple([child.component for child in below]),
            places=places,
            numbers=tuple([tuple([number[id(move)] for move in one.moves]) for one in below]),
            loose_minor=sum([line.gross for n, line in enumerate(own_lines) if n not in held]),
            size=len(moves),
        )
        if _are_one_sum(on_top, len(own_lines)):
            return _with_one_sum(bare, on_top)
        return _with_moves(bare, on_top)


def _with_moves(bare: Component, moves: Sequence[Move]) -> Component:
    """A component with its moves of the last place, and what they take off at most."""
    start = State.untouched(bare.lines)
    moves = [replace(move, most=most_off(move, bare.lines, start)) for move in moves]
    caps = [
        (child.most, frozenset(own)) for child, own in zip(bare.children, bare.places, strict=True)
    ]
    caps += [(slot.most, _lines_of(slot.moves)) for slot in slots(moves)]
    buckets = [
        tuple([_knowing(move, caps, bare.lines) for move in bucket])
        for bucket, _ in _connected(moves)
    ]
    return replace(bare, buckets=tuple(buckets), most=sum([most for most, _ in caps]))


def _with_one_sum(bare: Component, moves: Sequence[Move]) -> Component:
    """The same for moves that look at one sum: what they take off is known from it."""
    one_line = replace(
        bare,
        lines=(in_one(bare.lines),),
        places=tuple([(0,) * len(own) for own in bare.places]),
        is_one_sum=True,
    )
    one_sum = _with_moves(one_line, [move.on_one_line() for move in moves])
    (bucket,) = one_sum.buckets
    known = [
        replace(move, most=seen.most, floor=seen.floor)
        for move, seen in zip(moves, bucket, strict=True)
    ]
    return replace(bare, buckets=(tuple(known),), most=one_sum.most, one_sum=one_sum)


def _are_one_sum(moves: Iterable[Move], lines: int) -> bool:
    """Whether all that moves look at is the sum of so many lines, which are more than one."""
    whole = frozenset(range(lines))
    return lines > 1 and all(looks_at_one_sum(move, whole) for move in moves)


def _knowing(
    move: Move, caps: Iterable[tuple[int, frozenset[int]]], lines: Sequence[OfferLine]
) -> Move:
    """A move that knows what it leaves of its lines at least; what works later does not matter."""
    left = sum(lines[index].gross for index in move.touches)
    taken = sum(most for most, touches in caps if not touches.isdisjoint(move.touches))
    return replace(move, floor=max(0, left - taken))


class _Own:
    """A part's own numbering of its lines."""

    def __init__(self, positions: Positions) -> None:
        self._place = {index: number for number, index in enumerate(positions)}
        self._is_the_same = positions == tuple(range(len(positions)))

    def placed(self, positions: Positions) -> Positions:
        """Positions of the basket in it."""
        if self._is_the_same:
            return positions
        place = self._place
        return tuple([place[index] for index in positions])

    def moved(self, move: Move) -> Move:
        """A move in it."""
        return move if self._is_the_same else move.placed(self.placed)

    def likeness(self, moves: Sequence[Move]) -> Hashable:
        """Equal for moves that do the same to lines that are alike.

        The group and its mode are the offer's own, and the programme is one and the same.
        """
        found: list[Hashable] = []
        for move in moves:
            found.append(len(move.members))
            for one in move.members:
                lines, gate = self.placed(one.lines), one.gate
                found.append((id(one.offer), one.coupon, one.time, lines))
                if gate is not OPEN:
                    found.append(moved(gate, self.placed))
                if one.parts or one.nets:
                    found.append((tuple(map(self.placed, one.parts)), one.nets))
        return tuple(found)


def _connected(moves: Sequence[Move]) -> list[tuple[Sequence[Move], Iterable[int]]]:
    """Moves that share no line and no group apart, each part in its old order, with its lines."""
    if not moves:
        return []
    if _has_one_on_all(moves):
        return [(moves, moves[-1].touches)]
    owner: dict[int | str, int] = {}
    leader = list(range(len(moves)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    for number, move in enumerate(moves):
        things: AbstractSet[int | str] = move.touches
        if move.closes:
            things = {*things, move.closes}
        for first in set(map(owner.get, things)):
            if first is not None:
                one, other = lead(first), lead(number)
                leader[max(one, other)] = min(one, other)
        owner.update(dict.fromkeys(things, number))
    parts: dict[int, list[Move]] = {}
    for number, move in enumerate(moves):
        parts.setdefault(lead(number), []).append(move)
    found = [(own, _lines_of(own)) for own in parts.values()]
    return sorted(found, key=lambda part: min(part[1], default=-1))


def _lines_of(moves: Iterable[Move]) -> frozenset[int]:
    return frozenset[int]().union(*(move.touches for move in moves))


def _has_one_on_all(moves: Sequence[Move]) -> bool:
    """Whether the last of them ties all others together; a quick answer where most are tied so."""
    *others, last = moves
    return all(move.touches and move.touches <= last.touches for move in others)
