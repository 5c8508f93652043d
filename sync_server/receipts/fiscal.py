"""What a till's fiscal device has said about one receipt, as far as it has arrived."""

from typing import Any, Final

from sqlalchemy import Row, select, tuple_

from shared.journal.entry import decode_entry
from shared.trade.fiscal import FiscalRecorded, FiscalState
from shared.trade.kinds import read_fact
from sync_server.database.schema import entries
from sync_server.database.transaction import Snapshot

SEARCHED_MAX: Final = 2_000
"""Entries after the receipt: some days of a till whose device was away. A signature that came later
still is on copies from the till, and not on the page."""


def fiscal_record(snapshot: Snapshot, ticket: Row[Any]) -> FiscalRecorded | None:
    """The signature of a sale or return, else that there is none; None where nothing was said.

    ``ticket`` is its row of ``entries``. What is said stands in the same journal, soon after it.
    """
    columns = entries.c
    following = (
        select(columns.kind, columns.bytes)
        .where(
            columns.shard == snapshot.shard,
            columns.journal == ticket.journal,
            tuple_(columns.epoch, columns.seq) > tuple_(ticket.epoch, ticket.seq),
        )
        .order_by(columns.epoch, columns.seq)
        .limit(SEARCHED_MAX)
        .subquery()
    )
    said = select(following.c.bytes).where(following.c.kind == FiscalRecorded.kind)
    found = None
    for (encoded,) in snapshot.connection.execute(said):
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, FiscalRecorded) and fact.of_entry == ticket.id:
            found = fact
            if fact.state is FiscalState.SIGNED:
                return fact
    return found
