"""Entries that are kept and not booked: unreadable for this release, or of a revoked till.

After an upgrade they are read once more, in the order of their journals. What still waits after a
quarter of an hour is an exception. Entries of a revoked till wait for head office.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, String, cast, delete, literal, select, update

from shared.clock import Clock
from shared.errors import DomainError, ProtocolError
from shared.ids import AttachmentId, EntryId, JournalId
from shared.journal.attachment import Attachment
from shared.trade.kinds import FACTS
from shared.trade.server import QuarantineDecided
from shared.trade.writing import Writing
from sync_server.database.schema import attachments, entries, jobs, natural_keys, quarantine
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.keys.vault import Vault
from sync_server.ledger.booking import book_readings
from sync_server.ledger.finding import Finding, Rule
from sync_server.ledger.kept import Link, Reading, read_envelope, read_till_link
from sync_server.members.merging import Merging
from sync_server.members.profile_facts import Arrival, profile_facts_among
from sync_server.members.profiles import settle_profiles
from sync_server.points.recovery import Recovery
from sync_server.sync.misuse import find_misuse

ALARM_AFTER: Final = timedelta(minutes=15)
ALARMS_AT_ONCE: Final = 500
REVOKED: Final = "revoked-till"
WAITING: Final = "quarantine-waiting:"
"""Begins the natural key of the exception; place follows."""
_shapes = msgspec.json.schema_components(FACTS)
READER: Final = hashlib.sha256(msgspec.json.encode(_shapes)).hexdigest()[:16]
"""Of what this release can read: another one tries the quarantine again."""


class Decision(StrEnum):
    """What became of an entry in quarantine."""

    BOOKED = "booked"
    """Head office took it; it counts like any other."""
    REJECTED = "rejected"
    """Head office gave it up; its bytes stay, it counts for nothing."""
    READ = "read"
    """A later release could read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An entry in quarantine."""

    journal: JournalId
    epoch: int
    seq: int
    entry_id: EntryId | None
    reason: str
    detail: str
    received_at: str
    kind: str
    can_be_booked: bool


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Looks after what waits."""

    database: Database
    clock: Clock
    own: OwnJournal
    vault: Vault
    merging: Merging
    recovery: Recovery

    def waiting(self) -> list[Waiting]:
        """All that waits, in the order of journals."""
        with self.database.reading() as snapshot:
            return [_waiting(row) for row in _rows(snapshot)]

    def decide(self, journal: JournalId, epoch: int, seq: int, decision: Decision) -> None:
        """Book an entry that waits, or give it up.

        Raises DomainError ``not-in-quarantine`` and ``cannot-be-booked``.
        """
        with self.database.writing() as work:
            row = _row_at(work, journal, epoch, seq)
            reading = _read(row)
            if decision is not Decision.REJECTED:
                if reading is None:
                    raise DomainError("cannot-be-booked", journal=journal, epoch=epoch, seq=seq)
                self._book(work, [reading])
            self._resolve(work, [row], decision)

    def bytes_of(self, journal: JournalId, epoch: int, seq: int) -> bytes:
        """An entry that waits, as it was written; DomainError ``not-in-quarantine``."""
        with self.database.reading() as snapshot:
            return bytes(_row_at(snapshot, journal, epoch, seq).bytes)

    def retry(self) -> int:
        """Read once more what another release could not; once each time this one takes over.

        How many were read.
        """
        with self.database.writing() as work:
            job = f"quarantine/{READER}"
            done = select(jobs.c.job).where(jobs.c.shard == work.shard, jobs.c.job == job)
            if work.connection.execute(done).first() is not None:
                return 0
            # A release that was taken back and comes again has to look again.
            others = jobs.c.job.startswith("quarantine/")
            work.connection.execute(delete(jobs).where(jobs.c.shard == work.shard, others))
            work.insert(jobs, [{"job": job, "server_seq": 0, "judged": 0, "unjudged": 0}])
            rows = _rows(work, quarantine.c.reason != REVOKED)
            readable = [(row, reading) for row in rows if (reading := _read(row)) is not None]
            self._book(work, [reading for _row, reading in readable])
            self._resolve(work, [row for row, _reading in readable], Decision.READ)
        return len(readable)

    def alarm(self) -> int:
        """Raise an exception for what waits too long and is none yet; how many."""
        before = format_time(self.clock.now() - ALARM_AFTER)
        with self.database.reading() as snapshot:
            is_late = quarantine.c.received_at < before
            late = _rows(snapshot, is_late, ~_is_raised(snapshot), limit=ALARMS_AT_ONCE)
        if late:
            with self.database.writing() as work:
                self.own.raise_exceptions(work, [_finding(row) for row in late])
        return len(late)

    def _book(self, work: Work, readings: Sequence[Reading]) -> None:
        findings = find_misuse(work, readings)
        now = self.clock.now()
        book_readings(work, readings, format_time(now))
        proved = list(_stored_attachments(work, readings))
        arrival = Arrival(now_ms=int(now.timestamp() * 1000))
        facts = profile_facts_among(readings, proved)
        findings += settle_profiles(work, facts, self.vault.lookup, arrival)
        self.merging.follow(work, readings)
        self.recovery.follow(work, readings)
        self.own.raise_exceptions(work, findings)

    def _resolve(self, work: Work, rows: Sequence[Row[Any]], decision: Decision) -> None:
        now = format_time(self.clock.now())
        for row in rows:
            work.connection.execute(
                update(quarantine)
                .where(
                    quarantine.c.shard == work.shard,
                    quarantine.c.journal == row.journal,
                    quarantine.c.epoch == row.epoch,
                    quarantine.c.seq == row.seq,
                )
                .values(resolved_at=now, decision=decision.value)
            )
        facts = [
            QuarantineDecided(
                journal=row.journal, epoch=row.epoch, seq=row.seq, decision=decision.value
            )
            for row in rows
        ]
        self.own.write(work, [Writing(fact) for fact in facts])


