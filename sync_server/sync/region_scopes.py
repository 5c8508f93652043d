"""What tills of a region should hold of members: kept with what all tills should hold.

A member's row is the same in every region; so a region keeps no hashes of its own, only which of
its members are in its sum.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import ColumnElement, delete, select, update

from shared.protocol.message import Stream
from shared.protocol.replica import Scope
from sync_server.database.schema import member_regions, scope_rows, scopes
from sync_server.database.transaction import Snapshot, Work
from sync_server.sync.kept_scopes import OF_REGIONS, name_of, read_scope, write_scope

_MEMBERS: Final = Stream.MEMBERS
_columns = member_regions.c


def count_in_regions(
    work: Work, before: Mapping[str, int], after: Mapping[str, int | None], through: int
) -> None:
    """Move the sums of regions by members whose rows, or whose regions, have changed."""
    statement = select(member_regions).where(
        _columns.shard == work.shard, _columns.member_id.in_(list(after))
    )
    moved: dict[str, Scope] = {}
    counted: dict[bool, list[tuple[str, str]]] = defaultdict(list)
    for row in work.connection.execute(statement).all():
        was = before.get(row.member_id) if row.is_counted else None
        now = None if row.has_left else after[row.member_id]
        scope = moved.get(row.region) or read_scope(work, _MEMBERS, row.region)
        moved[row.region] = scope.changed(was, now)
        if row.is_counted is not (now is not None):
            counted[now is not None].append((row.region, row.member_id))
    for region, scope in moved.items():
        write_scope(work, name_of(_MEMBERS, region), scope, through)
    for is_counted, found in counted.items():
        for region in {one for one, _member in found}:
            ids = [member for one, member in found if one == region]
            _mark(work, _columns.region == region, _columns.member_id.in_(ids), to=is_counted)


def recount_regions(work: Work, through: int) -> None:
    """Count all regions anew from the rows that are counted for everybody."""
    stale = scopes.c.stream.startswith(OF_REGIONS, autoescape=True)
    work.connection.execute(delete(scopes).where(scopes.c.shard == work.shard, stale))
    here = (
        select(scope_rows.c.row_key)
        .where(
            scope_rows.c.shard == work.shard,
            scope_rows.c.stream == _MEMBERS,
            scope_rows.c.row_key == _columns.member_id,
        )
        .correlate(member_regions)
        .exists()
    )
    _mark(work, to=False)
    _mark(work, _columns.has_left.is_(False), here, to=True)
    for region in _regions(work):
        write_scope(work, name_of(_MEMBERS, region), _sum(work, region), through)


def miscounted_regions(snapshot: Snapshot) -> Iterator[str]:
    """Regions that are counted otherwise than they are; for ``verify``."""
    for region in _regions(snapshot):
        if read_scope(snapshot, _MEMBERS, region) != _sum(snapshot, region):
            yield name_of(_MEMBERS, region)


def _sum(snapshot: Snapshot, region: str) -> Scope:
    """Of members who have not left, whether they are marked as counted or not."""
    statement = (
        select(scope_rows.c.hash)
        .join(
            member_regions,
            (_columns.shard == scope_rows.c.shard) & (_columns.member_id == scope_rows.c.row_key),
        )
        .where(
            scope_rows.c.shard == snapshot.shard,
            scope_rows.c.stream == _MEMBERS,
            _columns.region == region,
            _columns.has_left.is_(False),
        )
    )
    scope = Scope()
    for found in snapshot.connection.execute(statement).scalars():
        scope = scope.changed(None, int(found, 16))
    return scope


def _regions(snapshot: Snapshot) -> list[str]:
    statement = select(_columns.region).where(_columns.shard == snapshot.shard).distinct()
    return sorted(snapshot.connection.execute(statement).scalars())


def _mark(work: Work, *which: ColumnElement[bool], to: bool) -> None:
    work.connection.execute(
        update(member_regions).where(_columns.shard == work.shard, *which).values(is_counted=to)
    )
