"""Forgetting a member: everything personal goes, the ledger keeps a random id.

The journal is not touched: an enrolment holds hashes of 256 unknown random bits, which tell nothing
once the attachment and its salt are gone. On SQLite the freed bytes are overwritten and the
write-ahead log is emptied before this returns; on PostgreSQL dead rows and archived logs go by that
database's own vacuum and retention (docs/operations.md).
"""

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import EntryId, MemberId
from shared.journal.entry import decode_entry
from shared.trade.server import MemberErased
from shared.trade.writing import Writing
from sync_server.database.schema import (
    attachments,
    entries,
    erased_attachments,
    member_entries,
    member_keys,
    member_segments,
    members,
)
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Work
from sync_server.journal.own import OwnJournal


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erases members."""

    database: Database
    clock: Clock
    own: OwnJournal

    def erase(self, member_id: MemberId, *, reason: str) -> None:
        """Forget a member everywhere; once more is fine.

        Raises DomainError ``unknown-member`` and EnvironmentFault ``log-in-use`` where another
        process still reads old pages: the data is gone, but the log must be emptied again.
        """
        with self.database.writing() as work:
            row = work.connection.execute(
                select(members.c.gone).where(
                    members.c.shard == work.shard, members.c.member_id == member_id
                )
            ).first()
            if row is None:
                raise DomainError("unknown-member", member=member_id)
            if not row.gone:
                self._forget(work, member_id, reason)
        self.database.scrub()

    def _forget(self, work: Work, member_id: MemberId, reason: str) -> None:
        _erase_attachments(work, member_id, format_time(self.clock.now()))
        for table in (member_keys, member_segments):
            own = (table.c.shard == work.shard, table.c.member_id == member_id)
            work.connection.execute(delete(table).where(*own))
        blank = update(members).where(
            members.c.shard == work.shard, members.c.member_id == member_id
        )
        work.connection.execute(
            blank.values(name="", phone="", card="", birthday="", email="", gone=True)
        )
        # Its booking gives the tombstone its place in the members stream.
        self.own.write(work, [Writing(MemberErased(member_id=member_id, reason=reason))])


def _erase_attachments(work: Work, member_id: MemberId, now: str) -> None:
    """Delete what came with the member's entries, and bar what may still come late."""
    concerned = select(member_entries.c.entry_id).where(
        member_entries.c.shard == work.shard, member_entries.c.member_id == member_id
    )
    stored = select(entries.c.id, entries.c.bytes).where(
        entries.c.shard == work.shard, entries.c.id.in_(concerned)
    )
    named: dict[str, EntryId] = {}
    for entry_id, encoded in work.connection.execute(stored):
        for ref in decode_entry(encoded).envelope.attachments:
            named[ref.id] = entry_id
    work.connection.execute(
        delete(attachments).where(
            attachments.c.shard == work.shard, attachments.c.entry_id.in_(concerned)
        )
    )
    work.insert_new(
        erased_attachments,
        [{"attachment_id": attachment, "erased_at": now} for attachment in named],
    )
