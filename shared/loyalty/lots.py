"""Lots of points: which are drawn first, and where taken-back points come from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.programme import Floor
from shared.trade.fact import LotDraw

DEBT: Final = LotId("debt")
"""The lot of what a member owes; negative, paid first by later earnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points left of one earning. ``last_day`` is the last one on which they can be spent."""

    lot: LotId
    points: int
    earned_on: date
    last_day: date | None = None

    def is_spendable(self, today: date) -> bool:
        """Whether something is left that has not lapsed."""
        return self.points > 0 and (self.last_day is None or today <= self.last_day)


def spending_order(lot: Lot) -> tuple[bool, date, date, str]:
    """Earliest expiry first, what never lapses last; then oldest; then by id, for certainty."""
    return lot.last_day is None, lot.last_day or date.max, lot.earned_on, lot.lot


def spendable(lots: Iterable[Lot], today: date) -> int:
    """How many points can be spent on a day: live lots less what is owed."""
    held = list(lots)
    owed = sum(lot.points for lot in held if lot.points < 0)
    return max(0, owed + sum(lot.points for lot in held if lot.is_spendable(today)))


def draw(lots: Iterable[Lot], points: int, today: date) -> tuple[LotDraw, ...]:
    """Take points out of lots in spending order.

    Raises DomainError ``points-not-enough`` when fewer can be spent on that day.
    """
    assert points >= 0
    held = list(lots)
    if points > (have := spendable(held, today)):
        raise DomainError("points-not-enough", points=points, balance=have)
    draws, _ = _take(sorted(held, key=spending_order), points, today)
    return draws


@dataclass(frozen=True, slots=True)
class ClawBack:
    """Points taken back, by lot (``debt`` for what was already spent), and what was forgiven."""

    draws: tuple[LotDraw, ...]
    forgiven: int

    @property
    def points(self) -> int:
        """How many were taken back."""
        return sum(one.points for one in self.draws)


def claw_back(
    lots: Iterable[Lot], points: int, *, of_sale: LotId, today: date, floor: Floor = Floor.DEBT
) -> ClawBack:
    """Take back points that a sale had earned.

    First from its own lot, then from the earliest expiry on, then as debt; where the programme
    stops at zero, what would be debt is forgiven.
    """
    assert points >= 0
    live = sorted(lots, key=lambda lot: (lot.lot != of_sale, spending_order(lot)))
    draws, missing = _take(live, points, today)
    if not missing:
        return ClawBack(draws, 0)
    if floor is Floor.ZERO:
        return ClawBack(draws, missing)
    return ClawBack((*draws, LotDraw(lot=DEBT, points=missing)), 0)


def _take(lots: Iterable[Lot], points: int, today: date) -> tuple[tuple[LotDraw, ...], int]:
    draws: list[LotDraw] = []
    for lot in lots:
        if points and lot.is_spendable(today):
            part = min(points, lot.points)
            draws.append(LotDraw(lot=lot.lot, points=part))
            points -= part
    return tuple(draws), points
