"""What tills were told, known again to a server that was restored from a copy made before."""

import msgspec
from sqlalchemy import select

from shared.protocol.command import CommandKind, CommandState, CommandTerms
from sync_server.database.schema import tills
from sync_server.database.transaction import Work
from sync_server.enrolment.revoking import revoke_keys
from sync_server.journal.own import OwnJournal
from sync_server.orders.kept import change_command, find_command, keep_command
from sync_server.orders.log_file import Told, is_further


def restore_commands(work: Work, own: OwnJournal, told: dict[str, Told], now: str) -> int:
    """Know again what tills were told after the copy was made; how many commands."""
    count = 0
    for one in told.values():
        known = find_command(work, one.command_id)
        if known is not None and not is_further(one.state, known.state):
            continue
        terms = msgspec.json.decode(one.statement.payload, type=CommandTerms)
        if known is not None:
            change_command(
                work,
                one.command_id,
                statement=msgspec.msgpack.encode(one.statement),
                state=one.state,
                state_at=one.at,
            )
        else:
            keep_command(work, terms, one.statement, one.state, one.at)
            count += 1
        revoke_again(work, own, terms, one.state, now)
    return count


def revoke_again(
    work: Work, own: OwnJournal, terms: CommandTerms, state: CommandState, now: str
) -> None:
    """Let a till that was revoked or wiped stay nobody, whichever of its epochs are known here.

    A revocation concerns every machine that was the till's when it was given; a wipe only those up
    to the one that was wiped.
    """
    known = select(tills.c.till_id).where(
        tills.c.shard == work.shard, tills.c.till_id == terms.till_id
    )
    if state is not CommandState.DONE or work.connection.execute(known).first() is None:
        return
    if terms.kind == CommandKind.REVOKE:
        given_before = terms.issued_at
    elif terms.kind == CommandKind.WIPE:
        given_before = ""
    else:
        return
    revoke_keys(
        work,
        own,
        terms.till_id,
        terms.journal,
        now,
        through=terms.through_epoch,
        given_before=given_before,
    )
