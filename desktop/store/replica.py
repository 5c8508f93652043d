"""What this till holds of each stream, counted as the server counts it."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.prepared import Prepared, among, listed
from desktop.store.schema import cursors, held_rows, held_scopes
from shared.protocol.message import Stream
from shared.protocol.replica import Scope

Hashed = tuple[str, int | None]
"""A row's key and what it counts with; None for a tombstone."""

_HELD = Prepared(select(held_scopes).where(held_scopes.c.stream == bindparam("of_stream")))
_KNOWN = Prepared(
    select(held_rows.c.row_key, held_rows.c.hash).where(
        held_rows.c.stream == bindparam("of_stream"),
        among(held_rows.c.row_key, "keys"),
        held_rows.c.is_stale.is_(False),
    )
)
_DROP_ROWS = Prepared(
    delete(held_rows).where(
        held_rows.c.stream == bindparam("of_stream"), among(held_rows.c.row_key, "keys")
    )
)
_PUT = upsert(held_rows)
_PUT_ROW = Prepared(
    _PUT.on_conflict_do_update(
        index_elements=["stream", "row_key"],
        set_={"hash": _PUT.excluded.hash, "is_stale": _PUT.excluded.is_stale},
    ),
    ("stream", "row_key", "hash", "is_stale"),
)
_PUT_SCOPE = upsert(held_scopes).values(
    stream=bindparam("of_stream"),
    row_count=bindparam("rows"),
    checksum=bindparam("total"),
)
_COUNTED = {
    "row_count": _PUT_SCOPE.excluded.row_count,
    "checksum": _PUT_SCOPE.excluded.checksum,
}
_COUNT = Prepared(
    _PUT_SCOPE.values(is_mismatched=False).on_conflict_do_update(
        index_elements=["stream"], set_=_COUNTED
    )
)
_COUNT_ANEW = Prepared(
    _PUT_SCOPE.values(is_mismatched=bindparam("mismatched")).on_conflict_do_update(
        index_elements=["stream"],
        set_={**_COUNTED, "is_mismatched": _PUT_SCOPE.excluded.is_mismatched},
    )
)


def read_held(connection: Connection, stream: Stream) -> Scope:
    """What is held of a stream."""
    row = _HELD.run(connection, of_stream=stream.value).one_or_none()
    return Scope(row.row_count, int(row.checksum, 16)) if row is not None else Scope()


def is_mismatched(connection: Connection, stream: Stream) -> bool:
    """Whether the stream was begun anew because it was not what the server counts."""
    found = connection.execute(
        select(held_scopes.c.is_mismatched).where(held_scopes.c.stream == stream)
    ).scalar()
    return bool(found)


def hold(connection: Connection, stream: Stream, rows: Sequence[Hashed]) -> None:
    """Count rows that are being applied, in their transaction."""
    if not rows:
        return
    keys = listed(key for key, _hash in rows)
    known = _KNOWN.run(connection, of_stream=stream.value, keys=keys)
    before: dict[str, int | None] = {row.row_key: int(row.hash, 16) for row in known}
    scope = read_held(connection, stream)
    for key, found in rows:
        scope = scope.changed(before.get(key), found)
        before[key] = found
    _replace(connection, stream, before)
    _write(connection, stream, scope)


def begin_anew(connection: Connection, stream: Stream, *, is_mismatched: bool) -> None:
    """Ask for everything again, counting from nothing.

    What does not come again goes at the end (``stale_keys``); until then it stays in use.
    """
    connection.execute(delete(cursors).where(cursors.c.stream == stream))
    connection.execute(update(held_rows).where(held_rows.c.stream == stream).values(is_stale=True))
    _write(connection, stream, Scope(), is_mismatched=is_mismatched)


def settle(connection: Connection, stream: Stream) -> None:
    """The server was told of the mismatch."""
    _write(connection, stream, read_held(connection, stream), is_mismatched=False)


def stale_keys(connection: Connection, stream: Stream, *, limit: int) -> list[str]:
    """Rows from before the stream was begun anew that have not come again."""
    statement = select(held_rows.c.row_key).where(
        held_rows.c.stream == stream, held_rows.c.is_stale.is_(True)
    )
    return list(connection.execute(statement.limit(limit)).scalars())


def is_held(connection: Connection, stream: Stream, key: str) -> bool:
    """Whether a row has come since the stream was begun."""
    found = select(held_rows.c.row_key).where(
        held_rows.c.stream == stream, held_rows.c.row_key == key, held_rows.c.is_stale.is_(False)
    )
    return connection.execute(found).first() is not None


def is_stale(connection: Connection, stream: Stream, key: str) -> bool:
    """Whether a row is from before the stream was begun anew, and has not come again."""
    found = select(held_rows.c.is_stale).where(
        held_rows.c.stream == stream, held_rows.c.row_key == key
    )
    return bool(connection.execute(found).scalar())


def _replace(connection: Connection, stream: Stream, hashed: dict[str, int | None]) -> None:
    gone = [key for key, found in hashed.items() if found is None]
    if gone:
        _DROP_ROWS.run(connection, of_stream=stream.value, keys=listed(gone))
    _PUT_ROW.run_many(
        connection,
        [
            (stream.value, key, f"{found:016x}", False)
            for key, found in hashed.items()
            if found is not None
        ],
    )


def _write(
    connection: Connection, stream: Stream, scope: Scope, *, is_mismatched: bool | None = None
) -> None:
    told = {"of_stream": stream.value, "rows": scope.rows, "total": scope.checksum}
    if is_mismatched is None:
        _COUNT.run(connection, **told)
    else:
        _COUNT_ANEW.run(connection, **told, mismatched=is_mismatched)
