"""What tills were told to do, as head office sees it."""

from dataclasses import dataclass

from sqlalchemy import select

from shared.ids import TillId
from shared.protocol.command import CommandState
from sync_server.database.schema import till_commands
from sync_server.database.transaction import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandShown:
    """A command as head office sees it."""

    command_id: str
    till_id: TillId
    kind: str
    state: CommandState
    issued_at: str
    state_at: str
    detail: str
    """The release that is needed; how many entries a wiped till had not sent."""


def read_commands(snapshot: Snapshot, till_id: TillId | None = None) -> list[CommandShown]:
    """All commands, the newest first; those of one till."""
    columns = till_commands.c
    statement = select(till_commands).where(columns.shard == snapshot.shard)
    if till_id is not None:
        statement = statement.where(columns.till_id == till_id)
    rows = snapshot.connection.execute(
        statement.order_by(columns.issued_at.desc(), columns.change_seq.desc())
    )
    return [
        CommandShown(
            command_id=row.command_id,
            till_id=TillId(row.till_id),
            kind=row.kind,
            state=CommandState(row.state),
            issued_at=row.issued_at,
            state_at=row.state_at,
            detail=row.detail,
        )
        for row in rows
    ]
