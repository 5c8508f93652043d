"""What the search can do: take an offer, or several of an adding group at once."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from shared.loyalty.effects import PercentOff
from shared.loyalty.offers import GroupMode
from shared.pricing.effects import (
    SETS,
    Candidate,
    OfferLine,
    Standing,
    Taking,
    take,
    take_added,
    take_sets,
)
from shared.pricing.gates import OPEN, Positions, moved, positions_in

ADDED_MEMBERS_MAX: Final = 6
"""Up to so many offers of an adding group all their subsets are tried, else all or one."""
SETS_TRIED_MAX: Final = 24
"""Up to so many sets of one offer every lower number of them is tried."""


class Move(Struct, frozen=True, eq=False):
    """A step of the search. ``touches`` are the positions that it changes or looks at."""

    members: tuple[Candidate, ...]
    closes: str
    place: tuple[int, int]
    touches: frozenset[int]
    number: int = 0
    """Which of its part's moves it is."""
    most: int = 0
    """What it takes off at most, in minor units; known in its part."""
    floor: int = 0
    """What is left of its lines at least, whatever is taken off them up to it, and with it."""

    @property
    def deed(self) -> Hashable:
        """Equal for moves that do the same to the same lines, whichever code or claim is used."""
        return tuple([(id(m.offer), m.lines, m.gate, m.parts) for m in self.members])

    @property
    def looks_at_units(self) -> bool:
        """Whether it matters to it which units are used."""
        return any(
            isinstance(m.offer.effect, SETS)
            or (isinstance(m.offer.effect, PercentOff) and m.offer.effect.spares_multi_buy)
            for m in self.members
        )

    def on_one_line(self) -> "Move":
        """The same for a single line that stands for all of its own."""
        return self.placed(lambda _: (0,))

    def placed(self, placed: Callable[[Positions], Positions]) -> "Move":
        """The same in another numbering of lines."""
        members = tuple(
            Candidate(
                one.offer,
                one.place,
                placed(one.lines),
                moved(one.gate, placed),
                one.group,
                one.mode,
                one.coupon,
                tuple(map(placed, one.parts)),
                one.time,
                one.nets,
            )
            for one in self.members
        )
        touches = frozenset(placed(tuple(self.touches)))
        return replace(self, members=members, touches=touches)

    def attempt(self, lines: Sequence[OfferLine], state: Standing) -> list[Taking]:
        """What it takes off; nothing where it cannot, or where one member would be idle."""
        if len(self.members) == 1:
            taking = take(self.members[0], lines, state)
            return [taking] if isinstance(taking, Taking) else []
        if any(not isinstance(take(m, lines, state), Taking) for m in self.members):
            return []
        takings = take_added(self.members, lines, state)
        return takings if all(taking.total for taking in takings) else []

    def fewer_sets(
        self, made: Sequence[Taking], lines: Sequence[OfferLine], state: Standing
    ) -> Iterator[list[Taking]]:
        """The same with fewer sets than it made: units are left for others, or a threshold."""
        if len(made) == 1 and isinstance(self.members[0].offer.effect, SETS):
            fewer = range(1, min(made[0].sets, SETS_TRIED_MAX + 1))
            for taking in take_sets(self.members[0], lines, state, fewer):
                yield [taking]


def moves_of(candidates: Iterable[Candidate]) -> list[Move]:
    """Every candidate as a move; those of an adding group in all their combinations."""
    moves: list[Move] = []
    adding: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.mode is GroupMode.ADD:
            adding.setdefault(candidate.group, []).append(candidate)
        else:
            closes = candidate.group if candidate.mode is GroupMode.ONE else ""
            moves.append(_move((candidate,), closes))
    for group, members in adding.items():
        moves += [_move(subset, group) for subset in _subsets(members)]
    return sorted(moves, key=_order)


class Slot(Struct, frozen=True, eq=False):
    """Moves of which at most one will be taken, and the most that it takes off."""

    moves: tuple[Move, ...]
    most: int


def slots(moves: Iterable[Move]) -> list[Slot]:
    """Each move apart, but those of one closing group together."""
    found: dict[str | int, list[Move]] = {}
    for number, move in enumerate(moves):
        found.setdefault(move.closes or number, []).append(move)
    return [Slot(tuple(own), max(move.most for move in own)) for own in found.values()]


def _move(members: tuple[Candidate, ...], closes: str) -> Move:
    if len(members) == 1 and members[0].gate is OPEN:
        return Move(members, closes, members[0].place, frozenset(members[0].lines))
    touches = {index for member in members for index in member.lines}
    for member in members:
        touches |= positions_in(member.gate)
    place = min(member.place for member in members)
    return Move(members, closes, place, frozenset(touches))


def _order(move: Move) -> tuple[tuple[int, int], list[str]]:
    return move.place, [member.key for member in move.members]


def leaves_some_out(moves: Sequence[Move]) -> bool:
    """Whether an adding group has more members than all their combinations are made of."""
    return any(len(move.members) > ADDED_MEMBERS_MAX for move in moves)


def _subsets(members: list[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    if len(members) > ADDED_MEMBERS_MAX:
        yield tuple(members)
        yield from ((member,) for member in members)
        return
    for size in range(1, len(members) + 1):
        yield from combinations(members, size)
