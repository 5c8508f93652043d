"""Forks: whether a till's disk was restored from an image, or two machines write one journal."""

from enum import StrEnum

from sqlalchemy import func, select

from shared.ids import JournalId
from sync_server.database.schema import entries, epochs
from sync_server.database.transaction import Snapshot


class ForkKind(StrEnum):
    """What the two branches look like by now."""

    IMAGE = "image"
    """The old branch has stopped: an image was restored, one till goes on from it."""
    CLONE = "clone"
    """Both branches grow: two machines sell under one key."""


def fork_key(journal: JournalId, epoch: int, seq: int, first_hash: bytes) -> str:
    """The natural key of a fork's exception; ``fork_kind`` reads it."""
    return f"fork:{journal}:{epoch}:{seq}:{first_hash.hex()}"


def fork_kind(snapshot: Snapshot, natural_key: str) -> ForkKind | None:
    """What the fork of an exception is by now; None where the key is of no fork that is kept."""
    parts = natural_key.split(":")
    if len(parts) != 5 or parts[0] != "fork":
        return None
    journal, epoch, seq, first_hash = parts[1], int(parts[2]), int(parts[3]), parts[4]
    columns = entries.c
    of_shard = columns.shard == snapshot.shard
    branch = snapshot.connection.execute(
        select(columns.server_seq)
        .join(epochs, (epochs.c.shard == columns.shard) & (epochs.c.journal == columns.journal))
        .where(
            of_shard,
            columns.journal == journal,
            columns.epoch == epochs.c.epoch,
            epochs.c.forked_epoch == epoch,
            columns.seq == seq,
            columns.hash == bytes.fromhex(first_hash),
        )
    ).scalar()
    if branch is None:
        return None
    newest = snapshot.connection.execute(
        select(func.max(columns.server_seq)).where(
            of_shard, columns.journal == journal, columns.epoch == epoch, columns.seq >= seq
        )
    ).scalar()
    return ForkKind.CLONE if newest is not None and newest > branch else ForkKind.IMAGE


def should_enrol_again(snapshot: Snapshot, journal: JournalId, written_epoch: int) -> bool:
    """Whether a till still writes an epoch that was found forked."""
    columns = epochs.c
    of_journal = (columns.shard == snapshot.shard, columns.journal == journal)
    forked = select(columns.epoch).where(
        *of_journal, columns.written_epoch == written_epoch, columns.forked_epoch.is_not(None)
    )
    newer = select(columns.epoch).where(
        *of_journal, columns.forked_epoch.is_(None), columns.epoch > written_epoch
    )
    return (
        snapshot.connection.execute(forked.limit(1)).first() is not None
        and snapshot.connection.execute(newer.limit(1)).first() is None
    )
