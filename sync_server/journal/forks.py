"""Forks: whether a till's disk was restored from an image, or two machines write one journal."""

from enum import StrEnum
from typing import Final

from sqlalchemy import bindparam, func, select

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
    return has_forked(snapshot, journal, written_epoch) and is_newest(
        snapshot, journal, written_epoch
    )


_OF_JOURNAL: Final = (
    select(epochs.c.epoch)
    .where(epochs.c.shard == bindparam("shard"), epochs.c.journal == bindparam("journal"))
    .limit(1)
)
_FORKED: Final = _OF_JOURNAL.where(
    epochs.c.written_epoch == bindparam("written"), epochs.c.forked_epoch.is_not(None)
)
_NEWER: Final = _OF_JOURNAL.where(
    epochs.c.forked_epoch.is_(None), epochs.c.epoch > bindparam("written")
)
"""Asked with every push: made once."""


def has_forked(snapshot: Snapshot, journal: JournalId, written_epoch: int) -> bool:
    """Whether entries of one epoch contradicted each other; a later key begins without that."""
    told = {"shard": snapshot.shard, "journal": journal, "written": written_epoch}
    return snapshot.connection.execute(_FORKED, told).first() is not None


def is_newest(snapshot: Snapshot, journal: JournalId, written_epoch: int) -> bool:
    """Whether no key was given to a journal after this epoch's."""
    told = {"shard": snapshot.shard, "journal": journal, "written": written_epoch}
    return snapshot.connection.execute(_NEWER, told).first() is None
