"""Which receipts a fiscal device has signed, and which it still has to."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import entries, fiscal_tickets
from shared.ids import EntryId
from shared.journal.entry import Envelope
from shared.trade.fiscal import FiscalRecorded, FiscalState, Ticket

WAITING = "waiting"
UNSIGNED = (WAITING, FiscalState.FAILED.value)


@dataclass(frozen=True, slots=True)
class FiscalTicket:
    """A sale or return that has to be signed."""

    entry_id: EntryId
    state: str
    """``waiting``, ``failed`` or ``signed``."""
    failure: str
    recorded: EntryId | None
    """The entry that says so; None where only the ticket itself does."""


def note_ticket(connection: Connection, fact: Ticket, envelope: Envelope) -> None:
    """A ticket was written at a till with a device."""
    if fact.fiscal is None or fact.fiscal.signature:
        return
    failure = fact.fiscal.failure
    connection.execute(
        insert(fiscal_tickets).values(
            entry_id=envelope.id,
            state=FiscalState.FAILED if failure else WAITING,
            failure=failure,
        )
    )


def note_recorded(connection: Connection, fact: FiscalRecorded, envelope: Envelope) -> None:
    """The device's word; a signature is the last one."""
    statement = upsert(fiscal_tickets).values(
        entry_id=fact.of_entry, state=fact.state, failure=fact.failure, recorded=envelope.id
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["entry_id"],
            set_={name: statement.excluded[name] for name in ("state", "failure", "recorded")},
            where=fiscal_tickets.c.state != FiscalState.SIGNED.value,
        )
    )


def fiscal_ticket(connection: Connection, entry_id: EntryId) -> FiscalTicket | None:
    """How a receipt stands; None for what has not to be signed."""
    row = connection.execute(
        select(fiscal_tickets).where(fiscal_tickets.c.entry_id == entry_id)
    ).first()
    if row is None:
        return None
    return FiscalTicket(EntryId(row.entry_id), row.state, row.failure, row.recorded)


def unsigned(connection: Connection, limit: int) -> list[FiscalTicket]:
    """What waits for a signature and is still here, oldest first."""
    rows = connection.execute(
        select(fiscal_tickets)
        .join(entries, entries.c.id == fiscal_tickets.c.entry_id)
        .where(fiscal_tickets.c.state.in_(UNSIGNED))
        .order_by(entries.c.epoch, entries.c.seq)
        .limit(limit)
    )
    return [FiscalTicket(EntryId(r.entry_id), r.state, r.failure, r.recorded) for r in rows]


def count_unsigned(connection: Connection) -> int:
    """How many receipts have no signature."""
    statement = (
        select(func.count()).select_from(fiscal_tickets).where(fiscal_tickets.c.state.in_(UNSIGNED))
    )
    return connection.execute(statement).scalar_one()
