"""Finds lines of a sale of which more units came back than were sold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import bindparam, select

from shared.errors import ProtocolError
from shared.ids import EntryId, MemberId
from shared.journal.entry import decode_entry
from shared.trade.kinds import read_fact
from shared.trade.server import ExceptionEffect
from shared.trade.ticket import SaleCompleted, SaleReturned
from sync_server.database.among import among, among_told, rows_of_keys
from sync_server.database.schema import entries, returned_lines
from sync_server.database.transaction import Snapshot
from sync_server.ledger.finding import FACTS_MAX, Finding, Rule
from sync_server.ledger.kept import Reading

_BATCH = 500
_lines = returned_lines.c
_CAME_BACK: Final = (
    select(_lines.original, _lines.of_line, _lines.quantity, _lines.entry_id)
    .where(_lines.shard == bindparam("shard"), among_told(_lines.original, "sales"))
    .order_by(_lines.entry_id)
)
"""Asked with every push: made once."""


class _Returns:
    """What is known of the sales that a batch is about."""

    def __init__(
        self, snapshot: Snapshot, returned: Sequence[EntryId], new: Sequence[EntryId]
    ) -> None:
        self.returned: Counter[tuple[EntryId, int]] = Counter()
        self.by_sale: dict[EntryId, dict[EntryId, None]] = {}
        self.sales: dict[EntryId, SaleCompleted] = {}
        sale_ids = [*returned, *new]
        for at in range(0, len(sale_ids), _BATCH):
            self._load_returns(snapshot, sale_ids[at : at + _BATCH])
        for at in range(0, len(returned), _BATCH):
            self._load_sales(snapshot, returned[at : at + _BATCH])

    def _load_returns(self, snapshot: Snapshot, sale_ids: Sequence[EntryId]) -> None:
        told = {"shard": snapshot.shard, "sales": rows_of_keys(sale_ids)}
        came_back = snapshot.connection.execute(_CAME_BACK, told)
        for original, of_line, quantity, entry_id in came_back:
            self.note(original, of_line, quantity, entry_id)

    def _load_sales(self, snapshot: Snapshot, sale_ids: Sequence[EntryId]) -> None:
        stored = select(entries.c.id, entries.c.bytes).where(
            entries.c.shard == snapshot.shard, among(entries.c.id, sale_ids)
        )
        for entry_id, encoded in snapshot.connection.execute(stored):
            sale = _read_sale(encoded)
            if sale is not None:
                self.sales[entry_id] = sale

    def note(self, sale: EntryId, of_line: int, quantity: int, entry_id: EntryId) -> None:
        """Units of a line came back."""
        self.returned[sale, of_line] += quantity
        self.by_sale.setdefault(sale, {})[entry_id] = None


def find_overreturning(snapshot: Snapshot, readings: Sequence[Reading]) -> list[Finding]:
    """What booking these readings in order brings back too often; called before they are stored."""
    returns = [r for r in readings if isinstance(r.fact, SaleReturned) and r.fact.original]
    sales = [r for r in readings if isinstance(r.fact, SaleCompleted)]
    about = {r.fact.original: None for r in returns if isinstance(r.fact, SaleReturned)}
    if not about and not sales:
        return []
    known = _Returns(snapshot, [EntryId(sale) for sale in about if sale], [r.id for r in sales])
    return [finding for reading in readings for finding in _step(known, reading)]


def _step(known: _Returns, reading: Reading) -> Iterator[Finding]:
    fact = reading.fact
    if isinstance(fact, SaleCompleted):
        known.sales[reading.id] = fact
        yield from _exceeded(known, reading, reading.id, {line.line for line in fact.lines})
    elif isinstance(fact, SaleReturned) and fact.original is not None:
        for line in fact.lines:
            known.note(fact.original, line.of_line, line.quantity, reading.id)
        yield from _exceeded(known, reading, fact.original, {line.of_line for line in fact.lines})


def _exceeded(
    known: _Returns, reading: Reading, sale_id: EntryId, lines: set[int]
) -> Iterator[Finding]:
    sale = known.sales.get(sale_id)
    if sale is None:
        return
    sold = Counter({line.line: line.quantity for line in sale.lines})
    for line in sorted(lines):
        came_back = known.returned[sale_id, line]
        # Of a line that says it sold less than nothing, nothing can have come back either.
        excess = came_back - max(0, sold[line])
        if came_back > 0 and excess > 0:
            facts = [fact for fact in known.by_sale[sale_id] if fact != reading.id]
            linked = dict.fromkeys([sale_id, *facts[: FACTS_MAX - 2], reading.id])
            yield Finding(
                rule=Rule.RETURNED_TWICE,
                natural_key=f"returned-twice:{sale_id}:{line}:{reading.id}",
                facts=tuple(linked),
                member_id=MemberId(sale.member.member_id) if sale.member else None,
                effects=(
                    ExceptionEffect(
                        account="line", owner=f"{sale_id}/{line}", unit="units", amount=excess
                    ),
                ),
            )


def _read_sale(encoded: bytes) -> SaleCompleted | None:
    try:
        fact = read_fact(decode_entry(encoded).envelope)
    except ProtocolError:
        return None  # in quarantine; nothing to compare with
    return fact if isinstance(fact, SaleCompleted) else None
