"""Which sales and returns a till's fiscal device has signed, by the till's own entries."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select

from shared.ids import JournalId
from shared.trade.fiscal import FiscalRecorded, FiscalState
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database.schema import fiscal_tickets
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.kept import Reading

WAITING = "waiting"
_RANK = {WAITING: 0, FiscalState.FAILED.value: 1, FiscalState.SIGNED.value: 2}
_CHANGES = (
    "state = CASE WHEN excluded.state = 'signed' OR "
    "(fiscal_tickets.state = 'waiting' AND excluded.state = 'failed') "
    "THEN excluded.state ELSE fiscal_tickets.state END, "
    "failure = CASE WHEN fiscal_tickets.failure = '' THEN excluded.failure "
    "ELSE fiscal_tickets.failure END"
)
"""The better known state stands, whatever the order of arrival."""


def note_fiscal(work: Work, readings: Sequence[Reading]) -> None:
    """Note what is to be signed, and what has been."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in (row for reading in readings for row in _rows(reading)):
        known = rows.setdefault((row["journal"], row["entry_id"]), row)
        known["failure"] = known["failure"] or row["failure"]
        known["state"] = max(known["state"], row["state"], key=_RANK.__getitem__)
    work.put(fiscal_tickets, list(rows.values()), _CHANGES)


def _rows(reading: Reading) -> Iterator[dict[str, str]]:
    fact, journal = reading.fact, reading.envelope.journal
    if isinstance(fact, FiscalRecorded):
        yield {
            "journal": journal,
            "entry_id": fact.of_entry,
            "state": fact.state.value,
            "failure": fact.failure,
        }
    if isinstance(fact, SaleCompleted | SaleReturned) and fact.fiscal is not None:
        failure = fact.fiscal.failure
        state = FiscalState.FAILED.value if failure else WAITING
        if fact.fiscal.signature:
            state = FiscalState.SIGNED.value
        yield {
            "journal": journal,
            "entry_id": reading.id,
            "state": state,
            "failure": failure,
        }


def unsigned_by_journal(snapshot: Snapshot) -> dict[JournalId, int]:
    """How many sales and returns of each till have no signature."""
    columns = fiscal_tickets.c
    statement = (
        select(columns.journal, func.count())
        .where(columns.shard == snapshot.shard, columns.state != FiscalState.SIGNED.value)
        .group_by(columns.journal)
    )
    return {JournalId(journal): int(n) for journal, n in snapshot.connection.execute(statement)}
