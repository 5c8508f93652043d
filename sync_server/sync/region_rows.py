"""The members that a till reads: all, or those of its region with those who left it."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select

from shared.journal.certificate import Certificate
from shared.protocol.message import PROTOCOL_REGIONS, MemberRow, Stream
from sync_server.database.schema import member_regions, members, stores, tills
from sync_server.database.transaction import Snapshot
from sync_server.members.regions import EVERYWHERE
from sync_server.members.rows import read_member_rows
from sync_server.sync.rows import TABLES


def scope_of(snapshot: Snapshot, caller: Certificate, stream: Stream, protocol: int) -> str:
    """Which members a till holds: those of its store's region, as the store is now.

    Tills of older versions, and of stores without a region, hold all.
    """
    if stream is not Stream.MEMBERS or protocol < PROTOCOL_REGIONS:
        return EVERYWHERE
    statement = (
        select(stores.c.region)
        .join(tills, (tills.c.shard == stores.c.shard) & (tills.c.store_id == stores.c.store_id))
        .where(stores.c.shard == snapshot.shard, tills.c.till_id == caller.till_id)
    )
    return snapshot.connection.execute(statement).scalar() or EVERYWHERE


def scopes_in_use(snapshot: Snapshot) -> list[str]:
    """The regions of stores that have tills."""
    statement = (
        select(stores.c.region)
        .join(tills, (tills.c.shard == stores.c.shard) & (tills.c.store_id == stores.c.store_id))
        .where(stores.c.shard == snapshot.shard)
    )
    return sorted(snapshot.connection.execute(statement.distinct()).scalars())


def changed_rows(
    snapshot: Snapshot, stream: Stream, region: str, *, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Rows of a stream's table that changed, in order; of a region also of those who left it."""
    table = TABLES[stream]
    statement = select(table).where(table.c.shard == snapshot.shard, table.c.change_seq > after)
    if region != EVERYWHERE:
        columns = member_regions.c
        statement = statement.join(
            member_regions,
            (columns.shard == members.c.shard)
            & (columns.member_id == members.c.member_id)
            & (columns.region == region),
        )
    return snapshot.connection.execute(statement.order_by(table.c.change_seq).limit(limit)).all()


def region_rows(snapshot: Snapshot, region: str, rows: Sequence[Row[Any]]) -> list[MemberRow]:
    """Members as tills of a region get them, in the same order; those who left it as such."""
    told = read_member_rows(snapshot, rows)
    if region == EVERYWHERE:
        return told
    columns = member_regions.c
    statement = select(columns.member_id).where(
        columns.shard == snapshot.shard,
        columns.region == region,
        columns.has_left.is_(True),
        columns.member_id.in_([row.member_id for row in rows]),
    )
    left = set(snapshot.connection.execute(statement).scalars())
    return [
        MemberRow(member_id=row.member_id, gone=True, left=True)
        if row.member_id in left and not row.gone
        else row
        for row in told
    ]


def member_pages(snapshot: Snapshot, region: str, limit: int) -> Iterator[list[MemberRow]]:
    """All members of a scope who are no tombstones, a page at a time, as tills get them."""
    after = 0
    while rows := changed_rows(snapshot, Stream.MEMBERS, region, after=after, limit=limit):
        yield [row for row in region_rows(snapshot, region, rows) if not row.gone]
        after = rows[-1].change_seq
