"""What is still to come after a part of the search, and what of a state matters to it."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from msgspec import Struct

from shared.money import Rounding, divide_rounded
from shared.pricing.moves import Slot
from shared.pricing.one_sum import looks_at_one_sum
from shared.pricing.trends import BILLION, trend_of


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


class Sequel(Struct, frozen=True):
    """What works after a state of some lines, in their numbering.

    It says which states need not be told apart (``of``), and which cannot win (``is_beaten``).

    The second is a comparison of two states. Follow the dearer one's best sequel from the cheaper
    one, but leave out the moves that jump: those with thresholds, and those that look at single
    lines or units. ``lost`` is the most that these take off, and what rounding may. What is left
    are percentages, and ladders as far as they are alike: a rate of what is left, less some amount
    that is lost. Those on all of the lines multiply the lead by ``kept`` at least; percentages on
    some shrink it line by line, to ``keeps`` (both in billionths). ``crumbs`` is how much of a
    rounding error on each line the latter see, in minor units.
    """

    keeps: tuple[int, ...]
    lost: int = 0
    kept: int = BILLION
    crumbs: int = 0
    seen: frozenset[int] = frozenset()
    is_pooled: bool = True
    """Whether all that works later depends on one and the same sum alone."""
    sees_units: bool = False
    groups: frozenset[str] = frozenset()
    """Those that later moves could still close."""

    @staticmethod
    def nothing(lines: int) -> "Sequel":
        """After the last move."""
        return Sequel(keeps=(BILLION,) * lines)

    def after(self, own: Sequence[Slot]) -> "Sequel":
        """The sequel of what works before these moves, which are followed by this one."""
        moves = [move for slot in own for move in slot.moves]
        lost, kept, keeps, crumbs = self.lost, self.kept, list(self.keeps), self.crumbs
        for slot in own:
            jump, even = 0, 0
            for move in slot.moves:
                trend = trend_of(move, slot.most)
                is_whole = len(move.touches) == len(keeps)
                if is_whole and (trend.is_linear or not crumbs):
                    even, jump = max(even, trend.rate), max(jump, trend.lag)
                elif trend.is_linear:
                    crumbs += divide_rounded(trend.rate * len(move.touches), BILLION, Rounding.UP)
                    for index in move.touches:
                        keeps[index] = keeps[index] * (BILLION - trend.rate) // BILLION
                else:
                    jump = max(jump, slot.most)
            lost += jump + 1 + crumbs
            kept = kept * (BILLION - even) // BILLION
        # Where one looks at all lines there is nothing to unite, and such moves look at many.
        whole = (move.touches for move in moves if len(move.touches) == len(keeps))
        seen = next(whole, None) or self.seen.union(*(move.touches for move in moves))
        return Sequel(
            keeps=tuple(keeps),
            lost=_coarse(lost),
            kept=kept,
            crumbs=crumbs,
            seen=seen,
            is_pooled=self.is_pooled
            and (not self.seen or self.seen == seen)
            and all(looks_at_one_sum(move, seen) for move in moves),
            sees_units=self.sees_units or any(move.looks_at_units for move in moves),
            groups=self.groups.union(move.closes for move in moves if move.closes),
        )

    def of_lines(self, places: Sequence[int]) -> "Sequel":
        """The same for some of the lines, in their own numbering."""
        return Sequel(
            keeps=tuple([self.keeps[place] for place in places]),
            lost=self.lost,
            kept=self.kept,
            crumbs=self.crumbs,
            seen=frozenset([n for n, place in enumerate(places) if place in self.seen]),
            is_pooled=self.is_pooled,
            sees_units=self.sees_units,
            groups=self.groups,
        )

    def of(self, state: Left) -> Hashable:
        """Equal for states that lead to the same."""
        closed = state.closed & self.groups
        # Lists are filled faster than generators run, and this runs for every state.
        if self.is_pooled and len(self.seen) == len(self.keeps):
            return state.left, state.left, closed
        left = tuple([state.remaining[index] for index in self.seen])
        if self.is_pooled:
            return state.left, sum(left), closed
        if not self.sees_units:
            return state.left, left, closed
        used = tuple([state.used[index] for index in self.seen])
        multi = tuple([state.multi[index] for index in self.seen])
        return state.left, left, used, multi, closed

    def slack(self, start: Sequence[int]) -> int | None:
        """How much dearer than another a state may be and still end lower; None: any.

        ``start`` is what the lines cost at first. A dearer state may be cheaper on lines that no
        percentage is for: all that percentages on single lines can take counts against the lead.
        """
        if not self.kept:
            return None
        shrunk = sum(
            divide_rounded(left * (BILLION - keep), BILLION, Rounding.UP)
            for left, keep in zip(start, self.keeps, strict=True)
        )
        return divide_rounded(self.lost * BILLION, self.kept, Rounding.UP) + shrunk

    def is_beaten(self, remaining: Sequence[int], cheaper: Sequence[int]) -> bool:
        """Whether nothing that follows brings a state as low as the other."""
        lead = 0
        for left, other, keep in zip(remaining, cheaper, self.keeps, strict=True):
            more = left - other
            lead += more * keep if more > 0 else more * BILLION
        return lead * self.kept > self.lost * BILLION * BILLION


def _coarse(amount: int) -> int:
    """An amount rounded up by an eighth at most, so that small changes elsewhere do not show."""
    step = 1 << max(0, amount.bit_length() - 4)
    return -(-amount // step) * step
