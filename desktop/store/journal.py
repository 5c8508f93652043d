"""Writing facts: entry, attachments, postings, balances and lots, in the caller's transaction."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.head_file import HeadFile
from desktop.store.lots import put_lots
from desktop.store.prepared import Prepared
from desktop.store.projection import note_fact
from desktop.store.schema import attachments, balances, entries, epochs, postings
from desktop.store.time_seen import note_time
from desktop.store.writer import Transaction
from shared.clock import HybridTime
from shared.errors import DomainError, EnvironmentFault
from shared.ids import EntryId, JournalId
from shared.journal.attachment import Attachment
from shared.journal.chain import ChainedEntry, ChainHead, begin_chain
from shared.journal.entry import decode_entry, genesis_hash
from shared.journal.head_record import HeadRecord
from shared.journal.keys import Signed
from shared.ledger.account import Account, AccountKind, Posting, Unit
from shared.ledger.lot import lot_terms, lots_living_on
from shared.ledger.posting import RULES
from shared.protocol.message import JournalHead
from shared.trade.fact import Fact
from shared.trade.till import EpochClosed
from shared.trade.writing import Scribe, Writing


@dataclass(frozen=True, slots=True)
class Epoch:
    """The epoch a till writes, and how far it has come."""

    head: ChainHead
    certificate: Signed
    acknowledged_seq: int
    durable_seq: int
    oldest_seq: int = 0
    """The first entry that is still here; those before it were deleted."""
    forgotten_hash: bytes | None = None
    """Of the last entry that was deleted."""
    server_seq: int | None = None
    """What the server has, where that is proved to be more than is here: entries were lost."""

    def check_whole(self) -> None:
        """Raise EnvironmentFault ``journal-behind-server`` for an epoch that lost entries."""
        if self.server_seq is not None:
            raise EnvironmentFault(
                "journal-behind-server", known=self.server_seq - 1, found=self.head.last_seq
            )

    @property
    def unsent(self) -> int:
        """Entries the server has not acknowledged."""
        return self.head.next_seq - self.acknowledged_seq


_NEWEST = Prepared(select(epochs).order_by(epochs.c.epoch.desc()).limit(1))
_MOVE_HEAD = Prepared(
    update(epochs)
    .where(epochs.c.journal == bindparam("of_journal"), epochs.c.epoch == bindparam("of_epoch"))
    .values(next_seq=bindparam("now_next"), head_hash=bindparam("now_hash"))
)
_INSERT_ENTRY = Prepared(
    insert(entries),
    ("journal", "epoch", "seq", "id", "kind", "previous_hash", "hash", "bytes"),
)
_INSERT_POSTING = Prepared(
    insert(postings),
    ("epoch", "seq", "position", "account", "owner", "lot", "unit", "amount"),
)
_PUT_BALANCE = upsert(balances)
_ADD_TO_BALANCE = Prepared(
    _PUT_BALANCE.on_conflict_do_update(
        index_elements=["owner", "account", "lot", "unit"],
        set_={"amount": balances.c.amount + _PUT_BALANCE.excluded.amount},
    ),
    ("owner", "account", "lot", "unit", "amount"),
)


def begin_epoch(connection: Connection, *, journal: JournalId, epoch: int, signed: Signed) -> None:
    """Start the journal an enrolment certificate gives the right to."""
    head = begin_chain(journal, epoch, signed.payload)
    connection.execute(
        insert(epochs).values(
            journal=journal,
            epoch=epoch,
            certificate=msgspec.msgpack.encode(signed),
            next_seq=0,
            head_hash=head.hash,
            acknowledged_seq=0,
            durable_seq=0,
        )
    )


def current_epoch(connection: Connection) -> Epoch | None:
    """The newest epoch; None before enrolment."""
    row = _NEWEST.run(connection).one_or_none()
    return _epoch(row) if row is not None else None


def all_epochs(connection: Connection) -> list[Epoch]:
    """All epochs, the oldest first."""
    return [_epoch(row) for row in connection.execute(select(epochs).order_by(epochs.c.epoch))]


def unsent_entries(connection: Connection) -> int:
    """How many entries, of all epochs, the server has not acknowledged."""
    return sum(epoch.unsent for epoch in all_epochs(connection))


def _epoch(row: Row[Any]) -> Epoch:
    return Epoch(
        ChainHead(JournalId(row.journal), row.epoch, row.next_seq, row.head_hash),
        msgspec.msgpack.decode(row.certificate, type=Signed),
        row.acknowledged_seq,
        row.durable_seq,
        row.oldest_seq,
        row.forgotten_hash,
        row.server_seq,
    )


StillWritten = Callable[[Connection, Fact], bool]
"""Whether a fact ends something that was begun before a journal was closed."""


def _nothing(_connection: Connection, _fact: Fact) -> bool:
    return False


class Journal:
    """Appends facts to the till's own journal."""

    def __init__(self, scribe: Scribe, head_file: HeadFile) -> None:
        self.scribe = scribe
        self._head_file = head_file
        self._refusal: DomainError | None = None
        self._still_written: StillWritten = _nothing

    def close(
        self, refusal: DomainError | None, *, still_written: StillWritten | None = None
    ) -> None:
        """Write nothing more, in the writer's turn: what was written before is all there is, save
        what is ``still_written``.

        With None it writes again.
        """
        self._refusal = refusal
        self._still_written = still_written or _nothing

    def append(
        self, transaction: Transaction, writing: Writing, entry_id: EntryId | None = None
    ) -> ChainedEntry:
        """Write one fact with everything that follows from it alone.

        Raises DomainError ``entry-too-large`` and the one that the journal was closed with,
        EnvironmentFault ``journal-behind-server``; a fact whose postings do not balance is a bug.
        """
        connection = transaction.connection
        if self._refusal is not None and not self._still_written(connection, writing.fact):
            raise self._refusal
        epoch = current_epoch(connection)
        assert epoch is not None
        epoch.check_whole()
        head, chained = self.scribe.write(epoch.head, writing, entry_id)
        _insert_entry(connection, chained)
        _insert_attachments(connection, chained, writing)
        _book(connection, chained, writing)
        note_fact(writing.fact, chained.envelope, connection)
        note_time(connection, self.scribe.clock)
        _MOVE_HEAD.run(
            connection,
            of_journal=head.journal,
            of_epoch=head.epoch,
            now_next=head.next_seq,
            now_hash=head.hash,
        )
        record = HeadRecord(head.journal, head.epoch, head.last_seq, head.hash)
        transaction.after_commit(lambda: self._head_file.write(record))
        return chained


