"""How far a till's entries are safe from the loss of this machine's disk."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select, text

from sync_server.database.schema import copies, durable
from sync_server.database.transaction import Snapshot
from sync_server.journal.chains import Chain

_STANDBY = text(
    """
    SELECT count(*) FROM pg_stat_replication
    WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming'
      AND client_addr IS NOT NULL
      AND NOT client_addr <<= inet '127.0.0.0/8' AND client_addr <> inet '::1'
      AND current_setting('synchronous_standby_names') <> ''
      AND current_setting('synchronous_commit') IN ('on', 'remote_apply')
    """
)
"""A standby on another machine for which this transaction's commit waits until it has flushed it.
The view shows its columns only to roles with pg_monitor; to others there is no standby."""


_SAFE: Final = select(durable.c.next_seq).where(
    durable.c.shard == bindparam("shard"),
    durable.c.journal == bindparam("journal"),
    durable.c.epoch == bindparam("epoch"),
)
_LAST_BACKUP: Final = select(func.max(copies.c.made_at)).where(
    copies.c.shard == bindparam("shard"), copies.c.off_machine.is_(True)
)
"""Asked with every push: made once."""


@dataclass(frozen=True, slots=True)
class Durability:
    """What a till is told."""

    next_seq: int
    """Entries below it are on another device, read back; 0 where there is no copy."""
    backup_at: str | None
    """When the newest copy on another device was made."""


def durability_of(snapshot: Snapshot, chain: Chain) -> Durability:
    """How far an epoch is safe once this transaction is committed."""
    told = {"shard": snapshot.shard, "journal": chain.journal, "epoch": chain.epoch}
    found = snapshot.connection.execute(_SAFE, told).scalar()
    next_seq = chain.next_seq if has_standby(snapshot) else int(found or 0)
    return Durability(min(next_seq, chain.next_seq), last_backup(snapshot))


def last_backup(snapshot: Snapshot) -> str | None:
    """When the newest copy on another device was made."""
    return snapshot.connection.execute(_LAST_BACKUP, {"shard": snapshot.shard}).scalar()


def has_standby(snapshot: Snapshot) -> bool:
    """Whether a synchronous PostgreSQL standby on another machine takes every commit."""
    if snapshot.connection.dialect.name != "postgresql":
        return False
    return bool(snapshot.connection.execute(_STANDBY).scalar_one())
