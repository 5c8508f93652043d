"""Deleting what is old and safe elsewhere: entries, the paper of them, attachments.

An entry goes only when it is in a copy of the server on another device (``durable_seq``) *and* 90
days old; attachments are personal data and go as soon as they are safe. What remains of deleted
entries is the hash of the last one, so that the chain can be checked, and sent, from there on.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from desktop.store.fiscal import UNSIGNED
from desktop.store.schema import (
    attachments,
    entries,
    epochs,
    fiscal_tickets,
    forgotten,
    postings,
    print_jobs,
    shifts,
)
from desktop.store.upgrading import drop_kept
from desktop.store.writer import Transaction, Urgency, Writer
from shared.clock import Clock
from shared.journal.entry import decode_entry
from shared.ledger.account import AccountKind
from shared.trade.ticket import SaleCompleted
from shared.trade.till import ShiftClosed

KEPT_FOR: Final = timedelta(days=90)
EVERY: Final = timedelta(hours=1)
SLICE_ENTRIES: Final = 20
"""Per transaction, so that a waiting sale is at most some 10 ms away from the writer."""


class Retention:
    """Deletes in the background, a slice at a time."""

    def __init__(self, writer: Writer, clock: Clock, database: Path) -> None:
        self._writer = writer
        self._database = database
        self._clock = clock
        self._next_at: datetime | None = None

    def run_if_due(self) -> None:
        """Once an hour at most; whoever syncs calls it after a round."""
        now = self._clock.now()
        if self._next_at is None or now >= self._next_at or self._next_at - now > EVERY:
            self.run()
            self._next_at = now + EVERY

    def run(self) -> int:
        """Delete everything that may go; returns how many entries went."""
        total = 0
        with suppress(OSError):
            drop_kept(self._database, as_of=self._clock.now())
        while self._writer.run(_drop_attachments, Urgency.BACKGROUND):
            pass
        oldest_kept = self._clock.now() - KEPT_FOR

        def drop(transaction: Transaction) -> int:
            return _drop_entries(transaction.connection, oldest_kept)

        while gone := self._writer.run(drop, Urgency.BACKGROUND):
            total += gone
        return total


def _drop_attachments(transaction: Transaction) -> int:
    """Personal data that the server has safe; how many there were."""
    safe = (
        select(attachments.c.id)
        .join(entries, entries.c.id == attachments.c.entry_id)
        .join(epochs, (epochs.c.journal == entries.c.journal) & (epochs.c.epoch == entries.c.epoch))
        .where(entries.c.seq < func.min(epochs.c.durable_seq, epochs.c.acknowledged_seq))
        .limit(SLICE_ENTRIES)
    )
    ids = transaction.connection.execute(safe).scalars().all()
    transaction.connection.execute(delete(attachments).where(attachments.c.id.in_(ids)))
    return len(ids)


def _drop_entries(connection: Connection, oldest_kept: datetime) -> int:
    """One slice of one epoch, the oldest epoch first; how many entries went."""
    for epoch in connection.execute(select(epochs).order_by(epochs.c.epoch)).all():
        gone = _old_entries(connection, epoch, _last_to_go(connection, epoch), oldest_kept)
        if gone:
            _forget(connection, epoch, gone)
            return len(gone)
    return 0


@dataclass(frozen=True, slots=True)
class _Place:
    epoch: int
    seq: int


def _last_to_go(connection: Connection, epoch: Row[Any]) -> int:
    """The number up to which an epoch's entries are safe elsewhere and not needed here."""
    safe = min(int(epoch.durable_seq), int(epoch.acknowledged_seq))
    needed = _needed(connection)
    if needed is None or needed.epoch > epoch.epoch:
        return safe
    return min(safe, needed.seq) if needed.epoch == epoch.epoch else 0


def _needed(connection: Connection) -> _Place | None:
    """The oldest entry that is still worked with: of an open day, the last Z, the newest, or one
    that its fiscal device has still to sign."""
    places = select(entries.c.epoch, entries.c.seq)
    newest = places.order_by(entries.c.epoch.desc(), entries.c.seq.desc()).limit(1)
    opened = select(shifts.c.opened_entry).where(shifts.c.day_entry.is_(None))
    to_sign = select(fiscal_tickets.c.entry_id).where(fiscal_tickets.c.state.in_(UNSIGNED))
    wanted = (
        places.where(entries.c.id.in_(to_sign)).order_by(entries.c.epoch, entries.c.seq).limit(1),
        places.where(entries.c.id.in_(opened)).order_by(entries.c.epoch, entries.c.seq).limit(1),
        newest.where(entries.c.kind == ShiftClosed.kind),
        newest,
    )
    rows = [row for statement in wanted if (row := connection.execute(statement).one_or_none())]
    found = [_Place(row.epoch, row.seq) for row in rows]
    return min(found, key=lambda place: (place.epoch, place.seq), default=None)


def _old_entries(
    connection: Connection, epoch: Row[Any], end: int, oldest_kept: datetime
) -> list[Row[Any]]:
    rows = connection.execute(
        select(entries)
        .where(
            entries.c.journal == epoch.journal,
            entries.c.epoch == epoch.epoch,
            entries.c.seq < end,
        )
        .order_by(entries.c.seq)
        .limit(SLICE_ENTRIES)
    ).all()
    old: list[Row[Any]] = []
    for row in rows:
        at = datetime.fromisoformat(decode_entry(row.bytes).envelope.occurred_at)
        if at >= oldest_kept:
            break
        old.append(row)
    return old


def _forget(connection: Connection, epoch: Row[Any], gone: Sequence[Row[Any]]) -> None:
    of_epoch = (epochs.c.journal == epoch.journal, epochs.c.epoch == epoch.epoch)
    oldest = gone[-1].seq + 1
    connection.execute(
        update(epochs).where(*of_epoch).values(oldest_seq=oldest, forgotten_hash=gone[-1].hash)
    )
    ids = [row.id for row in gone]
    _keep_coupons(connection, gone)
    for table in (attachments, print_jobs, fiscal_tickets):
        connection.execute(delete(table).where(table.c.entry_id.in_(ids)))
    connection.execute(delete(entries).where(entries.c.id.in_(ids)))


def _keep_coupons(connection: Connection, gone: Sequence[Row[Any]]) -> None:
    """A coupon used or issued here must not look unused only because its entry is gone."""
    seqs = {row.seq: row for row in gone}
    rows = connection.execute(
        select(postings.c.seq, func.max(postings.c.amount).label("most"))
        .where(
            postings.c.epoch == gone[0].epoch,
            postings.c.seq.in_(list(seqs)),
            postings.c.account == AccountKind.COUPON,
        )
        .group_by(postings.c.seq)
    ).all()
    kept = [
        {
            "epoch": gone[0].epoch,
            "seq": row.seq,
            "kind": seqs[row.seq].kind,
            "bytes": seqs[row.seq].bytes if _issues(seqs[row.seq].kind, row.most) else b"",
        }
        for row in rows
    ]
    if kept:
        connection.execute(insert(forgotten), kept)


def _issues(kind: str, most: int) -> bool:
    return kind == SaleCompleted.kind and most > 0
