"""Where members stand today, by the clock of the store that enrolled them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from shared.ids import LotId, MemberId
from shared.ledger.account import AccountKind, points_unit, tier_of
from shared.loyalty.lots import Lot
from shared.loyalty.member_now import points_now, standing_now
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending, TierFloor
from shared.protocol.message import BalanceRow
from sync_server.database.schema import stores
from sync_server.database.transaction import Snapshot
from sync_server.points.held import lot_of
from sync_server.programme.bundles import newest_programme


@dataclass(frozen=True, slots=True)
class BookedMember:
    """What the ledger has of a member."""

    lots: Sequence[Lot]
    spending: Sequence[Spending]
    floors: Sequence[TierFloor] = ()


@dataclass(frozen=True, slots=True)
class MemberToday:
    """A member on a day."""

    tier: str
    tier_until: str = ""
    """Its last day; empty where it has none."""
    points: dict[str, int] = field(default_factory=dict)
    """What they have, by unit: without what has lapsed, less what is owed."""


def members_today(
    snapshot: Snapshot,
    rows: Sequence[Row[Any]],
    balances: Mapping[MemberId, Sequence[BalanceRow]],
    at: datetime,
) -> dict[MemberId, MemberToday]:
    """Rows of the ``members`` table as they stand at a moment; as last told without a programme."""
    programme = newest_programme(snapshot)
    if programme is None:
        return {row.member_id: MemberToday(row.tier) for row in rows}
    zones = _zones(snapshot)
    return {
        row.member_id: _today(
            booked_of(balances.get(row.member_id, ()), programme),
            programme,
            at.astimezone(zones.get(row.store_id, UTC)).date(),
        )
        for row in rows
    }


def _zones(snapshot: Snapshot) -> dict[str, tzinfo]:
    statement = select(stores.c.store_id, stores.c.zone).where(stores.c.shard == snapshot.shard)
    return {row.store_id: ZoneInfo(row.zone) for row in snapshot.connection.execute(statement)}


def _today(booked: BookedMember, programme: Programme, today: date) -> MemberToday:
    standing = standing_now(booked, programme, today)
    points = points_now(booked, programme, today)
    return MemberToday(
        standing.tier,
        standing.last_day.isoformat() if standing.last_day else "",
        {points_unit(programme.points.decimals): points} if points else {},
    )


def booked_of(rows: Iterable[BalanceRow], programme: Programme) -> BookedMember:
    """A member's balances as lots and spending."""
    held = list(rows)
    unit = points_unit(programme.points.decimals)
    return BookedMember(
        lots=[
            lot_of(row) for row in held if row.account == AccountKind.POINTS and row.unit == unit
        ],
        spending=list(_spending(held)),
        floors=list(floors_of(held)),
    )


def floors_of(rows: Iterable[BalanceRow]) -> Iterable[TierFloor]:
    """Tiers set by hand; they may be over."""
    for row in rows:
        if row.account == AccountKind.TIER_FLOOR and row.amount > 0:
            yield TierFloor(tier_of(row.unit), date.fromisoformat(row.lot))


def _spending(rows: Sequence[BalanceRow]) -> Iterable[Spending]:
    days = {row.lot: row.earned_on for row in rows if row.earned_on}
    spend = {row.lot: row.amount for row in rows if row.account == AccountKind.SPEND}
    growth = {row.lot: row.amount for row in rows if row.account == AccountKind.GROWTH}
    for sale in sorted(spend | growth):
        began = days.get(sale)
        yield Spending(
            sale=LotId(sale),
            day=date.fromisoformat(began) if began else date.min,
            spend_minor=spend.get(sale, 0),
            growth=growth.get(sale, 0),
        )
