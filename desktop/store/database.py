"""Opening the till's SQLite file: library, pragmas, lock, schema, damage.

The library is the one that ``sqlcipher3`` brings: Python's own may have the WAL-reset bug of SQLite
3.7.0 to 3.51.2, in which two connections of one process can corrupt the file.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, func, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from desktop.store.driver import (
    SQLITE_VERSION,
    SqliteConnection,
    disk_fault,
    file_fault,
    sqlite_module,
)
from desktop.store.file_key import FileKey
from desktop.store.head_file import HeadFile
from desktop.store.schema import entries, epochs
from desktop.store.upgrade import current_revision, upgrade
from desktop.store.upgrading import upgrade_file
from shared.errors import EnvironmentFault
from shared.journal.entry import chain_hash

SQLITE_VERSION_MIN = (3, 51, 3)
FILE_NAME = "till.sqlite"
LOCK_NAME = "till.lock"
CACHE_KIB = 16 * 1024
CHECKED_BYTES_MAX = 64 * 1024 * 1024
"""SQLite checks some 300 MB a second from the cache; a cold disk is slower."""
CHECKED_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class TillFolder:
    """The folder that holds everything of one till: database, head file, key, lock."""

    path: Path
    key: FileKey | None = field(default=None, repr=False, compare=False)
    """What its files are encrypted with, once it is unlocked (``desktop.store.sealing``)."""

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / FILE_NAME

    @property
    def head(self) -> Path:
        """The record of the newest commit, beside the database."""
        return self.path / "journal.head"

    @property
    def snapshot(self) -> Path:
        """Members in one file that are being taken over; ``.part`` while it is fetched."""
        return self.path / "members.snapshot"


class TillLock:
    """One process per till: an operating-system lock that dies with the process."""

    def __init__(self, folder: TillFolder) -> None:
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
            self._file = (folder.path / LOCK_NAME).open("a+b")
        except OSError as error:
            raise EnvironmentFault(
                "folder-unusable", folder=str(folder.path), reason=str(error.strerror)
            ) from error
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise EnvironmentFault("till-already-running", folder=str(folder.path)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have the till."""
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def open_writing(folder: TillFolder) -> Engine:
    """The engine with the one writing connection; brings the schema up to date.

    Raises EnvironmentFault ``sqlite-too-old``, ``database-damaged``, ``disk-full``, ``disk-error``,
    ``database-not-durable``, ``database-too-new``, ``upgrade-differs`` or ``journal-behind-head``.
    """
    if SQLITE_VERSION < SQLITE_VERSION_MIN:
        raise EnvironmentFault(
            "sqlite-too-old",
            found=".".join(map(str, SQLITE_VERSION)),
            needed=".".join(map(str, SQLITE_VERSION_MIN)),
        )
    with _in_words(folder):
        upgrade_file(folder.database, lambda file: _engine(folder, writing=True, file=file))
    engine = _engine(folder, writing=True)
    try:
        with _in_words(folder):
            with engine.connect() as connection:
                _check_durable(connection)
            _make_schema(engine)
            with engine.connect() as connection:
                _check_head(connection, folder)
                _check_whole(connection, folder)
                _check_tail(connection, folder)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def _in_words(folder: TillFolder) -> Iterator[None]:
    """Say what SQLite and the disk say in our words."""
    try:
        yield
    except (DatabaseError, UnicodeDecodeError) as error:
        # The latter where what SQLite says of a damaged schema quotes what stands there now.
        damaged = EnvironmentFault("database-damaged", file=str(folder.database))
        raise disk_fault(error) or damaged from error
    except OSError as error:
        raise file_fault(error) from error


def open_reading(folder: TillFolder) -> Engine:
    """An engine whose connections only read; as many as asked for."""
    return _engine(folder, writing=False)


