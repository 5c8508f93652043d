"""Which enrolments are one person by now."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Row, bindparam, select

from shared.ids import MemberId
from sync_server.database.among import among, among_told, rows_of_keys
from sync_server.database.schema import merges
from sync_server.database.transaction import Snapshot
from sync_server.members.segments import in_batches

_ALIASES: Final = select(merges.c.from_member, merges.c.into_member).where(
    merges.c.shard == bindparam("shard"),
    among_told(merges.c.from_member, "members"),
    merges.c.undone_by.is_(None),
)
"""Asked with every push: made once."""


def open_merge_of(snapshot: Snapshot, alias: MemberId) -> Row[Any] | None:
    """The merge that made a member an alias; None for one that stands for itself."""
    return snapshot.connection.execute(
        select(merges).where(
            merges.c.shard == snapshot.shard,
            merges.c.from_member == alias,
            merges.c.undone_by.is_(None),
        )
    ).first()


def stands_for(snapshot: Snapshot, member: MemberId) -> MemberId:
    """Whom a member is an alias of by now; itself for one that stands for itself."""
    while (merge := open_merge_of(snapshot, member)) is not None:
        member = MemberId(merge.into_member)
    return member


def open_merges_into(snapshot: Snapshot, member: MemberId) -> list[Row[Any]]:
    """The merges that made others aliases of a member, the oldest first."""
    statement = select(merges).where(
        merges.c.shard == snapshot.shard,
        merges.c.into_member == member,
        merges.c.undone_by.is_(None),
    )
    return list(snapshot.connection.execute(statement.order_by(merges.c.merged_by)))


def aliases_among(snapshot: Snapshot, member_ids: Iterable[MemberId]) -> dict[str, str]:
    """Those of these members that are aliases, with whom they are aliases of."""
    found: dict[str, str] = {}
    for ids in in_batches(list(member_ids)):
        told = {"shard": snapshot.shard, "members": rows_of_keys(ids)}
        found.update(
            (row.from_member, row.into_member)
            for row in snapshot.connection.execute(_ALIASES, told)
        )
    return found


def links_above(snapshot: Snapshot, member_ids: Iterable[MemberId]) -> dict[MemberId, MemberId]:
    """Whom these members, and all on the way to who they are by now, are aliases of."""
    found: dict[MemberId, MemberId] = {}
    asked = list(member_ids)
    while asked:
        above = aliases_among(snapshot, asked)
        found |= {MemberId(alias): MemberId(into) for alias, into in above.items()}
        asked = [MemberId(into) for into in set(above.values()) if into not in found]
    return found


def heads_of_persons(
    snapshot: Snapshot, member_ids: Iterable[MemberId]
) -> dict[MemberId, MemberId]:
    """Everybody who is one person with any of these members, with who they are by now."""
    own = list(member_ids)
    above = links_above(snapshot, own)
    heads = {_top(above, one) for one in own}
    return {one: one for one in heads} | aliases_below(snapshot, heads)


def _top(above: Mapping[MemberId, MemberId], member: MemberId) -> MemberId:
    while member in above:
        member = above[member]
    return member


def one_person(snapshot: Snapshot, member: MemberId) -> list[MemberId]:
    """A member with everybody who is the same person by now, itself first."""
    found = [member]
    for one in found:
        above = open_merge_of(snapshot, one)
        linked = [above.into_member] if above is not None else []
        linked += [merge.from_member for merge in open_merges_into(snapshot, one)]
        found += [other for other in linked if other not in found]
    return found


def aliases_below(snapshot: Snapshot, member_ids: Iterable[MemberId]) -> dict[MemberId, MemberId]:
    """Everybody who is an alias of one of these members by now, however far, with whom of them."""
    found: dict[MemberId, MemberId] = {}
    heads = {member: member for member in member_ids}
    while heads:
        below: dict[MemberId, MemberId] = {}
        for ids in in_batches(list(heads)):
            statement = select(merges.c.from_member, merges.c.into_member).where(
                merges.c.shard == snapshot.shard,
                among(merges.c.into_member, ids),
                merges.c.undone_by.is_(None),
            )
            for row in snapshot.connection.execute(statement):
                below[MemberId(row.from_member)] = heads[MemberId(row.into_member)]
        found |= below
        heads = below
    return found
