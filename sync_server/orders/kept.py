"""Commands to tills as the database keeps them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, select, update

from shared.ids import TillId
from shared.journal.keys import KeyId, Signed, SigningKey
from shared.protocol.command import CommandState, CommandTerms, sign_command
from sync_server.database.schema import till_commands
from sync_server.database.transaction import Snapshot, Work
from sync_server.orders.waiting import OPEN


def keep_command(
    work: Work, terms: CommandTerms, signed: Signed, state: CommandState, now: str
) -> None:
    """Put a command into the database."""
    row = {
        "command_id": terms.command_id,
        "till_id": terms.till_id,
        "kind": terms.kind,
        "statement": msgspec.msgpack.encode(signed),
        "issued_at": terms.issued_at,
        "state": state,
        "detail": terms.minimum_release,
        "state_at": now,
        "change_seq": work.take(1)[0],
    }
    work.insert(till_commands, [row])


def change_command(work: Work, command_id: str, **values: Any) -> None:
    """Change columns of a command."""
    columns = till_commands.c
    work.connection.execute(
        update(till_commands)
        .where(columns.shard == work.shard, columns.command_id == command_id)
        .values(**values)
    )


def find_command(snapshot: Snapshot, command_id: str) -> Row[Any] | None:
    """One command; None where this server does not know it."""
    columns = till_commands.c
    return snapshot.connection.execute(
        select(till_commands).where(
            columns.shard == snapshot.shard, columns.command_id == command_id
        )
    ).first()


def commands_to(snapshot: Snapshot, till_id: TillId) -> Sequence[Row[Any]]:
    """All that a till was ever told, in the order in which this server learned of it."""
    columns = till_commands.c
    return snapshot.connection.execute(
        select(till_commands)
        .where(columns.shard == snapshot.shard, columns.till_id == till_id)
        .order_by(columns.change_seq)
    ).all()


def waiting_for(snapshot: Snapshot, till_id: TillId) -> list[Row[Any]]:
    """What a till was told and has not done."""
    return [row for row in commands_to(snapshot, till_id) if row.state in OPEN]


def statement_of(row: Row[Any]) -> Signed:
    """A command as it was signed."""
    return msgspec.msgpack.decode(row.statement, type=Signed)


def terms_of(row: Row[Any]) -> CommandTerms:
    """What a command says."""
    return msgspec.json.decode(statement_of(row).payload, type=CommandTerms)


def sign_commands_anew(work: Work, key: SigningKey, *, of: KeyId) -> None:
    """Sign with this key what another one signed that is believed no more: a command that waits
    would be refused by its till, with all else that it asks there."""
    rows = work.connection.execute(
        select(till_commands).where(till_commands.c.shard == work.shard)
    ).all()
    for row in rows:
        if statement_of(row).key_id == of:
            signed = sign_command(key, terms_of(row))
            change_command(work, row.command_id, statement=msgspec.msgpack.encode(signed))
