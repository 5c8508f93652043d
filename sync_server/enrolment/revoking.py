"""Revoking a till: its keys are trusted no more, but what it sold is still taken."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, select

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import JournalId, TillId
from shared.journal.keys import KeyId
from shared.trade.server import TillRevoked
from shared.trade.writing import Writing
from sync_server.database.schema import epochs, revoked_keys
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.stores.registry import find_till


@dataclass(frozen=True, slots=True)
class Revocation:
    """Takes a till's keys back."""

    database: Database
    clock: Clock
    own: OwnJournal

    def revoke(self, till_id: TillId) -> int:
        """Revoke all keys of a till; how many were not yet. DomainError ``unknown-till``.

        The till may be enrolled again, with a new key, at any time.
        """
        now = format_time(self.clock.now())
        with self.database.writing() as work:
            till = find_till(work, till_id)
            if till is None:
                raise DomainError("unknown-till", till=till_id)
            return revoke_keys(work, self.own, till_id, till.journal or JournalId(""), now)


def revoke_keys(
    work: Work,
    own: OwnJournal,
    till_id: TillId,
    journal: JournalId,
    now: str,
    *,
    through: int | None = None,
) -> int:
    """Revoke the keys of a till, those up to an epoch where one is named; how many were not yet."""
    columns = epochs.c
    rows = work.connection.execute(
        select(columns.journal, columns.epoch, columns.key_id)
        .where(
            columns.shard == work.shard,
            columns.journal == journal,
            columns.forked_epoch.is_(None),
            *([columns.epoch <= through] if through is not None else []),
            columns.key_id.not_in(
                select(revoked_keys.c.key_id).where(revoked_keys.c.shard == work.shard)
            ),
        )
        .order_by(columns.epoch)
    ).all()
    work.insert(
        revoked_keys,
        [{"key_id": row.key_id, "till_id": till_id, "revoked_at": now} for row in rows],
    )
    facts = [
        TillRevoked(journal=row.journal, epoch=row.epoch, till_id=till_id, key_id=row.key_id)
        for row in rows
    ]
    own.write(work, [Writing(fact) for fact in facts])
    return len(rows)


_REVOKED: Final = select(revoked_keys.c.key_id).where(
    revoked_keys.c.shard == bindparam("shard"), revoked_keys.c.key_id == bindparam("key")
)
"""Asked with every request: made once."""


def is_revoked(snapshot: Snapshot, key_id: KeyId) -> bool:
    """Whether a key is trusted no more."""
    told = {"shard": snapshot.shard, "key": key_id}
    return snapshot.connection.execute(_REVOKED, told).first() is not None
