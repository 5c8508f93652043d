"""Leases after a restore: what the copy lacks is shown by the tills that hold it.

Until every enrolled till has shown its leases, or the longest term has passed since the restore,
nothing is granted: somebody may hold a right that this database does not know of.
"""

from datetime import datetime, timedelta

from sqlalchemy import select

from shared.loyalty.leasing import Leases
from sync_server.database.schema import exceptions, lease_presentations, shards, tills
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.finding import restored_key


def generation_of(snapshot: Snapshot) -> str:
    """The life of the server between restores that this is."""
    statement = select(shards.c.generation).where(shards.c.shard == snapshot.shard)
    return str(snapshot.connection.execute(statement).scalar_one())


def note_presented(work: Work, journal: str) -> None:
    """A till has shown all its leases to this generation."""
    work.insert_new(lease_presentations, [{"journal": journal, "generation": generation_of(work)}])


def is_to_note(snapshot: Snapshot, journal: str, told: str) -> bool:
    """Whether a till tells for the first time that it has shown this generation its leases."""
    generation = generation_of(snapshot)
    if told != generation or _restored_at(snapshot, generation) is None:
        return False
    columns = lease_presentations.c
    known = select(columns.journal).where(
        columns.shard == snapshot.shard,
        columns.journal == journal,
        columns.generation == generation,
    )
    return snapshot.connection.execute(known).first() is None


def _restored_at(snapshot: Snapshot, generation: str) -> str | None:
    """When this generation began; None for the first."""
    return snapshot.connection.execute(
        select(exceptions.c.raised_at).where(
            exceptions.c.shard == snapshot.shard,
            exceptions.c.natural_key == restored_key(generation),
        )
    ).scalar()


def is_resting(snapshot: Snapshot, rules: Leases, now: datetime) -> bool:
    """Whether a till may hold a lease that this server lost."""
    generation = generation_of(snapshot)
    restored_at = _restored_at(snapshot, generation)
    if restored_at is None:
        return False
    if now >= datetime.fromisoformat(restored_at) + timedelta(hours=rules.hours):
        return False
    shown = select(lease_presentations.c.journal).where(
        lease_presentations.c.shard == snapshot.shard,
        lease_presentations.c.generation == generation,
    )
    missing = select(tills.c.till_id).where(
        tills.c.shard == snapshot.shard,
        tills.c.journal.is_not(None),
        tills.c.journal.not_in(shown),
    )
    return snapshot.connection.execute(missing.limit(1)).first() is not None