def _engine(folder: TillFolder, *, writing: bool, file: Path | None = None) -> Engine:
    """``file``: another one than the till's, encrypted as that is."""
    file, key = file or folder.database, folder.key
    engine = create_engine(
        f"sqlite:///{file}",
        module=sqlite_module,
        # The writing connection is one, and belongs to the writer's thread alone after opening.
        poolclass=StaticPool if writing else QueuePool,
        connect_args={"check_same_thread": False, "timeout": 10},
    )

    def prepare(connection: SqliteConnection, _record: ConnectionPoolEntry) -> None:
        # The driver must not begin transactions by itself; BEGIN is ours to choose.
        connection.isolation_level = None
        if key is not None:
            unlock_connection(connection, key)
        for pragma in _WRITING_PRAGMAS if writing else _READING_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    def name_damage(context: ExceptionContext) -> EnvironmentFault | None:
        # A page that is only read in the middle of the day is found damaged then, not at the start.
        if any(sign in str(context.original_exception) for sign in _SIGNS_OF_DAMAGE):
            return EnvironmentFault("database-damaged", file=str(file))
        return None

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    event.listen(engine, "handle_error", name_damage)
    return engine


def unlock_connection(connection: SqliteConnection, key: FileKey) -> None:
    """Let a fresh connection read an encrypted file; a wrong key shows with the first read."""
    # The library would write to stderr what we say in words.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f'PRAGMA key = "{key.database}"')


_SIGNS_OF_DAMAGE = ("malformed", "file is not a database", "Could not decode to UTF-8")


_WRITING_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "foreign_keys = ON",
    # Checkpoints cost fsyncs; the writer makes them when it is idle (desktop/store/writer.py).
    "wal_autocheckpoint = 0",
    f"cache_size = -{CACHE_KIB}",
)
_READING_PRAGMAS = ("query_only = ON", f"cache_size = -{CACHE_KIB}")


def _check_durable(connection: Connection) -> None:
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if (mode, synchronous) != ("wal", 2):
        raise EnvironmentFault("database-not-durable", mode=str(mode), synchronous=str(synchronous))


def _make_schema(engine: Engine) -> None:
    """In a file that is new; an older one was brought up to date before it was opened."""
    with engine.connect() as connection:
        found = current_revision(connection)
    if found is None:
        upgrade(engine)


def _check_whole(connection: Connection, folder: TillFolder) -> None:
    """SQLite's own check, where the file is small enough for somebody who waits for the till."""
    if folder.database.stat().st_size > CHECKED_BYTES_MAX:
        return
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise EnvironmentFault("database-damaged", file=str(folder.database))


def _check_tail(connection: Connection, folder: TillFolder) -> None:
    """The newest entries hash to what stands beside them, each on top of the one before."""
    rows = connection.execute(
        select(entries.c.epoch, entries.c.previous_hash, entries.c.hash, entries.c.bytes)
        .order_by(entries.c.epoch.desc(), entries.c.seq.desc())
        .limit(CHECKED_ENTRIES)
    ).all()
    for row in rows:
        if chain_hash(row.previous_hash, row.bytes) != row.hash:
            raise EnvironmentFault("database-damaged", file=str(folder.database))
    for newer, older in pairwise(rows):
        if newer.epoch == older.epoch and newer.previous_hash != older.hash:
            raise EnvironmentFault("database-damaged", file=str(folder.database))


def _check_head(connection: Connection, folder: TillFolder) -> None:
    """A database behind its head file has lost commits, however clean it opens."""
    record = HeadFile(folder.head).read()
    if record is None:
        return
    of_epoch = (entries.c.journal == record.journal, entries.c.epoch == record.epoch)
    same = select(entries.c.seq).where(
        *of_epoch, entries.c.seq == record.seq, entries.c.hash == record.hash
    )
    deleted = select(epochs.c.epoch).where(
        epochs.c.journal == record.journal,
        epochs.c.epoch == record.epoch,
        epochs.c.oldest_seq > record.seq,
    )
    if connection.execute(same.union_all(deleted)).first() is None:
        newest = connection.execute(select(func.max(entries.c.seq)).where(*of_epoch)).scalar()
        raise EnvironmentFault(
            "journal-behind-head",
            known=record.seq,
            found=-1 if newest is None else newest,
            folder=str(folder.path),
        )
