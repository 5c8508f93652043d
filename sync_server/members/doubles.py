"""Enrolments with one phone or card: linked by an exception until somebody decides."""

from typing import NamedTuple

from sqlalchemy import select

from shared.ids import MemberId
from sync_server.database.schema import exceptions, members
from sync_server.database.transaction import Snapshot
from sync_server.ledger.finding import Rule
from sync_server.members.aliases import one_person


class Double(NamedTuple):
    """Two members who may be one person."""

    holder: MemberId
    """Who has the key: what is earned by phone or card is earned here."""
    other: MemberId
    name: str
    """Of the other, as enrolled."""
    exception: str


def doubles(snapshot: Snapshot) -> list[Double]:
    """All pairs that are open, the oldest first: neither merged into one nor erased."""
    columns = exceptions.c
    statement = select(columns.entry_id, columns.natural_key, columns.member_id).where(
        columns.shard == snapshot.shard, columns.rule == Rule.DUPLICATE_MEMBER_KEY.value
    )
    found = []
    for row in snapshot.connection.execute(statement.order_by(columns.entry_id)).all():
        first, second = row.natural_key.split(":")[1:3]
        holder = first if second == row.member_id else second
        names = _names(snapshot, [holder, row.member_id])
        if len(names) == 2 and row.member_id not in one_person(snapshot, MemberId(holder)):
            found.append(
                Double(
                    MemberId(holder), MemberId(row.member_id), names[row.member_id], row.entry_id
                )
            )
    return found


def _names(snapshot: Snapshot, ids: list[str]) -> dict[str, str]:
    statement = select(members.c.member_id, members.c.name).where(
        members.c.shard == snapshot.shard,
        members.c.member_id.in_(ids),
        members.c.gone.is_(False),
    )
    return {row.member_id: row.name for row in snapshot.connection.execute(statement)}
