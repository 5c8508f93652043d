"""What this till holds of each stream, counted as the server counts it."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import cursors, held_rows, held_scopes
from shared.protocol.message import Stream
from shared.protocol.replica import Scope

Hashed = tuple[str, int | None]
"""A row's key and what it counts with; None for a tombstone."""


def read_held(connection: Connection, stream: Stream) -> Scope:
    """What is held of a stream."""
    row = connection.execute(
        select(held_scopes).where(held_scopes.c.stream == stream)
    ).one_or_none()
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
    keys = [key for key, _hash in rows]
    known = select(held_rows.c.row_key, held_rows.c.hash).where(
        held_rows.c.stream == stream,
        held_rows.c.row_key.in_(keys),
        held_rows.c.is_stale.is_(False),
    )
    before: dict[str, int | None] = {
        key: int(found, 16) for key, found in connection.execute(known)
    }
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
    connection.execute(
        delete(held_rows).where(held_rows.c.stream == stream, held_rows.c.row_key.in_(gone))
    )
    rows = [
        {"stream": stream.value, "row_key": key, "hash": f"{found:016x}", "is_stale": False}
        for key, found in hashed.items()
        if found is not None
    ]
    if rows:
        statement = upsert(held_rows)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["stream", "row_key"],
                set_={"hash": statement.excluded.hash, "is_stale": statement.excluded.is_stale},
            ),
            rows,
        )


def _write(
    connection: Connection, stream: Stream, scope: Scope, *, is_mismatched: bool | None = None
) -> None:
    values: dict[str, object] = {"row_count": scope.rows, "checksum": scope.checksum}
    if is_mismatched is not None:
        values["is_mismatched"] = is_mismatched
    statement = upsert(held_scopes).values(
        stream=stream.value, **{"is_mismatched": False, **values}
    )
    connection.execute(statement.on_conflict_do_update(index_elements=["stream"], set_=values))
