"""Which commands wait for a till."""

from typing import Final

from sqlalchemy import func, select

from shared.journal.certificate import Certificate
from shared.protocol.command import CommandState
from sync_server.database.schema import till_commands
from sync_server.database.transaction import Snapshot

OPEN: Final = (CommandState.ISSUED, CommandState.SEEN)


def count_open(snapshot: Snapshot, caller: Certificate) -> int:
    """How many the caller has not done; a till is told so with its pulls."""
    columns = till_commands.c
    statement = select(func.count()).where(
        columns.shard == snapshot.shard,
        columns.till_id == caller.till_id,
        columns.state.in_(OPEN),
    )
    return int(snapshot.connection.execute(statement).scalar_one())
