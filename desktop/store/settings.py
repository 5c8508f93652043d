"""Small values the till keeps: who it is, what it was told at enrolment, what was last chosen."""

from typing import Final, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.prepared import Prepared
from desktop.store.schema import cursors, settings
from shared.protocol.message import Stream

HELD_SCOPE: Final = "members-scope"
RECEIPT_FORM: Final = "receipt-form"
_READ = Prepared(select(settings.c.value).where(settings.c.key == bindparam("of_key")))
_PUT = upsert(settings)
_WRITE = Prepared(
    _PUT.on_conflict_do_update(index_elements=["key"], set_={"value": _PUT.excluded.value}),
    ("key", "value"),
)
Value = TypeVar("Value", bound=msgspec.Struct)


def read_value(connection: Connection, key: str, kind: type[Value]) -> Value | None:
    """A stored structure."""
    text = _READ.run(connection, of_key=key).scalar()
    return msgspec.json.decode(text, type=kind) if text is not None else None


def write_value(connection: Connection, key: str, value: msgspec.Struct) -> None:
    """Store a structure."""
    text = msgspec.json.encode(value).decode()
    _WRITE.run(connection, key=key, value=text)


def drop_value(connection: Connection, key: str) -> None:
    """Store it no more."""
    connection.execute(delete(settings).where(settings.c.key == key))


def read_cursor(connection: Connection, stream: Stream) -> str | None:
    """Where this till stands in a stream."""
    return connection.execute(select(cursors.c.cursor).where(cursors.c.stream == stream)).scalar()


class HeldScope(msgspec.Struct, frozen=True):
    """Which members this till reads."""

    scope: str


def read_held_scope(connection: Connection) -> str:
    """Which members this till reads, as the server told with the newest page; empty for all."""
    held = read_value(connection, HELD_SCOPE, HeldScope)
    return held.scope if held is not None else ""


def write_held_scope(connection: Connection, scope: str) -> None:
    """Keep it, in the transaction that moves the cursor."""
    if scope != read_held_scope(connection):
        write_value(connection, HELD_SCOPE, HeldScope(scope))


def write_cursor(connection: Connection, stream: Stream, cursor: str) -> None:
    """Move on in a stream, in the transaction that applied its rows."""
    statement = upsert(cursors).values(stream=stream, cursor=cursor)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["stream"], set_={"cursor": cursor})
    )
