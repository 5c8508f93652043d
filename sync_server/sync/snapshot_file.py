"""Writing all rows of the members' stream, as of one moment, into one file that a till can open."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard
from sqlalchemy import select
from sqlcipher3 import dbapi2

from shared.errors import EnvironmentFault
from shared.protocol.message import PROTOCOL, MemberRow, Stream
from shared.protocol.replica import Scope, row_hash
from shared.protocol.snapshot import (
    BLOCK_ROWS,
    FINDS_KEY,
    FINDS_PHONE_TAIL,
    FORMAT,
    SnapshotTerms,
    finding_hash,
)
from sync_server.database.schema import epochs, heads
from sync_server.database.transaction import Snapshot
from sync_server.sync.kept_scopes import read_scope
from sync_server.sync.region_rows import member_pages
from sync_server.sync.rows import read_shard

LEVEL: Final = 3
"""Of Zstandard; a higher one saves little: most of a row is random ids and hashes."""
READ_ROWS: Final = 8 * BLOCK_ROWS
_TABLES: Final = """
CREATE TABLE blocks (number INTEGER PRIMARY KEY, row_count INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE finds (hash INTEGER NOT NULL, block INTEGER NOT NULL, place INTEGER NOT NULL,
  PRIMARY KEY (hash, block, place)) WITHOUT ROWID;
CREATE TABLE heads (journal TEXT NOT NULL, epoch INTEGER NOT NULL, next_seq INTEGER NOT NULL,
  hash BLOB NOT NULL);
CREATE TABLE about (scope TEXT NOT NULL, generation TEXT NOT NULL, server_seq INTEGER NOT NULL);
CREATE TEMP TABLE found (hash INTEGER NOT NULL, block INTEGER NOT NULL, place INTEGER NOT NULL);
"""

Progress = Callable[[int, int], None]
"""Told how many rows of how many are written; what it raises ends the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file with what it is."""

    file: Path
    terms: SnapshotTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A file with all rows of one moment, which is not flushed yet and has no name."""

    file: Path
    scope: str
    generation: str
    server_seq: int
    held: Scope

    def sealed(self, made_at: str) -> Written:
        """Flush it and say what it is, by a hash of every byte."""
        with self.file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            os.fsync(opened.fileno())
            size = opened.tell()
        terms = SnapshotTerms(
            format=FORMAT,
            protocol=PROTOCOL,
            stream=Stream.MEMBERS,
            scope=self.scope,
            generation=self.generation,
            server_seq=self.server_seq,
            rows=self.held.rows,
            checksum=self.held.checksum,
            size=size,
            sha256=sha256,
            made_at=made_at,
        )
        return Written(file=self.file, terms=terms)


def fill_snapshot(snapshot: Snapshot, file: Path, *, scope: str, progress: Progress) -> Filled:
    """Write a file; all of it is read in the caller's one transaction.

    Raises EnvironmentFault ``snapshot-miscounted`` where the rows are not those that the server
    counts: every till that took them would begin anew.
    """
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    shard = read_shard(snapshot)
    counted = read_scope(snapshot, Stream.MEMBERS, scope)
    connection: Any = dbapi2.connect(str(file), isolation_level=None)
    try:
        # Nobody opens it before it is whole: a crash leaves a file that is made anew.
        for pragma in ("page_size = 16384", "journal_mode = OFF", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        about = (scope, shard.generation, shard.server_seq)
        connection.execute("INSERT INTO about VALUES (?, ?, ?)", about)
        _write_heads(snapshot, connection)
        found = _write_rows(snapshot, connection, scope, counted.rows, progress)
        connection.execute("COMMIT")
    finally:
        connection.close()
    if found != counted:
        raise EnvironmentFault("snapshot-miscounted", rows=found.rows, counted=counted.rows)
    return Filled(
        file=file,
        scope=scope,
        generation=shard.generation,
        server_seq=shard.server_seq,
        held=found,
    )


def _write_heads(snapshot: Snapshot, connection: Any) -> None:
    statement = select(
        epochs.c.journal, epochs.c.written_epoch, heads.c.next_seq, heads.c.head_hash
    ).join(
        heads,
        (epochs.c.shard == heads.c.shard)
        & (epochs.c.journal == heads.c.journal)
        & (epochs.c.epoch == heads.c.epoch),
    )
    rows = snapshot.connection.execute(statement.where(epochs.c.shard == snapshot.shard))
    connection.executemany("INSERT INTO heads VALUES (?, ?, ?, ?)", [tuple(row) for row in rows])


def _write_rows(
    snapshot: Snapshot, connection: Any, scope: str, total: int, progress: Progress
) -> Scope:
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    found = Scope()
    for number, rows in enumerate(_blocks(snapshot, scope)):
        encoded, finds = [msgspec.msgpack.encode(row) for row in rows], []
        for place, (row, text) in enumerate(zip(rows, encoded, strict=True)):
            found = found.changed(None, row_hash(text))
            finds += [(one, number, place) for one in _findings(row)]
        body = compressor.compress(msgspec.msgpack.encode(encoded))
        block = (number, len(rows), body)
        connection.execute("INSERT INTO blocks VALUES (?, ?, ?)", block)
        connection.executemany("INSERT INTO found VALUES (?, ?, ?)", finds)
        progress(found.rows, total)
    # In order, so that the pages are full and lie one after another; sorted by SQLite, which lets
    # other threads go on meanwhile.
    connection.execute(
        "INSERT OR IGNORE INTO finds SELECT hash, block, place FROM found ORDER BY 1, 2, 3"
    )
    return found


def _findings(row: MemberRow) -> Iterator[int]:
    yield from (finding_hash(FINDS_KEY, key) for key in row.keys)
    if row.phone_tail:
        yield finding_hash(FINDS_PHONE_TAIL, row.phone_tail)


def _blocks(snapshot: Snapshot, scope: str) -> Iterator[Sequence[MemberRow]]:
    kept: list[MemberRow] = []
    for page in member_pages(snapshot, scope, READ_ROWS):
        kept += page
        while len(kept) >= BLOCK_ROWS:
            yield kept[:BLOCK_ROWS]
            kept = kept[BLOCK_ROWS:]
    if kept:
        yield kept
