"""The best-price search: which lawful combination of offers costs the customer least.

Offers that share no goods and no group are searched apart. Among those that interact every lawful
subset is tried, in every order where ranks are equal; equal intermediate states are merged, and
those are dropped that cannot become as good as taking everything in turn, which loses nothing.
Beyond ``ATTEMPTS_EXACT_MAX`` attempts only the cheapest states are followed, and
the answer says that it is not proved.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, groupby
from typing import Final, TypeVar

from shared.loyalty.effects import Bundle, FreeUnits, NthItem, SetPrice
from shared.loyalty.offers import GroupMode
from shared.pricing.effects import Candidate, OfferLine, State, Taking, after, take, take_added
from shared.pricing.gates import OPEN, positions_in

INTERACTING_OFFERS_EXACT: Final = 6
"""So many interacting offers are always searched exactly, whatever their ranks."""
ATTEMPTS_EXACT_MAX: Final = 2_500
"""Six offers of one rank have 1,956 ordered non-empty subsets."""
STATES_BEYOND: Final = 16
"""How many states are followed once the attempts are used up."""
ADDED_MEMBERS_MAX: Final = 6
"""Up to so many offers of an adding group all their subsets are tried, else all or one."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One thing the search can do: take an offer, or several of an adding group at once."""

    members: tuple[Candidate, ...]
    closes: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Phase and rank: those of its first member."""
        return min((m.offer.works_in, m.offer.rank) for m in self.members)

    def touches(self) -> set[int]:
        """Positions of all lines that it changes or looks at."""
        looked_at = (positions_in(member.gate) for member in self.members)
        return {i for m in self.members for i in m.lines}.union(*looked_at)

    def attempt(self, lines: Sequence[OfferLine], state: State) -> list[Taking]:
        """What it takes off; nothing where it cannot, or where one member would be idle."""
        if len(self.members) == 1:
            taking = take(self.members[0], lines, state)
            return [taking] if isinstance(taking, Taking) else []
        if any(not isinstance(take(m, lines, state), Taking) for m in self.members):
            return []
        takings = take_added(self.members, lines, state)
        return takings if all(taking.total for taking in takings) else []


Path = tuple[Taking, ...]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Choice:
    """The takings in the order in which they work, and whether no better choice exists."""

    takings: Path
    is_proved: bool


def best_choice(candidates: Sequence[Candidate], lines: Sequence[OfferLine]) -> Choice:
    """The combination with the least to pay.

    Ties: fewer offers, then higher priority, then lower ids.
    """
    nothing = (0,) * len(lines)
    start = State(tuple(line.gross for line in lines), nothing, nothing)
    takings: list[Taking] = []
    is_proved = True
    for part in _independent(_moves(candidates)):
        search = _Search(lines)
        takings += search.run(part, start)
        is_proved &= search.is_proved
    takings.sort(key=lambda taking: (taking.candidate.offer.works_in, taking.candidate.offer.rank))
    return Choice(tuple(takings), is_proved)


@dataclass(slots=True)
class _Search:
    """One search over interacting moves."""

    lines: Sequence[OfferLine]
    is_proved: bool = True
    attempts: int = field(default=0)

    def run(self, moves: Sequence[Move], start: State) -> Path:
        ordered = sorted(moves, key=_move_order)
        places = groupby(ordered, key=lambda move: move.place)
        buckets = [bucket for _, same in places for bucket in _independent(list(same))]
        full, full_path = self._everything_taken(ordered, start)
        reachable = sum(full.remaining)
        hope = sum(self._at_most(move, start) for move in ordered)
        frontier: dict[State, Path] = {start: ()}
        for bucket in buckets:
            hope -= sum(self._at_most(move, start) for move in bucket)
            frontier = {
                state: path
                for state, path in self._expand(bucket, frontier).items()
                if sum(state.remaining) - hope <= reachable
            }
        _keep(frontier, full, full_path)
        return min(frontier.items(), key=lambda item: (sum(item[0].remaining), _rating(item[1])))[1]

    def _everything_taken(self, moves: Sequence[Move], state: State) -> tuple[State, Path]:
        """The state and path when each move is taken in turn that can be: a bound to beat."""
        path: Path = ()
        for move in moves:
            takings = [] if move.closes in state.closed else move.attempt(self.lines, state)
            if takings:
                state, path = after(state, takings, move.closes), (*path, *takings)
        return state, path

    def _at_most(self, move: Move, start: State) -> int:
        """No less than a move can take off in any state: fewer goods and thresholds give less."""
        return sum(self._member_at_most(member, start) for member in move.members)

    def _member_at_most(self, candidate: Candidate, start: State) -> int:
        effect = candidate.offer.effect
        is_limited = isinstance(effect, NthItem | SetPrice) and effect.sets_limit > 0
        if is_limited or isinstance(effect, Bundle | FreeUnits):
            # Fewer open units may make other sets, of dearer ones.
            return sum(start.remaining[index] for index in candidate.lines)
        taking = take(replace(candidate, gate=OPEN), self.lines, start)
        # Rounding on each line may give a cent more on less.
        return taking.total + len(candidate.lines) if isinstance(taking, Taking) else 0

    def _expand(self, bucket: Sequence[Move], frontier: dict[State, Path]) -> dict[State, Path]:
        """All states that lawful ordered subsets of a bucket lead to."""
        done: dict[State, Path] = {}
        layer = {(state, 0): path for state, path in frontier.items()}
        while layer:
            layer = self._narrowed(layer)
            following: dict[tuple[State, int], Path] = {}
            for (state, taken), path in layer.items():
                _keep(done, state, path)
                for number, move in enumerate(bucket):
                    if taken >> number & 1 or move.closes in state.closed:
                        continue
                    self.attempts += 1
                    if takings := move.attempt(self.lines, state):
                        left = after(state, takings, move.closes)
                        _keep(following, (left, taken | 1 << number), (*path, *takings))
            layer = following
        return done

    def _narrowed(self, layer: dict[tuple[State, int], Path]) -> dict[tuple[State, int], Path]:
        if self.attempts < ATTEMPTS_EXACT_MAX or len(layer) <= STATES_BEYOND:
            return layer
        self.is_proved = False
        cheapest = sorted(layer, key=lambda key: (sum(key[0].remaining), _rating(layer[key])))
        return {key: layer[key] for key in cheapest[:STATES_BEYOND]}


def _keep(found: dict[Key, Path], key: Key, path: Path) -> None:
    known = found.get(key)
    if known is None or _rating(path) < _rating(known):
        found[key] = path


def _rating(path: Path) -> tuple[int, list[int], list[str]]:
    """Lower is better among equal amounts."""
    offers = [taking.candidate.offer for taking in path]
    priorities = sorted(-offer.priority for offer in offers)
    return len(path), priorities, sorted(taking.candidate.key for taking in path)


def _move_order(move: Move) -> tuple[tuple[int, int], list[str]]:
    return move.place, [member.key for member in move.members]


def _moves(candidates: Iterable[Candidate]) -> list[Move]:
    moves: list[Move] = []
    adding: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.mode is GroupMode.ADD:
            adding.setdefault(candidate.group, []).append(candidate)
        else:
            closes = candidate.group if candidate.mode is GroupMode.ONE else ""
            moves.append(Move((candidate,), closes))
    for group, members in adding.items():
        moves += [Move(subset, group) for subset in _subsets(members)]
    return moves


def _subsets(members: list[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    if len(members) > ADDED_MEMBERS_MAX:
        yield tuple(members)
        yield from ((member,) for member in members)
        return
    for size in range(1, len(members) + 1):
        yield from combinations(members, size)


def _independent(moves: Sequence[Move]) -> list[list[Move]]:
    """Moves in parts that share no lines and no group, each in its old order."""
    parts: list[tuple[set[int], set[str], list[Move]]] = []
    for move in moves:
        lines, groups, together = move.touches(), {move.closes} - {""}, [move]
        apart = []
        for part in parts:
            if lines.isdisjoint(part[0]) and groups.isdisjoint(part[1]):
                apart.append(part)
            else:
                lines |= part[0]
                groups |= part[1]
                together = part[2] + together
        parts = [*apart, (lines, groups, together)]
    return [part[2] for part in parts]