def close_epoch(transaction: Transaction, journal: Journal) -> None:
    """Write the last entry of the epoch that is written; raises as ``Journal.append`` does."""
    epoch = current_epoch(transaction.connection)
    assert epoch is not None
    closed = EpochClosed(last_seq=epoch.head.last_seq, hash=epoch.head.hash.hex())
    journal.append(transaction, Writing(closed))


def _insert_entry(connection: Connection, chained: ChainedEntry) -> None:
    envelope = chained.envelope
    _INSERT_ENTRY.run(
        connection,
        journal=envelope.journal,
        epoch=envelope.epoch,
        seq=envelope.seq,
        id=envelope.id,
        kind=envelope.kind,
        previous_hash=chained.previous_hash,
        hash=chained.hash,
        bytes=chained.entry.encoded,
    )


def _insert_attachments(connection: Connection, chained: ChainedEntry, writing: Writing) -> None:
    member_id = getattr(writing.fact, "member_id", None)
    for _role, attachment in writing.attachments:
        connection.execute(
            insert(attachments).values(
                id=attachment.id,
                entry_id=chained.id,
                member_id=member_id,
                salt=attachment.salt,
                content=attachment.content,
            )
        )


def _book(connection: Connection, chained: ChainedEntry, writing: Writing) -> None:
    envelope = chained.envelope
    booked = RULES.post(envelope.id, writing.fact, post_version=envelope.post_version)
    if booked:
        _INSERT_POSTING.run_many(
            connection,
            [
                (envelope.epoch, envelope.seq, position, kind.value, owner, lot, unit, amount)
                for position, ((kind, owner, lot, unit), amount) in enumerate(booked)
            ],
        )
        add_to_balances(connection, booked)
    put_lots(
        connection,
        (*lot_terms(envelope, writing.fact), *lots_living_on(writing.fact)),
    )


def add_to_balances(connection: Connection, booked: Iterable[Posting]) -> None:
    """Fold postings into the shown balances."""
    sums: Counter[Account] = Counter()
    for account, amount in booked:
        sums[account] += amount
    rows = [
        (owner, kind.value, lot, unit, amount) for (kind, owner, lot, unit), amount in sums.items()
    ]
    _ADD_TO_BALANCE.run_many(connection, rows)


