"""Transactions: one request, one transaction; rolled back unless it runs to its end.

Writers of a shard come one after another: on SQLite by its one writer, on PostgreSQL by an advisory
lock taken first. So the shard's counter grows in the order of commits, and a reader that follows it
skips no row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, Table, bindparam, text, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.errors import EnvironmentFault
from sync_server.database.bulk import (
    Columns,
    Values,
    insert_new_rows,
    insert_rows,
    put_rows,
)
from sync_server.database.fair_lock import FairLock
from sync_server.database.schema import shards
from sync_server.database.sqlite_library import WRITING, DatabaseError

SHARD: Final = 0
"""The one shard of this release; the column is in every key."""
NEWS_CHANNEL: Final = "evertill_news"
"""On PostgreSQL, where each commit of a writer is told."""
_LOCK_NAMESPACE: Final = 0x4556
"""First half of the advisory lock's key; "EV"."""

_LOCK: Final = text("SELECT pg_advisory_xact_lock(:namespace, :shard)")
_TAKE: Final = (
    update(shards)
    .where(shards.c.shard == bindparam("of_shard"))
    .values(server_seq=shards.c.server_seq + bindparam("how_many", type_=shards.c.server_seq.type))
    .returning(shards.c.server_seq)
)
"""Run in every transaction that writes: made once."""

InsertOrUpdate = sqlite.Insert | postgresql.Insert


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A reading transaction: everything read in it is of one moment."""

    connection: Connection
    shard: int


@dataclass(frozen=True, slots=True)
class Work(Snapshot):
    """A writing transaction."""

    def take(self, count: int) -> range:
        """Numbers of the shard's counter, in commit order."""
        told = {"of_shard": self.shard, "how_many": count}
        last = self.connection.execute(_TAKE, told).scalar_one()
        return range(last - count + 1, last + 1)

    def insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows of this shard; all name the same columns. None is fine."""
        if rows:
            insert_rows(self.connection, table, *self._values(rows))

    def insert_new(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows of this shard, leaving those whose key is there as they are."""
        if rows:
            insert_new_rows(self.connection, table, *self._values(rows))

    def put(self, table: Table, rows: Sequence[Mapping[str, Any]], changes: str) -> None:
        """Add rows of this shard, no key twice; one that is there is changed (``put_rows``)."""
        if rows:
            put_rows(self.connection, table, *self._values(rows), changes=changes)

    def _values(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Columns, Values]:
        names = tuple(rows[0])
        return ("shard", *names), [(self.shard, *(row[name] for name in names)) for row in rows]

    def upsert(self, table: Table) -> InsertOrUpdate:
        """An INSERT that can be told what to do on a conflict, in this database's dialect."""
        is_sqlite = self.connection.dialect.name == "sqlite"
        return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


class Database:
    """The server's database on either engine."""

    def __init__(self, engine: Engine, shard: int = SHARD) -> None:
        self.engine = engine
        self.shard = shard
        self.before_commit: Callable[[Work], None] = lambda _work: None
        """What is derived from all that a transaction wrote, whoever wrote it."""
        self.after_commit: Callable[[], None] = lambda: None
        """On SQLite, whom this process tells of each commit of a writer."""
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writer = FairLock()
        self._wanting = 0
        self._guard = Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is one file on this machine."""
        return self._is_sqlite

    @contextmanager
    def writing(self, *, is_bare: bool = False) -> Iterator[Work]:
        """A transaction that writes; commits when the block ends, rolls back when it raises.

        A bare one changes the tables themselves: nothing is derived from it.
        """
        with self.wanted():
            yield from self._write(is_bare=is_bare)

    @property
    def is_wanted(self) -> bool:
        """Whether somebody in this process is answered who waits: what can wait gives way."""
        return self._wanting > 0

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """Somebody waits for what is done in here; a writer is counted without asking for it."""
        with self._guard:
            self._wanting += 1
        try:
            yield
        finally:
            with self._guard:
                self._wanting -= 1

    def _write(self, *, is_bare: bool) -> Iterator[Work]:
        if self._is_sqlite:
            # Threads queue here in order instead of polling SQLite's lock.
            with self._writer, self._begin(**{WRITING: True}) as connection:
                yield from self._until_commit(Work(connection, self.shard), is_bare=is_bare)
            self.after_commit()
        else:
            with self._begin(isolation_level="READ COMMITTED") as connection:
                connection.execute(_LOCK, {"namespace": _LOCK_NAMESPACE, "shard": self.shard})
                yield from self._until_commit(Work(connection, self.shard), is_bare=is_bare)

    def _until_commit(self, work: Work, *, is_bare: bool) -> Iterator[Work]:
        yield work
        running = work.connection.get_transaction()
        if self._is_sqlite and running is not None and running.is_active:
            # SQLite undoes a transaction by itself where the disk is full: what came after that
            # would be committed alone, and what came before is gone.
            raw: Any = work.connection.connection.dbapi_connection
            assert raw.in_transaction, "the transaction is undone already"
        if not is_bare and running is not None and running.is_active:
            self.before_commit(work)
            if not self._is_sqlite:
                work.connection.exec_driver_sql(f"NOTIFY {NEWS_CHANNEL}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """What takes several transactions, and one process at a time; others wait for its end.

        On SQLite there is one process only.
        """
        if self._is_sqlite:
            yield
            return
        key = {"namespace": _LOCK_NAMESPACE, "shard": -1 - self.shard}
        with self.engine.connect() as plain:
            connection = plain.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("SELECT pg_advisory_lock(:namespace, :shard)"), key)
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:namespace, :shard)"), key)

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """A transaction that reads one snapshot."""
        options: dict[str, Any] = (
            {}
            if self._is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with self._begin(**options) as connection:
            yield Snapshot(connection, self.shard)

    @contextmanager
    def _begin(self, **options: Any) -> Iterator[Connection]:
        with self.engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    def scrub(self) -> None:
        """Rewrite SQLite's file and empty its log, so that no trace of what was deleted stays.

        ``secure_delete`` overwrites deleted rows, but not the copies that SQLite leaves in the
        unused part of a page when it moves rows to another; only a rewrite drops those. Waits for
        readers of old pages; EnvironmentFault ``log-in-use`` where they do not end, and
        ``file-not-rewritten`` where the disk is full or fails. PostgreSQL needs nothing here.
        """
        if not self._is_sqlite:
            return
        with self._writer, self.engine.connect() as plain:
            raw: Any = plain.connection.dbapi_connection
            try:
                raw.execute("VACUUM")
                busy, _pages, _moved = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except DatabaseError as error:
                raise EnvironmentFault("file-not-rewritten", reason=str(error)) from error
        if busy:
            raise EnvironmentFault("log-in-use")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()
