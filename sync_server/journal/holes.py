"""Holes: stretches of a journal that a restored server asked for and the till had deleted."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update

from shared.ids import JournalId
from sync_server.database.schema import holes
from sync_server.database.transaction import Snapshot, Work

_OPEN: Final = (
    select(holes)
    .where(holes.c.shard == bindparam("shard"), holes.c.filled_at.is_(None))
    .order_by(holes.c.journal, holes.c.epoch, holes.c.stop_seq)
)
_OPEN_OF_JOURNAL: Final = _OPEN.where(holes.c.journal == bindparam("journal"))
"""Asked with every push: made once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Entries ``first_seq`` to ``stop_seq - 1`` of an epoch, which nobody has."""

    journal: JournalId
    epoch: int
    """The epoch they would be stored under."""
    first_seq: int
    stop_seq: int
    """The first entry behind it."""
    hash_before: bytes
    """What the first missing entry builds on."""
    hash_at_end: bytes
    """What the entry behind it builds on: the hash of the last missing one."""

    def misses(self, seq: int) -> bool:
        """Whether an entry lies in it."""
        return self.first_seq <= seq < self.stop_seq


def open_holes(snapshot: Snapshot, journal: JournalId | None = None) -> list[Hole]:
    """Holes that are not filled, of a journal or of all."""
    told: dict[str, Any] = {"shard": snapshot.shard}
    statement = _OPEN
    if journal is not None:
        statement, told["journal"] = _OPEN_OF_JOURNAL, journal
    return [_hole(row) for row in snapshot.connection.execute(statement, told)]


def dig(work: Work, hole: Hole, now: str) -> None:
    """Note a hole."""
    row = {
        "journal": hole.journal,
        "epoch": hole.epoch,
        "stop_seq": hole.stop_seq,
        "first_seq": hole.first_seq,
        "hash_before": hole.hash_before,
        "hash_at_end": hole.hash_at_end,
        "found_at": now,
    }
    work.insert(holes, [row])


def fill(work: Work, hole: Hole, *, next_seq: int, head_hash: bytes, now: str) -> None:
    """Note that entries below ``next_seq`` are there again; at its end the hole is closed."""
    columns = holes.c
    filled_at = now if next_seq == hole.stop_seq else None
    work.connection.execute(
        update(holes)
        .where(
            columns.shard == work.shard,
            columns.journal == hole.journal,
            columns.epoch == hole.epoch,
            columns.stop_seq == hole.stop_seq,
        )
        .values(first_seq=next_seq, hash_before=head_hash, filled_at=filled_at)
    )


def _hole(row: Row[Any]) -> Hole:
    return Hole(
        journal=row.journal,
        epoch=row.epoch,
        first_seq=row.first_seq,
        stop_seq=row.stop_seq,
        hash_before=row.hash_before,
        hash_at_end=row.hash_at_end,
    )
