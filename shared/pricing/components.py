"""Moves in the order of their places, taken apart wherever they share neither lines nor a group.

Moves that are connected form a tree: the last place's moves on top, and below them the parts into
which what works before falls. A part is numbered by its own lines, so that the same goods under the
same offers are the same part wherever they stand in the basket.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from shared.pricing.effects import OfferLine
from shared.pricing.moves import Move


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Connected moves with their lines.

    ``buckets`` hold the moves of the last place in its own numbering, those that are connected
    among themselves together. ``children`` are the parts before it; ``places`` says where a child's
    lines are in this numbering. ``positions`` are those of the basket.
    """

    positions: tuple[int, ...]
    lines: tuple[OfferLine, ...]
    buckets: tuple[tuple[Move, ...], ...]
    children: tuple["Component", ...]
    places: tuple[tuple[int, ...], ...]
    loose_minor: int
    """What the lines that no child has cost together."""
    is_one_sum: bool = False
    """Whether its only line stands for all of another part's: see ``as_one_sum``."""

    @property
    def moves(self) -> list[Move]:
        """Those of the last place."""
        return [move for bucket in self.buckets for move in bucket]

    @property
    def size(self) -> int:
        """How many moves there are, those of all parts below included."""
        return sum(map(len, self.buckets)) + sum(child.size for child in self.children)

    def as_one_sum(self) -> "Component":
        """The part with one line for all, where nothing matters about them but their sum."""
        return Component(
            positions=self.positions[:1],
            lines=(OfferLine("", 0, sum(line.gross for line in self.lines)),),
            buckets=tuple(tuple(move.on_one_line() for move in bucket) for bucket in self.buckets),
            children=self.children,
            places=tuple((0,) * len(places) for places in self.places),
            loose_minor=self.loose_minor,
            is_one_sum=True,
        )

    def likeness(self) -> Hashable:
        """Equal for two parts that are solved alike."""
        buckets = tuple(tuple(map(_likeness, bucket)) for bucket in self.buckets)
        below = tuple(child.likeness() for child in self.children)
        return self.lines, buckets, self.places, below


def _likeness(move: Move) -> Hashable:
    members = tuple(
        (
            id(one.offer),
            one.coupon,
            one.time,
            one.lines,
            one.nets,
            one.gate,
            one.parts,
            one.mode,
            one.group,
        )
        for one in move.members
    )
    return move.closes, move.never_empties, members


def components_of(moves: Sequence[Move], lines: Sequence[OfferLine]) -> list[Component]:
    """The parts of sorted moves, in the order of their first lines."""
    return [_component(part, lines) for part in _connected(moves)]


def _component(moves: Sequence[Move], lines: Sequence[OfferLine]) -> Component:
    last = moves[-1].place
    on_top = [move for move in moves if move.place == last]
    below = [move for move in moves if move.place != last]
    children = components_of(below, lines)
    positions = sorted({index for move in moves for index in move.touches})
    place = {index: number for number, index in enumerate(positions)}
    is_the_same = positions == list(range(len(positions)))
    places = tuple(tuple(place[index] for index in child.positions) for child in children)
    held = {number for one in places for number in one}
    return Component(
        positions=tuple(positions),
        lines=tuple(lines[index] for index in positions),
        buckets=tuple(
            tuple(move if is_the_same else move.at(place) for move in bucket)
            for bucket in _connected(on_top)
        ),
        children=tuple(children),
        places=places,
        loose_minor=sum(lines[index].gross for index in positions if place[index] not in held),
    )


def _connected(moves: Sequence[Move]) -> list[list[Move]]:
    """Moves that share no line and no group apart, each part in its old order."""
    if len(moves) == 1:
        return [list(moves)]
    owner: dict[int | str, int] = {}
    leader = list(range(len(moves)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    for number, move in enumerate(moves):
        things: list[int | str] = [*move.touches, *([move.closes] if move.closes else [])]
        for first in {owner.setdefault(thing, number) for thing in things}:
            one, other = lead(first), lead(number)
            leader[max(one, other)] = min(one, other)
    parts: dict[int, list[Move]] = {}
    for number, move in enumerate(moves):
        parts.setdefault(lead(number), []).append(move)
    return sorted(parts.values(), key=lambda part: min(_first_line(move) for move in part))


def _first_line(move: Move) -> int:
    return min(move.touches, default=-1)
