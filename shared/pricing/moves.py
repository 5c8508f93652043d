"""What the search can do: take an offer, or several of an adding group at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from shared.loyalty.effects import Bundle, FreeUnits, NthItem, PercentOff, SetPrice
from shared.loyalty.offers import GroupMode
from shared.pricing.effects import Candidate, OfferLine, Standing, Taking, take, take_added
from shared.pricing.gates import Positions, moved, positions_in

ADDED_MEMBERS_MAX: Final = 6
"""Up to so many offers of an adding group all their subsets are tried, else all or one."""
SETS_TRIED_MAX: Final = 24
"""Up to so many sets of one offer every lower number of them is tried."""
USES_UNITS = NthItem | SetPrice | Bundle | FreeUnits


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """A step of the search. ``touches`` are the positions that it changes or looks at."""

    members: tuple[Candidate, ...]
    closes: str
    place: tuple[int, int]
    touches: frozenset[int]
    never_empties: bool = False
    """Whether its lines cost more than all that can ever be taken off them."""
    origin: "Move | None" = None
    """The move in the basket's numbering of lines, where this one is in another."""

    @property
    def original(self) -> "Move":
        """The move in the basket's numbering."""
        return self.origin or self

    @property
    def looks_at_units(self) -> bool:
        """Whether it matters to it which units are used."""
        return any(
            isinstance(m.offer.effect, USES_UNITS)
            or (isinstance(m.offer.effect, PercentOff) and m.offer.effect.spares_multi_buy)
            for m in self.members
        )

    def at(self, place: Mapping[int, int]) -> "Move":
        """The same in another numbering of lines."""
        return self._placed(lambda positions: tuple([place[index] for index in positions]))

    def on_one_line(self) -> "Move":
        """The same for a single line that stands for all of its own."""
        return self._placed(lambda _: (0,))

    def _placed(self, placed: Callable[[Positions], Positions]) -> "Move":
        members = tuple(
            Candidate(
                one.offer,
                placed(one.lines),
                moved(one.gate, placed),
                one.group,
                one.mode,
                one.coupon,
                tuple(map(placed, one.parts)),
                one.time,
                one.nets,
                one.key,
            )
            for one in self.members
        )
        touches = frozenset(placed(tuple(self.touches)))
        return Move(members, self.closes, self.place, touches, self.never_empties, self.original)

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
        if len(made) == 1 and isinstance(self.members[0].offer.effect, USES_UNITS):
            for sets in range(1, min(made[0].sets, SETS_TRIED_MAX + 1)):
                taking = take(self.members[0], lines, state, most_sets=sets)
                if isinstance(taking, Taking):
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


def _move(members: tuple[Candidate, ...], closes: str) -> Move:
    touches = {index for member in members for index in member.lines}
    for member in members:
        touches |= positions_in(member.gate)
    place = min((m.offer.works_in, m.offer.rank) for m in members)
    return Move(members, closes, place, frozenset(touches))


def _order(move: Move) -> tuple[tuple[int, int], list[str]]:
    return move.place, [member.key for member in move.members]


def _subsets(members: list[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    if len(members) > ADDED_MEMBERS_MAX:
        yield tuple(members)
        yield from ((member,) for member in members)
        return
    for size in range(1, len(members) + 1):
        yield from combinations(members, size)
