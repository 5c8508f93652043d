"""What points a shop still owes, and what lapsed unused, lot by lot, at any past day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from shared.loyalty.programme import Programme
from shared.money import Rounding, divide_rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Points that came into a lot, or went out of it, on a day."""

    lot: str
    points: int
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LotLiability:
    """A lot on a day: what can still be spent of it, or what lapsed."""

    lot: str
    outstanding: int
    lapsed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Liability:
    """All lots on a day; ``value_minor`` is what the outstanding points could pay, rounded up."""

    on: date
    lots: tuple[LotLiability, ...]
    value_minor: int

    @property
    def outstanding(self) -> int:
        """Points that can still be spent."""
        return sum(lot.outstanding for lot in self.lots)

    @property
    def breakage(self) -> int:
        """Points that lapsed unused."""
        return sum(lot.lapsed for lot in self.lots)


class Value(NamedTuple):
    """So many minor units for so many points."""

    value_minor: int
    points: int


def best_value(programme: Programme) -> Value:
    """What the programme's best rule pays for points; nothing where points pay nowhere."""
    found = max(
        programme.redemptions,
        key=lambda one: Fraction(one.value_per_block_minor, one.points_per_block),
        default=None,
    )
    return Value(found.value_per_block_minor, found.points_per_block) if found else Value(0, 1)


def liability(
    movements: Iterable[Movement],
    last_days: Mapping[str, date | None],
    on: date,
    *,
    value_per_block_minor: int = 0,
    points_per_block: int = 1,
) -> Liability:
    """The lots as they were at the end of a day; what moved later does not count.

    A lot lapses at the end of its last day. What is owed (a negative lot) lowers the outstanding.
    """
    left: dict[str, int] = {}
    for move in movements:
        if move.on <= on:
            left[move.lot] = left.get(move.lot, 0) + move.points
    lots = []
    for lot, points in sorted(left.items()):
        last = last_days.get(lot)
        is_gone = last is not None and last < on and points > 0
        lots.append(
            LotLiability(
                lot=lot, outstanding=0 if is_gone else points, lapsed=points if is_gone else 0
            )
        )
    outstanding = max(0, sum(lot.outstanding for lot in lots))
    value = divide_rounded(outstanding * value_per_block_minor, points_per_block, Rounding.UP)
    return Liability(on=on, lots=tuple(lots), value_minor=value)
