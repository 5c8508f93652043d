"""Filling holes from another copy: one that was made later, or before the till deleted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.ids import AttachmentId
from shared.journal.attachment import Attachment
from sync_server.backup.archive import ArchiveReader, Rows
from sync_server.backup.copying import read_back
from sync_server.database.transaction import Database
from sync_server.journal.holes import Hole, open_holes
from sync_server.sync.ingest import Ingest


@dataclass(frozen=True, slots=True)
class Filled:
    """What a copy had of a hole."""

    hole: Hole
    entries: int


def fill_from(database: Database, ingest: Ingest, backup: Path, passphrase: str) -> list[Filled]:
    """Keep and book what a copy has of the holes there are.

    Raises EnvironmentFault ``backup-unreadable``, ``backup-passphrase``; ProtocolError
    ``broken-chain`` where the copy is of a branch that does not lead to what is kept.
    """
    read_back(backup, passphrase)
    with database.reading() as snapshot:
        holes = open_holes(snapshot)
    found = _entries(backup, passphrase, holes)
    attachments = _attachments(backup, passphrase, {row["id"] for row in found})
    return [Filled(hole, _refill(ingest, hole, found, attachments)) for hole in holes]


def _refill(
    ingest: Ingest,
    hole: Hole,
    found: list[dict[str, Any]],
    attachments: dict[str, list[Attachment]],
) -> int:
    encoded: list[bytes] = []
    beside: list[Attachment] = []
    for row in found:
        place = (row["journal"], row["epoch"], row["seq"])
        if place == (hole.journal, hole.epoch, hole.first_seq + len(encoded)):
            encoded.append(row["bytes"])
            beside += attachments.get(row["id"], ())
    return ingest.refill(hole, encoded, beside) if encoded else 0


def _rows(backup: Path, passphrase: str, table: str) -> Iterator[dict[str, Any]]:
    with ArchiveReader(backup, passphrase) as archive:
        for record in archive.records():
            if isinstance(record, Rows) and record.table == table:
                for row in record.rows:
                    yield dict(zip(record.columns, row, strict=True))


def _entries(backup: Path, passphrase: str, holes: list[Hole]) -> list[dict[str, Any]]:
    """Entries that lie in a hole, in the order of their numbers."""
    missed = [
        row
        for row in _rows(backup, passphrase, "entries")
        if any(
            (hole.journal, hole.epoch) == (row["journal"], row["epoch"]) and hole.misses(row["seq"])
            for hole in holes
        )
    ]
    return sorted(missed, key=lambda row: (row["journal"], row["epoch"], row["seq"]))


def _attachments(
    backup: Path, passphrase: str, entries: set[str | None]
) -> dict[str, list[Attachment]]:
    found: dict[str, list[Attachment]] = {}
    for row in _rows(backup, passphrase, "attachments"):
        if row["entry_id"] in entries:
            attachment = Attachment(AttachmentId(row["attachment_id"]), row["salt"], row["content"])
            found.setdefault(row["entry_id"], []).append(attachment)
    return found
