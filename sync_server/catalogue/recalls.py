"""Where a batch of goods went: the sales that name it, for a recall."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from sqlalchemy import Row, select

from shared.ids import EntryId, GoodsId, MemberId
from shared.journal.entry import decode_entry
from shared.trade.fact import Measure
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import entries, returned_lines
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import audited, fact_of
from sync_server.members.aliases import stands_for

PAGE_ENTRIES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldOfBatch:
    """One line of a sale; quantities are pieces or, of weighed goods, grams."""

    sale: EntryId
    receipt_no: str
    store_id: str
    till_id: str
    sold_at: str
    """RFC 3339."""
    member_id: MemberId | None
    line: int
    quantity: int
    measure: Measure
    returned: int
    """Of that quantity: what has come back since."""


def sold_of_batch(snapshot: Snapshot, sku: GoodsId, batch: str) -> Iterator[SoldOfBatch]:
    """Every line whose label named the batch, in the order in which the sales arrived.

    Reads all sales, a page at a time: recalls are rare, and tills should not pay for an index.
    """
    # Most sales can be left out without being read.
    mark = b'"batch":' + msgspec.json.encode(batch)
    for row in _sales(snapshot):
        if mark not in row.bytes:
            continue
        sale = fact_of(audited(row))
        if not isinstance(sale, SaleCompleted) or sale.training:
            continue
        lines = [one for one in sale.lines if (one.goods_id, one.batch) == (sku, batch)]
        back = _returned(snapshot, EntryId(row.id)) if lines else Counter()
        for line in lines:
            yield SoldOfBatch(
                sale=EntryId(row.id),
                receipt_no=sale.receipt_no,
                store_id=sale.store_id,
                till_id=sale.till_id,
                sold_at=decode_entry(row.bytes).envelope.occurred_at,
                # Who can be told of it by now.
                member_id=stands_for(snapshot, MemberId(sale.member.member_id))
                if sale.member
                else None,
                line=line.line,
                quantity=line.quantity,
                measure=line.measure,
                returned=back[line.line],
            )


def _sales(snapshot: Snapshot) -> Iterator[Row[tuple[object, ...]]]:
    seen = 0
    statement = select(entries).where(
        entries.c.shard == snapshot.shard,
        entries.c.kind == SaleCompleted.kind,
        entries.c.id.is_not(None),
    )
    while page := snapshot.connection.execute(
        statement.where(entries.c.server_seq > seen)
        .order_by(entries.c.server_seq)
        .limit(PAGE_ENTRIES)
    ).all():
        yield from page
        seen = page[-1].server_seq


def _returned(snapshot: Snapshot, sale: EntryId) -> Counter[int]:
    rows = snapshot.connection.execute(
        select(returned_lines.c.of_line, returned_lines.c.quantity).where(
            returned_lines.c.shard == snapshot.shard, returned_lines.c.original == sale
        )
    )
    found: Counter[int] = Counter()
    for line, quantity in rows:
        found[line] += quantity
    return found
