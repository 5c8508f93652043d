"""Sales and their returns, as far as they had arrived when a job looks at one of them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select

from shared.ids import EntryId
from shared.journal.entry import decode_entry
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database.schema import entries, tickets
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import Audited, audited, fact_of

_RETURNS: Final = (
    select(entries)
    .join(tickets, (tickets.c.shard == entries.c.shard) & (tickets.c.entry_id == entries.c.id))
    .where(
        tickets.c.shard == bindparam("shard"),
        tickets.c.original == bindparam("sale"),
        entries.c.server_seq < bindparam("before"),
    )
    .order_by(entries.c.server_seq)
)
"""Asked for every sale there is, like the next: made once, which took most of the time."""
_SALE: Final = select(entries).where(
    entries.c.shard == bindparam("shard"),
    entries.c.id == bindparam("sale"),
    entries.c.kind == SaleCompleted.kind,
    entries.c.server_seq < bindparam("before"),
)


class Sold(NamedTuple):
    """A sale and when it was made, on the store's wall."""

    sale: SaleCompleted
    at: datetime


def returns_of(snapshot: Snapshot, sale: EntryId, *, before: int) -> Iterator[Audited]:
    """The returns of a sale that arrived before a counter, in order of arrival."""
    told = {"shard": snapshot.shard, "sale": sale, "before": before}
    yield from map(audited, snapshot.connection.execute(_RETURNS, told).all())


def sale_before(snapshot: Snapshot, sale: EntryId | None, server_seq: int) -> Sold | None:
    """The sale of a return, where it arrived before it."""
    told = {"shard": snapshot.shard, "sale": sale, "before": server_seq}
    row = snapshot.connection.execute(_SALE, told).first()
    return read_sale(audited(row)) if row is not None else None


def read_sale(entry: Audited) -> Sold | None:
    """A sale and when it was; None for one that cannot be read."""
    fact = fact_of(entry)
    if not isinstance(fact, SaleCompleted):
        return None
    at = datetime.fromisoformat(decode_entry(entry.encoded).envelope.occurred_at)
    return Sold(fact, at)


def read_return(entry: Audited) -> SaleReturned:
    """A return that is booked, and so can be read."""
    fact = fact_of(entry)
    assert isinstance(fact, SaleReturned)
    return fact
