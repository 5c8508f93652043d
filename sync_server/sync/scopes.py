"""What tills should hold of each stream: kept in every transaction that changes rows of it.

Whoever changes a row gives it a new number of the shard's counter; so the rows that a transaction
changed are those above what was counted before, and no writer has to remember this table.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, bindparam, delete, func, select

from shared.protocol.message import Stream
from shared.protocol.replica import Scope, is_tombstone, row_hash, row_key
from sync_server.database.among import among
from sync_server.database.schema import scope_rows, scopes, shards
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.sync.kept_scopes import FORMAT, OF_REGIONS, kept_row, read_scope, write_scope
from sync_server.sync.region_scopes import count_in_regions, miscounted_regions, recount_regions
from sync_server.sync.rows import TABLES, wire_rows

BATCH: Final = 1000

_NEWEST: Final = select(
    *(
        select(func.max(table.c.change_seq))
        .where(table.c.shard == bindparam("shard"))
        .scalar_subquery()
        .label(stream.value)
        for stream, table in TABLES.items()
    )
)
"""The newest change of each stream, in one statement: most transactions change none or one."""
_KEPT: Final = select(scopes).where(scopes.c.shard == bindparam("shard"))
_COUNTER: Final = select(shards.c.server_seq).where(shards.c.shard == bindparam("shard"))


def keep_scopes(work: Work) -> None:
    """Count what this transaction changed; a server that is not counted yet is left alone."""
    newest = work.connection.execute(_NEWEST, {"shard": work.shard}).mappings().one()
    kept = work.connection.execute(_KEPT, {"shard": work.shard}).all()
    for row in kept:
        if row.stream.startswith(OF_REGIONS):
            continue  # they are counted with all members
        stream = Stream(row.stream)
        if row.format != FORMAT or (newest[stream.value] or 0) <= row.through:
            continue
        scope = Scope(row.row_count, int(row.checksum, 16))
        changed = _changed(work, stream, after=row.through, limit=None)
        scope = _count(work, stream, scope, changed, in_regions=True)
        write_scope(work, stream.value, scope, _counter(work))


def count_scopes(database: Database) -> None:
    """Count everything where no scope is kept yet, or another release's: once, in batches.

    One process at a time: each would take the other's rows for counted ones.
    """
    with database.alone():
        _count_streams(database)


def _count_streams(database: Database) -> None:
    for stream in Stream:
        after, scope = 0, Scope()
        with database.writing() as work:
            row = kept_row(work, stream.value)
            if row is not None and row.format == FORMAT:
                continue
            work.connection.execute(
                delete(scope_rows).where(
                    scope_rows.c.shard == work.shard, scope_rows.c.stream == stream
                )
            )
        while True:
            with database.writing() as work:
                changed = _changed(work, stream, after=after, limit=BATCH)
                scope = _count(work, stream, scope, changed)
                if len(changed) < BATCH:
                    write_scope(work, stream.value, scope, _counter(work))
                    if stream is Stream.MEMBERS:
                        recount_regions(work, _counter(work))
                    break
                after = changed[-1].change_seq


def uncounted(snapshot: Snapshot) -> Iterator[str]:
    """Streams, and rows of them, that are counted otherwise than they are; for ``verify``."""
    for stream in Stream:
        counted = dict(_hashes(snapshot, stream, None))
        scope, after = Scope(), 0
        while rows := _changed(snapshot, stream, after=after, limit=BATCH):
            for key, found in _hashed(snapshot, stream, rows):
                if counted.pop(key, None) != found:
                    yield f"{stream}/{key}"
                scope = scope.changed(None, found)
            after = rows[-1].change_seq
        yield from (f"{stream}/{key}" for key in sorted(counted))
        if read_scope(snapshot, stream) != scope:
            yield str(stream)
    yield from miscounted_regions(snapshot)


def _count(
    work: Work,
    stream: Stream,
    scope: Scope,
    changed: Sequence[Row[Any]],
    *,
    in_regions: bool = False,
) -> Scope:
    for at in range(0, len(changed), BATCH):
        hashed = dict(_hashed(work, stream, changed[at : at + BATCH]))
        before = dict(_hashes(work, stream, list(hashed)))
        for key, found in hashed.items():
            scope = scope.changed(before.get(key), found)
        if in_regions and stream is Stream.MEMBERS:
            count_in_regions(work, before, hashed, _counter(work))
        _replace(work, stream, hashed)
    return scope


def _hashed(
    snapshot: Snapshot, stream: Stream, rows: Sequence[Row[Any]]
) -> Iterator[tuple[str, int | None]]:
    for row in wire_rows(snapshot, stream, rows):
        found = None if is_tombstone(row) else row_hash(msgspec.msgpack.encode(row))
        yield row_key(row), found


def _hashes(
    snapshot: Snapshot, stream: Stream, keys: Sequence[str] | None
) -> Iterator[tuple[str, int]]:
    columns = scope_rows.c
    statement = select(columns.row_key, columns.hash).where(
        columns.shard == snapshot.shard, columns.stream == stream
    )
    if keys is not None:
        statement = statement.where(among(columns.row_key, keys))
    for key, found in snapshot.connection.execute(statement):
        yield key, int(found, 16)


def _replace(work: Work, stream: Stream, hashed: dict[str, int | None]) -> None:
    gone = [key for key, found in hashed.items() if found is None]
    if gone:
        work.connection.execute(
            delete(scope_rows).where(
                scope_rows.c.shard == work.shard,
                scope_rows.c.stream == stream,
                scope_rows.c.row_key.in_(gone),
            )
        )
    rows = [
        {"stream": stream.value, "row_key": key, "hash": f"{found:016x}"}
        for key, found in hashed.items()
        if found is not None
    ]
    work.put(scope_rows, rows, "hash = excluded.hash")


def _counter(snapshot: Snapshot) -> int:
    return int(snapshot.connection.execute(_COUNTER, {"shard": snapshot.shard}).scalar_one())


def _changed(
    snapshot: Snapshot, stream: Stream, *, after: int, limit: int | None
) -> Sequence[Row[Any]]:
    table = TABLES[stream]
    statement = (
        select(table)
        .where(table.c.shard == snapshot.shard, table.c.change_seq > after)
        .order_by(table.c.change_seq)
        .limit(limit)
    )
    return snapshot.connection.execute(statement).all()
