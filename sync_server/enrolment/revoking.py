"""Revoking a till: its keys are trusted no more, but what it sold is still taken."""

from typing import Final

from sqlalchemy import bindparam, select

from shared.ids import JournalId, TillId
from shared.journal.certificate import decode_certificate
from shared.journal.keys import KeyId
from shared.trade.server import TillRevoked
from shared.trade.writing import Writing
from sync_server.database.schema import epochs, revoked_keys
from sync_server.database.transaction import Snapshot, Work
from sync_server.journal.own import OwnJournal


def revoke_keys(
    work: Work,
    own: OwnJournal,
    till_id: TillId,
    journal: JournalId,
    now: str,
    *,
    through: int | None = None,
    given_before: str = "",
) -> int:
    """Revoke the keys of a till; how many were not yet.

    Where an epoch is named, those up to it, and those whose certificate was given before a time.
    """
    columns = epochs.c
    found = work.connection.execute(
        select(columns.journal, columns.epoch, columns.key_id, columns.certificate)
        .where(
            columns.shard == work.shard,
            columns.journal == journal,
            columns.forked_epoch.is_(None),
            columns.key_id.not_in(
                select(revoked_keys.c.key_id).where(revoked_keys.c.shard == work.shard)
            ),
        )
        .order_by(columns.epoch)
    ).all()
    rows = [
        row
        for row in found
        if through is None
        or row.epoch <= through
        or decode_certificate(row.certificate).issued_at < given_before
    ]
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
