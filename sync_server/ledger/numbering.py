"""Finds tickets whose number is on another ticket already."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from shared.ids import EntryId
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.schema import tickets
from sync_server.database.transaction import Snapshot
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Reading

_BATCH = 500
_NUMBERED: Final = (
    select(tickets.c.receipt_no, tickets.c.entry_id)
    .where(tickets.c.shard == bindparam("shard"), among_told(tickets.c.receipt_no, "numbers"))
    .order_by(tickets.c.entry_id)
)
"""Asked with every push: made once."""


def find_same_numbers(snapshot: Snapshot, readings: Sequence[Reading]) -> list[Finding]:
    """Tickets whose number came before; called before these readings are stored."""
    numbered = [
        (reading.id, reading.fact.receipt_no)
        for reading in readings
        if isinstance(reading.fact, SaleCompleted | SaleReturned)
    ]
    first = _first_with(snapshot, sorted({number for _id, number in numbered}))
    findings = []
    for entry_id, number in numbered:
        holder = first.setdefault(number, entry_id)
        if holder != entry_id:
            findings.append(
                Finding(
                    rule=Rule.RECEIPT_NUMBER_TWICE,
                    natural_key=f"receipt-number-twice:{number}:{entry_id}",
                    facts=(holder, entry_id),
                )
            )
    return findings


def _first_with(snapshot: Snapshot, numbers: Sequence[str]) -> dict[str, EntryId]:
    found: dict[str, EntryId] = {}
    for at in range(0, len(numbers), _BATCH):
        told = {"shard": snapshot.shard, "numbers": rows_of_keys(numbers[at : at + _BATCH])}
        for number, entry_id in snapshot.connection.execute(_NUMBERED, told):
            found.setdefault(number, EntryId(entry_id))
    return found
