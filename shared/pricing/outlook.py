"""What is still to come after a part of the search, and what of a state matters to it."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from shared.loyalty.effects import AmountOff, Ladder, PercentLadder, PercentOff
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE
from shared.pricing.gates import OPEN, Fixed, Gate, Threshold
from shared.pricing.moves import Move

BILLION: Final = 10**9


class Left(Protocol):
    """A state of some lines, with the sum of what is left of them."""

    @property
    def remaining(self) -> Sequence[int]: ...
    @property
    def used(self) -> Sequence[int]: ...
    @property
    def multi(self) -> Sequence[int]: ...
    @property
    def closed(self) -> frozenset[str]: ...
    @property
    def left(self) -> int: ...


@dataclass(frozen=True, slots=True)
class View:
    """What later moves see of a state: states that look alike to them need not be told apart.

    ``seen`` are the lines they look at; where all of them only look at one and the same sum,
    ``is_pooled``.
    """

    seen: tuple[int, ...]
    is_pooled: bool
    sees_units: bool
    groups: frozenset[str]

    def of(self, state: Left) -> Hashable:
        """Equal for states that look alike."""
        closed = state.closed & self.groups
        if self.is_pooled:
            return state.left, sum(state.remaining[index] for index in self.seen), closed
        # Lists are filled faster than generators run, and this runs for every state.
        left = tuple([state.remaining[index] for index in self.seen])
        if not self.sees_units:
            return state.left, left, closed
        used = tuple([state.used[index] for index in self.seen])
        multi = tuple([state.multi[index] for index in self.seen])
        return state.left, left, used, multi, closed


def view(positions: Sequence[int], later: Sequence[Move]) -> View:
    """What moves see of these lines; the answer's ``seen`` are places among them."""
    touched = {index for move in later for index in move.touches}
    seen = tuple(number for number, index in enumerate(positions) if index in touched)
    own = set(positions)
    return View(
        seen=seen,
        is_pooled=_look_at_one_sum(later),
        sees_units=any(m.looks_at_units and not own.isdisjoint(m.touches) for m in later),
        groups=frozenset(move.closes for move in later if move.closes),
    )


def _look_at_one_sum(moves: Iterable[Move]) -> bool:
    """Whether what each of them does depends on the sum of the same lines alone."""
    pool: frozenset[int] | None = None
    for move in moves:
        if len(move.members) != 1:
            return False
        (member,) = move.members
        match member.offer.effect:
            case Ladder() | PercentLadder() | AmountOff(each_unit=False):
                pass
            case PercentOff(spares_multi_buy=False):
                pass
            case _:
                return False
        lines = frozenset(member.lines)
        if (pool is not None and lines != pool) or not _looks_at(member.gate, lines):
            return False
        pool = lines
    return True


def _looks_at(gate: Gate, lines: frozenset[int]) -> bool:
    match gate:
        case Threshold():
            return not gate.nets and frozenset(gate.positions) == lines
        case Fixed():
            return True
        case _:
            return all(_looks_at(one, lines) for one in gate.gates)


@dataclass(frozen=True, slots=True)
class Slot:
    """Moves of which at most one will be taken, and the most that it takes off."""

    moves: tuple[Move, ...]
    most: int


def slots(moves: Iterable[Move], most: Mapping[Move, int]) -> list[Slot]:
    """Each move apart, but those of one closing group together."""
    found: dict[str | int, list[Move]] = {}
    for number, move in enumerate(moves):
        found.setdefault(move.closes or number, []).append(move)
    return [Slot(tuple(own), max(most[move] for move in own)) for own in found.values()]


@dataclass(frozen=True, slots=True)
class Prospect:
    """What later moves can make of the difference between two states of the same lines.

    Follow the dearer state's best sequel from the cheaper one, but leave out the moves that jump:
    those with thresholds, and those that look at single lines or units. ``lost`` is the most that
    these take off. What is left are percentages. Those on all of the lines multiply the lead by
    ``kept`` at least; those on some shrink it line by line, to ``keeps`` (both in billionths).
    """

    lost: int
    kept: int
    keeps: tuple[int, ...]
    start: tuple[int, ...]

    @property
    def slack(self) -> int | None:
        """How much dearer than another a state may be and still end lower; None: any.

        A dearer state may be cheaper on lines that no percentage is for: all that percentages on
        single lines can take counts against the lead.
        """
        if not self.kept:
            return None
        shrunk = sum(
            divide_rounded(left * (BILLION - keep), BILLION, Rounding.UP)
            for left, keep in zip(self.start, self.keeps, strict=True)
        )
        return divide_rounded(self.lost * BILLION, self.kept, Rounding.UP) + shrunk

    def is_beaten(self, remaining: Sequence[int], cheaper: Sequence[int]) -> bool:
        """Whether no sequel brings a state as low as the other's."""
        lead = 0
        for left, other, keep in zip(remaining, cheaper, self.keeps, strict=True):
            more = left - other
            lead += more * keep if more > 0 else more * BILLION
        return lead * self.kept > self.lost * BILLION * BILLION


def prospect(
    positions: Sequence[int],
    start: Sequence[int],
    later: Sequence[Slot],
    most: Mapping[Move, int],
) -> Prospect:
    """The prospect of lines with these amounts before ``later`` moves."""
    own = frozenset(positions)
    lost, kept, keeps = 0, BILLION, dict.fromkeys(positions, BILLION)
    for slot in later:
        jump, even = 0, 0
        for move in slot.moves:
            percent = _plain_percentage(move)
            if percent is None:
                jump = max(jump, most[move])
            elif own <= move.touches:
                even = max(even, percent)
            elif touched := own & move.touches:
                for index in touched:
                    keeps[index] = keeps[index] * (WHOLE - percent) // WHOLE
                # Shares of every percentage are rounded line by line, which this one sees.
                crumbs = percent * len(touched) * len(later)
                lost += divide_rounded(crumbs, WHOLE, Rounding.UP)
        lost += jump + 1
        kept = kept * (WHOLE - even) // WHOLE
    return Prospect(_coarse(lost), kept, tuple(keeps[index] for index in positions), tuple(start))


def _coarse(amount: int) -> int:
    """An amount rounded up by an eighth at most, so that small changes elsewhere do not show."""
    step = 1 << max(0, amount.bit_length() - 4)
    return -(-amount // step) * step


def _plain_percentage(move: Move) -> int | None:
    """The basis points of a percentage without conditions; None for what may jump.

    An amount off takes less where less is left than it, so that two states may end alike.
    """
    if len(move.members) != 1 or move.members[0].gate != OPEN:
        return None
    effect = move.members[0].offer.effect
    is_capped = move.members[0].offer.at_most_minor > 0
    if isinstance(effect, PercentOff) and not effect.spares_multi_buy and not is_capped:
        return effect.basis_points_off
    return None
