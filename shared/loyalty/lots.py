"""Lots of points: which are drawn first, and where taken-back points come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import msgspec

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.programme import Floor
from shared.trade.fact import LotDraw

DEBT: Final = LotId("debt")
"""The lot of what a member owes; negative, paid first by later earnings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points left of one earning.

    ``usable_from`` is the first day on which they can be spent, ``last_day`` the last one; None is
    no such day.
    """

    lot: LotId
    points: int
    earned_on: date
    last_day: date | None = None
    usable_from: date | None = None

    def is_spendable(self, today: date) -> bool:
        """Whether something is left that is neither pending nor lapsed."""
        return self.is_alive(today) and (self.usable_from is None or self.usable_from <= today)

    def is_alive(self, today: date) -> bool:
        """Whether something is left that has not lapsed; it may be pending."""
        return self.points > 0 and (self.last_day is None or today <= self.last_day)


def pending(lots: Iterable[Lot], days: int) -> list[Lot]:
    """Lots that can be spent so many days after they were earned, if they name no day themselves.

    The days are those of the programme in force, not of the one at the time of the earning.
    """
    return [
        lot
        if not days or lot.usable_from is not None or lot.earned_on == date.min
        else replace(lot, usable_from=lot.earned_on + timedelta(days=days))
        for lot in lots
    ]


def dormant(lots: Iterable[Lot], last: date | None) -> list[Lot]:
    """Lots of a member whose points lapse after a day for want of activity; None: they do not.

    A lot that was earned after that day, or lapses before it, stays as it is.
    """
    return [
        replace(lot, last_day=last)
        if last is not None
        and lot.points >= 0
        and lot.earned_on <= last
        and (lot.last_day is None or lot.last_day > last)
        else lot
        for lot in lots
    ]


def less(lots: Iterable[Lot], draws: Iterable[LotDraw]) -> list[Lot]:
    """Lots without what was drawn from them."""
    gone: dict[LotId, int] = {}
    for one in draws:
        gone[one.lot] = gone.get(one.lot, 0) + one.points
    return [replace(lot, points=lot.points - gone.get(lot.lot, 0)) for lot in lots]


def at_most(lots: Iterable[Lot], points: int, today: date) -> list[Lot]:
    """The lots of which so many points can be spent on a day, and no more."""
    held = list(lots)
    drawn = {one.lot: one.points for one in draw(held, min(points, spendable(held, today)), today)}
    return [replace(lot, points=drawn[lot.lot]) for lot in held if lot.lot in drawn]


def spending_order(lot: Lot) -> tuple[bool, date, date, str]:
    """Earliest expiry first, what never lapses last; then oldest; then by id, for certainty."""
    return lot.last_day is None, lot.last_day or date.max, lot.earned_on, lot.lot


def spendable(lots: Iterable[Lot], today: date) -> int:
    """How many points can be spent on a day: live lots less what is owed."""
    held = list(lots)
    owed = sum(lot.points for lot in held if lot.points < 0)
    return max(0, owed + sum(lot.points for lot in held if lot.is_spendable(today)))


def draw(lots: Iterable[Lot], points: int, today: date) -> tuple[LotDraw, ...]:
    """Take points out of lots in spending order; each says until when it could be spent.

    Raises DomainError ``points-not-enough`` when fewer can be spent on that day.
    """
    assert points >= 0
    held = list(lots)
    if points > (have := spendable(held, today)):
        raise DomainError("points-not-enough", points=points, balance=have)
    usable = [lot for lot in held if lot.is_spendable(today)]
    draws, _ = _take(sorted(usable, key=spending_order), points)
    last_days = {lot.lot: lot.last_day for lot in usable}
    return tuple(
        msgspec.structs.replace(one, last_day=last.isoformat())
        if (last := last_days[one.lot]) is not None
        else one
        for one in draws
    )


@dataclass(frozen=True, slots=True)
class ClawBack:
    """Points taken back, by lot (``debt`` for what was already spent), and what was forgiven.

    ``forgiven`` is that of the whole sale so far.
    """

    draws: tuple[LotDraw, ...]
    forgiven: int

    @property
    def points(self) -> int:
        """How many were taken back."""
        return sum(one.points for one in self.draws)


def claw_back(
    lots: Iterable[Lot],
    points: int,
    *,
    of_sale: LotId,
    today: date,
    floor: Floor = Floor.DEBT,
    forgiven_before: int = 0,
) -> ClawBack:
    """Take back points that a sale had earned.

    First from its own lot, then from the earliest expiry on, then as debt; where the programme
    stops at zero, what would be debt is forgiven. What earlier returns of the same sale have
    forgiven this one takes where it can: several returns leave what one of all would. What has
    lapsed of its own lot bears its part:
    those points are lost already, and no others are taken for them.
    """
    assert points >= 0
    points += forgiven_before if floor is Floor.ZERO else 0
    holding = [
        lot for lot in lots if lot.is_alive(today) or (lot.lot == of_sale and lot.points > 0)
    ]
    in_turn = sorted(holding, key=lambda lot: (lot.lot != of_sale, spending_order(lot)))
    draws, missing = _take(in_turn, points)
    if not missing:
        return ClawBack(draws, 0)
    if floor is Floor.ZERO:
        return ClawBack(draws, missing)
    return ClawBack((*draws, LotDraw(lot=DEBT, points=missing)), 0)


def paying_debts(
    lots: Iterable[Lot], today: date, paid: Mapping[LotId, int] | None = None
) -> dict[LotId, int]:
    """What each lot gets (below zero: gives) so that live points pay the debt; it sums to zero.

    ``paid`` is what lots have given before, spent out ones among them: the outcome is what it would
    be had all been known at once, so the order in which it became known does not matter. The
    earliest expiry pays first. What has lapsed pays nothing more and gets nothing back, unless it
    was drawn on meanwhile.
    """
    before = paid or {}
    held = list(lots)
    due = sum(before.values()) - sum(lot.points for lot in held if lot.lot == DEBT)
    changes: dict[LotId, int] = {}
    for lot in sorted((lot for lot in held if lot.lot != DEBT), key=spending_order):
        gave = before.get(lot.lot, 0)
        most = max(0, lot.points + gave)
        if lot.last_day is not None and lot.last_day < today:
            most = min(most, gave)
        part = min(max(0, due), most)
        due -= part
        changes[lot.lot] = gave - part
    changes[DEBT] = -sum(changes.values())
    return {lot: points for lot, points in changes.items() if points}


def _take(lots: Iterable[Lot], points: int) -> tuple[tuple[LotDraw, ...], int]:
    draws: list[LotDraw] = []
    for lot in lots:
        if points:
            part = min(points, lot.points)
            draws.append(LotDraw(lot=lot.lot, points=part))
            points -= part
    return tuple(draws), points
