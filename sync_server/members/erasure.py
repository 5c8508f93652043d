"""Forgetting a member: everything personal goes, the ledger keeps a random id.

The journal is not touched: an enrolment holds hashes of 256 unknown random bits, which tell nothing
once the attachment and its salt are gone. On SQLite the freed bytes are overwritten and the
write-ahead log is emptied before this returns; on PostgreSQL dead rows and archived logs go by that
database's own vacuum and retention (docs/operations.md).

Who was erased is also written beside the database and beside its copies, before the erasure is
committed: a copy made earlier still has the data, and is cleaned by that list when it is restored.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import delete, select, update

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import MemberId
from shared.journal.entry import decode_entry
from shared.trade.profile import MemberProfile
from shared.trade.server import MemberErased
from shared.trade.writing import Writing
from sync_server.database.schema import (
    attachments,
    consents,
    copies,
    entries,
    erased_attachments,
    member_entries,
    member_keys,
    member_segments,
    members,
    merges,
    profile_facts,
)
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Work
from sync_server.journal.own import OwnJournal
from sync_server.members.aliases import one_person
from sync_server.members.erasure_list import LIST_FILE, Erased, ErasureList
from sync_server.members.key_claims import claims_of, drop_claims
from sync_server.members.roll import touch

PERSONAL: Final = (*MemberProfile.__struct_fields__, "changed_hlc")
"""Columns of a member that an erasure empties."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erases members."""

    database: Database
    clock: Clock
    own: OwnJournal
    erasures: ErasureList
    drop_snapshots: Callable[[], None] = lambda: None
    """Files for new tills that still have the data go with it."""

    def erase(self, member_id: MemberId, *, reason: str) -> None:
        """Forget a member everywhere, with all enrolments that are the same person; once more is
        fine.

        Raises DomainError ``unknown-member`` and EnvironmentFault ``log-in-use`` where another
        process still reads old pages, ``file-not-rewritten`` where the disk is full or fails: the
        data is gone, but traces of it are not until it is erased once more.
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
                for one in one_person(work, member_id):
                    self._forget(work, one, reason)
        try:
            self.drop_snapshots()
        finally:
            self.database.scrub()

    def erase_again(self, work: Work, erased: Iterable[Erased], *, reason: str) -> int:
        """Forget those of a list whom a restored copy still has; how many there were.

        Members the copy never heard of are barred too: tills may send their enrolment again.
        """
        found = 0
        for one in erased:
            row = work.connection.execute(
                select(members.c.gone).where(
                    members.c.shard == work.shard, members.c.member_id == one.member_id
                )
            ).first()
            if row is None:
                touch(work, [one.member_id])
            if row is None or not row.gone:
                found += row is not None
                self._forget(work, one.member_id, reason)
        return found

    def _forget(self, work: Work, member_id: MemberId, reason: str) -> None:
        now = format_time(self.clock.now())
        _erase_attachments(work, member_id, now)
        self._list(work, Erased(member_id=member_id, erased_at=now))
        for table in (profile_facts, consents, member_segments):
            own = (table.c.shard == work.shard, table.c.member_id == member_id)
            work.connection.execute(delete(table).where(*own))
        # A number can be somebody else's by now: it finds the next who says to have it.
        drop_claims(work, [(key, member_id) for key in claims_of(work, member_id)])
        held = (member_keys.c.shard == work.shard, member_keys.c.member_id == member_id)
        work.connection.execute(delete(member_keys).where(*held))
        concerned = (merges.c.from_member == member_id) | (merges.c.into_member == member_id)
        work.connection.execute(
            update(merges).where(merges.c.shard == work.shard, concerned).values(key_hashes="")
        )
        blank = update(members).where(
            members.c.shard == work.shard, members.c.member_id == member_id
        )
        work.connection.execute(blank.values(**dict.fromkeys(PERSONAL, ""), gone=True))
        # Its booking gives the tombstone its place in the members stream.
        self.own.write(work, [Writing(MemberErased(member_id=member_id, reason=reason))])

    def _list(self, work: Work, erased: Erased) -> None:
        self.erasures.add(erased)
        targets = work.connection.execute(
            select(copies.c.target).where(copies.c.shard == work.shard).distinct()
        ).scalars()
        for folder in {Path(target).parent for target in targets}:
            # A target that is not there now gets the line with the next copy.
            with suppress(OSError):
                if folder.is_dir():
                    ErasureList(folder / LIST_FILE).add(erased)


def _erase_attachments(work: Work, member_id: MemberId, now: str) -> None:
    """Delete what came with the member's entries, and bar what may still come late."""
    concerned = select(member_entries.c.entry_id).where(
        member_entries.c.shard == work.shard, member_entries.c.member_id == member_id
    )
    stored = select(entries.c.id, entries.c.bytes).where(
        entries.c.shard == work.shard, entries.c.id.in_(concerned)
    )
    named = [
        ref.id
        for _entry_id, encoded in work.connection.execute(stored)
        for ref in decode_entry(encoded).envelope.attachments
    ]
    work.connection.execute(
        delete(attachments).where(
            attachments.c.shard == work.shard, attachments.c.entry_id.in_(concerned)
        )
    )
    work.insert_new(
        erased_attachments,
        [{"attachment_id": attachment, "erased_at": now} for attachment in named],
    )
