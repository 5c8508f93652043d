"""Epochs that were given up: who still writes one is another machine with a copy of the disk."""

from collections.abc import Iterable

from sqlalchemy import select

from shared.ids import EntryId, JournalId
from shared.journal.entry import decode_entry
from shared.trade.kinds import read_fact
from shared.trade.till import EpochClosedWithLoss
from sync_server.database.schema import entries
from sync_server.database.transaction import Snapshot
from sync_server.journal.forks import is_newest
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Kept


def find_written_after_loss(
    snapshot: Snapshot, journal: JournalId, written_epoch: int, kept: Iterable[Kept]
) -> list[Finding]:
    """New entries beyond the last one that the till itself had when it gave the epoch up.

    The till with the new key does not have them, so somebody else wrote them.
    """
    if is_newest(snapshot, journal, written_epoch):
        return []
    closing = _closing(snapshot, journal, written_epoch)
    if closing is None:
        return []
    entry_id, last_seq = closing
    new = next((one for one in kept if one.place.seq > last_seq and one.link.envelope), None)
    if new is None or new.link.envelope is None:
        return []
    return [
        Finding(
            rule=Rule.CLOSED_EPOCH_WRITTEN,
            natural_key=f"closed-epoch-written:{journal}:{written_epoch}",
            facts=(entry_id, EntryId(str(new.link.envelope.id))),
        )
    ]


def _closing(
    snapshot: Snapshot, journal: JournalId, written_epoch: int
) -> tuple[EntryId, int] | None:
    statement = select(entries.c.id, entries.c.bytes).where(
        entries.c.shard == snapshot.shard,
        entries.c.journal == journal,
        entries.c.epoch > written_epoch,
        entries.c.kind == EpochClosedWithLoss.kind,
    )
    for entry_id, encoded in snapshot.connection.execute(statement):
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, EpochClosedWithLoss) and fact.lost_epoch == written_epoch:
            return EntryId(entry_id), fact.last_seq
    return None
