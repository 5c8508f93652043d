"""The till's books: reading, and writing facts in one transaction with what belongs to them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from desktop.store.identity import TillIdentity
from desktop.store.journal import Journal, current_epoch
from desktop.store.print_jobs import queue_original
from desktop.store.writer import Transaction, Urgency, Writer
from shared.catalogue.codes import receipt_code
from shared.clock import Clock
from shared.ids import EntryId, random_id
from shared.journal.chain import ChainedEntry
from shared.trade.writing import Scribe, Writing

Result = TypeVar("Result")
Also = Callable[[Transaction, ChainedEntry], None]


class EntryPlace(NamedTuple):
    """Where the next entry will stand; facts name it (lots, receipt numbers) before it is there."""

    entry_id: EntryId
    epoch: int
    seq: int


class Books:
    """What all services write through; one per till."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        journal: Journal,
        identity: TillIdentity,
        paper_language: str,
    ) -> None:
        self.writer = writer
        self.identity = identity
        self.paper_language = paper_language
        """What is printed from now on is printed in it."""
        self._reading = reading
        self._journal = journal

    @property
    def clock(self) -> Clock:
        """The till's clock."""
        return self._journal.scribe.clock

    @property
    def scribe(self) -> Scribe:
        """Makes ids and entries."""
        return self._journal.scribe

    def today(self) -> date:
        """The date on the store's wall."""
        return self.clock.now().astimezone(self.identity.zone).date()

    def new_id(self) -> str:
        """A random id for things that are not entries."""
        return random_id(self.scribe.random_bytes)

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection on one consistent state of the books."""
        return self._reading.connect()

    def record(self, writing: Writing, *, also: Also | None = None) -> ChainedEntry:
        """Write one fact, and ``also`` in the same transaction; returns after the commit."""

        def work(transaction: Transaction) -> ChainedEntry:
            chained = self._journal.append(transaction, writing)
            if also is not None:
                also(transaction, chained)
            return chained

        return self.writer.run(work)

    def change(
        self, work: Callable[[Transaction], Result], urgency: Urgency = Urgency.BACKGROUND
    ) -> Result:
        """Change what is not in the journal (queues, cursors, counters)."""
        return self.writer.run(work, urgency)

    def next_place(self, transaction: Transaction) -> EntryPlace:
        """Where an entry appended now would stand."""
        epoch = current_epoch(transaction.connection)
        assert epoch is not None
        return EntryPlace(self.scribe.new_entry_id(), epoch.head.epoch, epoch.head.next_seq)

    def receipt_no(self, place: EntryPlace) -> str:
        """The number on the paper of the entry that will stand there."""
        return receipt_code(
            till_number=self.identity.till_number, epoch=place.epoch, number=place.seq + 1
        )

    def append(
        self, transaction: Transaction, writing: Writing, entry_id: EntryId | None = None
    ) -> ChainedEntry:
        """Write a fact inside a transaction that is already running."""
        return self._journal.append(transaction, writing, entry_id)

    def append_printed(
        self, transaction: Transaction, writing: Writing, entry_id: EntryId | None = None
    ) -> ChainedEntry:
        """Write a fact and queue its one original paper."""
        chained = self.append(transaction, writing, entry_id)
        queue_original(
            transaction.connection,
            job_id=self.new_id(),
            entry_id=chained.id,
            language=self.paper_language,
        )
        return chained
