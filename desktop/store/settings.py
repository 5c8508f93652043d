"""Small values the till keeps: who it is, what it was told at enrolment, what was last chosen."""

from typing import TypeVar

import msgspec
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import cursors, settings
from shared.protocol.message import Stream

Value = TypeVar("Value", bound=msgspec.Struct)


def read_value(connection: Connection, key: str, kind: type[Value]) -> Value | None:
    """A stored structure."""
    text = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()
    return msgspec.json.decode(text, type=kind) if text is not None else None


def write_value(connection: Connection, key: str, value: msgspec.Struct) -> None:
    """Store a structure."""
    text = msgspec.json.encode(value).decode()
    statement = upsert(settings).values(key=key, value=text)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"value": text})
    )


def drop_value(connection: Connection, key: str) -> None:
    """Store it no more."""
    connection.execute(delete(settings).where(settings.c.key == key))


def read_cursor(connection: Connection, stream: Stream) -> str | None:
    """Where this till stands in a stream."""
    return connection.execute(select(cursors.c.cursor).where(cursors.c.stream == stream)).scalar()


def write_cursor(connection: Connection, stream: Stream, cursor: str) -> None:
    """Move on in a stream, in the transaction that applied its rows."""
    statement = upsert(cursors).values(stream=stream, cursor=cursor)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["stream"], set_={"cursor": cursor})
    )