def _is_raised(snapshot: Snapshot) -> ColumnElement[bool]:
    """Whether an entry that waits is an exception already."""
    columns = quarantine.c
    place = columns.journal + ":" + cast(columns.epoch, String) + ":" + cast(columns.seq, String)
    raised = select(natural_keys.c.natural_key).where(
        natural_keys.c.shard == snapshot.shard,
        natural_keys.c.natural_key == literal(WAITING) + place,
    )
    return raised.exists()


def _rows(snapshot: Snapshot, *where: Any, limit: int | None = None) -> Sequence[Row[Any]]:
    columns = quarantine.c
    statement = (
        select(quarantine, entries.c.kind, entries.c.bytes, entries.c.prev_hash, entries.c.hash)
        .join(
            entries,
            (entries.c.shard == columns.shard)
            & (entries.c.journal == columns.journal)
            & (entries.c.epoch == columns.epoch)
            & (entries.c.seq == columns.seq),
        )
        .where(columns.shard == snapshot.shard, columns.resolved_at.is_(None), *where)
        .order_by(columns.journal, columns.epoch, columns.seq)
        .limit(limit)
    )
    return snapshot.connection.execute(statement).all()


def _row_at(snapshot: Snapshot, journal: JournalId, epoch: int, seq: int) -> Row[Any]:
    columns = quarantine.c
    rows = _rows(snapshot, columns.journal == journal, columns.epoch == epoch, columns.seq == seq)
    if not rows:
        raise DomainError("not-in-quarantine", journal=journal, epoch=epoch, seq=seq)
    return rows[0]


def _read(row: Row[Any]) -> Reading | None:
    """What the entry says, if this release can read it."""
    try:
        envelope = read_envelope(row.bytes)
    except ProtocolError:
        return None
    link = Link(
        seq=row.seq,
        encoded=row.bytes,
        prev_hash=row.prev_hash,
        hash=row.hash,
        envelope=envelope,
        failure=None,
    )
    outcome = read_till_link(link)
    # Bytes that named no id when they were stored can be found by none: they stay as they are.
    return outcome if isinstance(outcome, Reading) and row.entry_id == outcome.id else None


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        journal=row.journal,
        epoch=row.epoch,
        seq=row.seq,
        entry_id=row.entry_id,
        reason=row.reason,
        detail=row.detail,
        received_at=row.received_at,
        kind=row.kind,
        can_be_booked=_read(row) is not None,
    )


def _stored_attachments(
    work: Work, readings: Sequence[Reading]
) -> Iterable[tuple[Reading, Any, Attachment]]:
    by_id = {reading.id: reading for reading in readings}
    rows = work.connection.execute(
        select(attachments).where(
            attachments.c.shard == work.shard, attachments.c.entry_id.in_(list(by_id))
        )
    )
    for row in rows:
        reading = by_id[row.entry_id]
        attachment = Attachment(AttachmentId(row.attachment_id), row.salt, row.content)
        for ref in reading.envelope.attachments:
            if attachment.matches(ref):
                yield reading, ref, attachment


def _finding(row: Row[Any]) -> Finding:
    return Finding(
        rule=Rule.QUARANTINED,
        natural_key=f"{WAITING}{row.journal}:{row.epoch}:{row.seq}",
        facts=(row.entry_id,) if row.entry_id else (),
    )
