"""Small values the till keeps: who it is, what it was told at enrolment, what was last chosen."""

from typing import TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import cursors, settings
from shared.protocol.message import Stream

_READ = select(settings.c.value).where(settings.c.key == bindparam("of_key"))
_PUT = upsert(settings)
_WRITE = _PUT.on_conflict_do_update(index_elements=["key"], set_={"value": _PUT.excluded.value})
Value = TypeVar("Value", bound=msgspec.Struct)


def read_value(connection: Connection, key: str, kind: type[Value]) -> Value | None:
    """A stored structure."""
    text = connection.execute(_READ, {"of_key": key}).scalar()
    return msgspec.json.decode(text, type=kind) if text is not None else None


def write_value(connection: Connection, key: str, value: msgspec.Struct) -> None:
    """Store a structure."""
    text = msgspec.json.encode(value).decode()
    connection.execute(_WRITE, {"key": key, "value": text})


def read_cursor(connection: Connection, stream: Stream) -> str | None:
    """Where this till stands in a stream."""
    return connection.execute(select(cursors.c.cursor).where(cursors.c.stream == stream)).scalar()


def write_cursor(connection: Connection, stream: Stream, cursor: str) -> None:
    """Move on in a stream, in the transaction that applied its rows."""
    statement = upsert(cursors).values(stream=stream, cursor=cursor)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["stream"], set_={"cursor": cursor})
    )
