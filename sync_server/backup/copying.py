"""Making a copy while the server serves: one snapshot of all tables, read back from the device.

On SQLite this runs in a process of its own beside the server: readers never wait there, and the one
short transaction at the end queues with the server's for SQLite's own lock.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, Table, func, select

from shared.clock import Clock
from shared.errors import DomainError, EnvironmentFault
from shared.ids import random_id
from sync_server.backup.archive import (
    PASSPHRASE_LENGTH_MIN,
    SCRYPT_LOG2_N,
    ArchiveReader,
    ArchiveWriter,
    End,
    Rows,
    Secrets,
)
from sync_server.backup.content import Contents, Inspection
from sync_server.database import schema
from sync_server.database.times import format_time
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.keys.statement_list import LIST_FILE as STATEMENTS_FILE
from sync_server.keys.statement_list import StatementList
from sync_server.members.erasure_list import LIST_FILE, ErasureList
from sync_server.orders.log_file import LOG_FILE, CommandLog

SUFFIX: Final = ".evertill-backup"
RECORD_BYTES: Final = 1024 * 1024
PAGE_ROWS: Final = 1000

Progress = Callable[[str, int, int], None]
"""Told the table, rows done and rows in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy that was made, read back and found whole."""

    file: Path
    bytes: int
    sha256: str
    made_at: str
    off_machine: bool
    has_root_key: bool
    contents: Contents


def check_passphrase(passphrase: str) -> None:
    """Raise DomainError ``passphrase-too-short`` for one that could be guessed."""
    if len(passphrase) < PASSPHRASE_LENGTH_MIN:
        raise DomainError("passphrase-too-short", shortest=PASSPHRASE_LENGTH_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copier:
    """Makes copies of one server."""

    database: Database
    clock: Clock
    secrets: dict[str, bytes]
    erasures: ErasureList
    commands: CommandLog
    statements: StatementList
    log2_n: int = SCRYPT_LOG2_N

    def make(
        self,
        target: Path,
        passphrase: str,
        *,
        off_machine: bool,
        progress: Progress = lambda _table, _done, _total: None,
    ) -> Copy:
        """Write a copy into a folder, read it back, and note how far tills are in it.

        Raises DomainError ``passphrase-too-short``, EnvironmentFault ``backup-unreadable`` where
        what was read back is not what was written, and OSError of the target.
        """
        check_passphrase(passphrase)
        made_at = format_time(self.clock.now())
        target.mkdir(parents=True, exist_ok=True)
        stamp = made_at.translate(str.maketrans("", "", "-:."))[:18]
        file = target / f"evertill-{stamp}-{random_id()[:8]}{SUFFIX}"
        waiting = file.with_suffix(".part")
        try:
            sha256, server_seq = self._write(waiting, passphrase, made_at, progress)
            contents = read_back(waiting, passphrase, sha256=sha256)
            waiting.replace(file)
        except BaseException:
            waiting.unlink(missing_ok=True)
            raise
        _flush_folder(target)
        self.erasures.copy_to(target / LIST_FILE)
        self.commands.copy_to(target / LOG_FILE)
        self.statements.copy_to(target / STATEMENTS_FILE)
        copy = Copy(
            file=file,
            bytes=file.stat().st_size,
            sha256=sha256,
            made_at=made_at,
            off_machine=off_machine,
            has_root_key="root.key" in self.secrets,
            contents=contents,
        )
        with self.database.writing() as work:
            _note(work, copy, server_seq, format_time(self.clock.now()))
        return copy

    def _write(
        self, file: Path, passphrase: str, made_at: str, progress: Progress
    ) -> tuple[str, int]:
        with self.database.reading() as snapshot:
            shard = snapshot.connection.execute(select(schema.shards)).one()
            with ArchiveWriter(
                file,
                passphrase,
                revision=schema.HEAD_REVISION,
                generation=shard.generation,
                made_at=made_at,
                log2_n=self.log2_n,
            ) as archive:
                archive.add(Secrets(self.secrets))
                counts: dict[str, int] = {}
                for table in schema.metadata.sorted_tables:
                    counts[str(table.name)] = _write_table(snapshot, table, archive, progress)
                archive.add(End({name: count for name, count in counts.items() if count}))
                return archive.close(), shard.server_seq


def read_back(file: Path, passphrase: str, *, sha256: str | None = None) -> Contents:
    """Read a whole copy and check it.

    Raises EnvironmentFault ``backup-unreadable``, ``backup-passphrase``.
    """
    with ArchiveReader(file, passphrase) as archive:
        inspection = Inspection(file, archive.header)
        for _record in inspection.watch(archive.records()):
            pass
        if sha256 is not None and archive.sha256 != sha256:
            raise EnvironmentFault("backup-unreadable", file=str(file), reason="SHA-256")
        return inspection.finish()


def _write_table(
    snapshot: Snapshot, table: Table, archive: ArchiveWriter, progress: Progress
) -> int:
    total = snapshot.connection.execute(select(func.count()).select_from(table)).scalar_one()
    columns = tuple(str(column.name) for column in table.columns)
    done = 0
    for rows in _records(snapshot, table):
        archive.add(Rows(str(table.name), columns, [list(row) for row in rows]))
        done += len(rows)
        progress(table.name, done, total)
    return done


def _records(snapshot: Snapshot, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """The rows in the order of their keys, in lots of about a mebibyte."""
    statement = select(table).order_by(*table.primary_key.columns)
    found = snapshot.connection.execute(
        statement, execution_options={"stream_results": True, "yield_per": PAGE_ROWS}
    )
    lot: list[Row[Any]] = []
    size = 0
    for row in found:
        lot.append(row)
        size += sum(len(value) if isinstance(value, bytes | str) else 8 for value in row)
        if size >= RECORD_BYTES:
            yield lot
            lot, size = [], 0
    if lot:
        yield lot


def _note(work: Work, copy: Copy, server_seq: int, now: str) -> None:
    row = {
        "copy_id": random_id(),
        "target": str(copy.file),
        "off_machine": copy.off_machine,
        "server_seq": server_seq,
        "bytes": copy.bytes,
        "sha256": copy.sha256,
        "made_at": copy.made_at,
        "verified_at": now,
    }
    work.insert(schema.copies, [row])
    if copy.off_machine:
        raise_durable(work, copy.contents.next_seqs)


def raise_durable(work: Work, next_seqs: dict[tuple[str, int], int]) -> None:
    """Note how far epochs are in a copy on another device; never back."""
    columns = schema.durable.c
    statement = work.upsert(schema.durable)
    statement = statement.on_conflict_do_update(
        index_elements=list(schema.durable.primary_key),
        set_={"next_seq": statement.excluded.next_seq},
        where=columns.next_seq < statement.excluded.next_seq,
    )
    rows = [
        {"shard": work.shard, "journal": journal, "epoch": epoch, "next_seq": next_seq}
        for (journal, epoch), next_seq in next_seqs.items()
    ]
    if rows:
        work.connection.execute(statement, rows)


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":  # elsewhere a folder cannot be opened
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