def postings_of(connection: Connection, owner: str, *, epoch: int, from_seq: int) -> list[Posting]:
    """Own postings on an owner's accounts from a seq on (and all of later epochs)."""
    rows = connection.execute(
        select(postings).where(
            postings.c.owner == owner,
            (postings.c.epoch > epoch)
            | ((postings.c.epoch == epoch) & (postings.c.seq >= from_seq)),
        )
    )
    return [
        Posting(Account(AccountKind(row.account), row.owner, row.lot, Unit(row.unit)), row.amount)
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries of one epoch, with what belongs to them, for a push."""

    first_seq: int
    previous_hash: bytes
    entries: tuple[bytes, ...]
    attachments: tuple[Attachment, ...]
    head_seq: int
    head_hash: bytes

    @property
    def next_seq(self) -> int:
        """The number after the last entry."""
        return self.head_seq + 1


def is_head(connection: Connection, epoch: Epoch, next_seq: int, head_hash: bytes) -> bool:
    """Whether this epoch stood there once: its entry before ``next_seq`` has this hash."""
    if next_seq == 0:
        return head_hash == genesis_hash(epoch.certificate.payload)
    if next_seq == epoch.head.next_seq:
        return head_hash == epoch.head.hash
    if next_seq == epoch.oldest_seq and epoch.forgotten_hash is not None:
        return head_hash == epoch.forgotten_hash
    statement = select(entries.c.hash).where(
        entries.c.journal == epoch.head.journal,
        entries.c.epoch == epoch.head.epoch,
        entries.c.seq == next_seq - 1,
    )
    return connection.execute(statement).scalar() == head_hash


def applied_through(connection: Connection, epoch: Epoch, heads: Iterable[JournalHead]) -> int:
    """Own entries below it are in what the server told along with these heads.

    Of several branches only this journal's own counts; where none is known by its head, what was
    acknowledged.
    """
    own = [one.next_seq for one in heads if is_head(connection, epoch, one.next_seq, one.hash)]
    return max(own, default=epoch.acknowledged_seq)


def read_batch(
    connection: Connection, *, epoch: Epoch, first_seq: int, entries_max: int, bytes_max: int
) -> Batch:
    """Entries from ``first_seq`` on, at least one if there is any, up to both limits.

    Where the first ones asked for were deleted, the batch begins with the oldest that is here.
    """
    journal = epoch.head.journal
    rows = list(
        _take(
            connection.execute(
                select(entries)
                .where(
                    entries.c.journal == journal,
                    entries.c.epoch == epoch.head.epoch,
                    entries.c.seq >= first_seq,
                )
                .order_by(entries.c.seq)
                .limit(entries_max)
            ),
            bytes_max,
        )
    )
    if not rows:
        # Nothing new, or nothing here any more: both say where the chain stands.
        end = epoch.head.next_seq
        return Batch(end, epoch.head.hash, (), (), end - 1, epoch.head.hash)
    ids = [row.id for row in rows]
    beside = connection.execute(select(attachments).where(attachments.c.entry_id.in_(ids)))
    return Batch(
        rows[0].seq,
        rows[0].previous_hash,
        tuple(row.bytes for row in rows),
        tuple(Attachment(row.id, row.salt, row.content) for row in beside),
        rows[-1].seq,
        rows[-1].hash,
    )


def _take(rows: Iterable[Row[Any]], bytes_max: int) -> Iterator[Row[Any]]:
    total = 0
    for row in rows:
        total += len(row.bytes)
        if total > bytes_max:
            return
        yield row


def read_chained(connection: Connection, entry_id: EntryId) -> ChainedEntry:
    """One own entry with its place in the chain; an id that is not here is a bug."""
    row = connection.execute(select(entries).where(entries.c.id == entry_id)).one()
    return ChainedEntry(decode_entry(row.bytes), row.previous_hash, row.hash)


def last_hybrid_time(connection: Connection) -> HybridTime | None:
    """The newest own entry's hybrid time, so that the clock goes on after it."""
    encoded = connection.execute(
        select(entries.c.bytes).order_by(entries.c.epoch.desc(), entries.c.seq.desc()).limit(1)
    ).scalar()
    return decode_entry(encoded).envelope.hlc if encoded is not None else None
