"""What points the shop owes and what lapsed unused, lot by lot, at the end of any past day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import func, select

from shared.ids import LotId, MemberId
from shared.ledger.account import AccountKind, points_unit
from shared.loyalty.liability import Movement, best_value, liability
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.usable import usable
from sync_server.database.schema import entries, lots, postings
from sync_server.database.transaction import Snapshot

_AT_ONCE = 5_000
"""Rows that are read from the database in one go."""


class LotOutstanding(NamedTuple):
    """A member's lot on the day; ``debt`` is what the member owes, below zero."""

    member_id: MemberId
    lot: LotId
    outstanding: int
    lapsed: int
    last_day: date | None


class OutstandingPoints(NamedTuple):
    """A member's lots on the day, and what the outstanding points could pay, in minor units."""

    lots: tuple[LotOutstanding, ...]
    value_minor: int


@dataclass(frozen=True, slots=True)
class HeldByMember:
    """A member's lots as they were on a day, and the days on which the member was active."""

    member_id: MemberId
    lots: tuple[Lot, ...]
    active: tuple[date, ...]


def outstanding_points(
    snapshot: Snapshot, programme: Programme, on: date
) -> Iterator[OutstandingPoints]:
    """Each member who has, owes or lost points, as at the end of a day; by id.

    Facts count on the day at which they happened at their store. Until when lots can be spent, and
    what points are worth, is told by what is known now.
    """
    worth = best_value(programme)
    for held in held_by_members(snapshot, programme, on):
        ends = {lot.lot: lot.last_day for lot in usable(held.lots, programme, held.active)}
        found = liability(
            [Movement(lot=lot.lot, points=lot.points, on=on) for lot in held.lots],
            {str(lot): last for lot, last in ends.items()},
            on,
            value_per_block_minor=worth.value_minor,
            points_per_block=worth.points,
        )
        told = tuple(
            LotOutstanding(
                held.member_id, LotId(one.lot), one.outstanding, one.lapsed, ends[LotId(one.lot)]
            )
            for one in found.lots
            if one.outstanding or one.lapsed
        )
        if told:
            yield OutstandingPoints(told, found.value_minor)


def held_by_members(snapshot: Snapshot, programme: Programme, on: date) -> Iterator[HeldByMember]:
    """In one pass over the ledger, however many members there are."""
    statement = (
        select(
            postings.c.owner,
            postings.c.lot,
            postings.c.account,
            func.sum(postings.c.amount),
            func.max(lots.c.earned_on),
            func.max(lots.c.expires_on),
        )
        .join(
            entries,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .outerjoin(lots, (lots.c.shard == postings.c.shard) & (lots.c.lot == postings.c.lot))
        .where(
            postings.c.shard == snapshot.shard,
            (
                (postings.c.account == AccountKind.POINTS.value)
                & (postings.c.unit == points_unit(programme.points.decimals))
            )
            | (postings.c.account == AccountKind.SPEND.value),
            func.substr(entries.c.occurred_at, 1, 10) <= on.isoformat(),
        )
        .group_by(postings.c.owner, postings.c.lot, postings.c.account)
        .order_by(postings.c.owner, postings.c.lot)
    )
    rows = snapshot.connection.execution_options(yield_per=_AT_ONCE).execute(statement)
    for owner, own in groupby(map(tuple, rows), key=itemgetter(0)):
        told = list(own)
        yield HeldByMember(
            MemberId(owner),
            tuple(
                Lot(
                    lot=LotId(lot),
                    points=int(points),
                    earned_on=_day(began) or date.min,
                    last_day=_day(ends),
                )
                for _owner, lot, account, points, began, ends in told
                if account == AccountKind.POINTS
            ),
            tuple(
                day
                for _owner, _lot, _account, _points, began, _ends in told
                if (day := _day(began)) is not None and day <= on
            ),
        )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
