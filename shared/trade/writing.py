"""From a fact to a chained entry: the one way entries come into being, on till and server."""

import secrets
from dataclasses import dataclass
from datetime import date, tzinfo

from shared.clock import Clock, HybridClock
from shared.ids import EntryId, RandomBytes, time_ordered_id
from shared.journal.attachment import Attachment
from shared.journal.chain import ChainedEntry, ChainHead, append
from shared.journal.entry import FORMAT, Envelope, format_occurred_at
from shared.trade.fact import Fact
from shared.trade.kinds import write_fact


@dataclass(frozen=True, slots=True)
class Writing:
    """A fact on its way into a journal, with everything its entry says beside it."""

    fact: Fact
    business_date: date | None = None
    reverses: EntryId | None = None
    depends_on: tuple[EntryId, ...] = ()
    attachments: tuple[tuple[str, Attachment], ...] = ()
    """Role and attachment."""


@dataclass(frozen=True, slots=True)
class Scribe:
    """Writes entries with one clock, one store's time zone and one random source."""

    clock: Clock
    hybrid: HybridClock
    zone: tzinfo
    random_bytes: RandomBytes = secrets.token_bytes

    def new_entry_id(self) -> EntryId:
        """An id for the next entry; the fact may need it before it is written (it names lots)."""
        return EntryId(time_ordered_id(self.clock, self.random_bytes))

    def write(
        self, head: ChainHead, writing: Writing, entry_id: EntryId | None = None
    ) -> tuple[ChainHead, ChainedEntry]:
        """Append a fact to the chain; DomainError ``entry-too-large`` beyond 64 KiB."""
        return append(head, self.envelope(head, writing, entry_id))

    def envelope(
        self, head: ChainHead, writing: Writing, entry_id: EntryId | None = None
    ) -> Envelope:
        """The envelope a fact gets at this head."""
        fact = writing.fact
        day = writing.business_date
        return Envelope(
            format=FORMAT,
            journal=head.journal,
            epoch=head.epoch,
            seq=head.next_seq,
            id=entry_id or self.new_entry_id(),
            kind=fact.kind,
            version=fact.version,
            post_version=fact.post_version,
            occurred_at=format_occurred_at(self.clock.now().astimezone(self.zone)),
            hlc=self.hybrid.tick(),
            business_date=day.isoformat() if day else None,
            reverses=writing.reverses,
            depends_on=writing.depends_on,
            attachments=tuple(a.ref(role) for role, a in writing.attachments),
            body=write_fact(fact),
        )
