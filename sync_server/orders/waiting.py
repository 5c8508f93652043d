"""Which commands wait for a till."""

from typing import Final

import msgspec
from sqlalchemy import select

from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.protocol.command import CommandState, CommandTerms
from sync_server.database.schema import till_commands
from sync_server.database.transaction import Snapshot

OPEN: Final = (CommandState.ISSUED, CommandState.SEEN)


def count_open(snapshot: Snapshot, caller: Certificate) -> int:
    """How many the caller has not done; a till is told so with its pulls."""
    columns = till_commands.c
    statements = snapshot.connection.execute(
        select(columns.statement).where(
            columns.shard == snapshot.shard,
            columns.till_id == caller.till_id,
            columns.state.in_(OPEN),
        )
    ).scalars()
    return sum(concerns(msgspec.msgpack.decode(one, type=Signed), caller) for one in statements)


def concerns(signed: Signed, caller: Certificate) -> bool:
    """Whether a command was given to the machine that asks, and not to one before it."""
    terms = msgspec.json.decode(signed.payload, type=CommandTerms)
    return terms.through_epoch >= caller.epoch
