"""Tills that wait until there is something new to pull.

A waiting request is a future in the event loop: it holds neither a thread nor a database
connection. One watcher per process looks for news when it is told of a commit (PostgreSQL's
NOTIFY, an event on SQLite), and every half second in any case.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from sync_server.database.schema import till_commands
from sync_server.database.transaction import NEWS_CHANNEL, Database, Snapshot
from sync_server.sync.rows import TABLES

log = structlog.get_logger("evertill.news")

LOOK_EVERY_S: Final = 0.5
"""Where nothing is told of commits, or the telling was lost."""
WOKEN_AT_ONCE: Final = 20
"""So many waiting requests are answered before others get their turn."""
BETWEEN_S: Final = 0.01


class News:
    """The newest change of what tills pull, and who waits for a newer one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._newest = 0
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = Lock()
        self._thread: Thread | None = None
        self._told = Event()
        self._leaving = Event()

    async def wait(self, after: int, seconds: float) -> int:
        """The number of the newest change, as soon as it is above ``after`` or the time is over."""
        await self._watch()
        if self._newest > after or self._leaving.is_set():
            return self._newest
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = after
        with suppress(TimeoutError):
            await asyncio.wait_for(waiting, seconds)
        self._waiting.pop(waiting, None)
        return self._newest

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def let_go(self) -> None:
        """Answer all that wait, and whoever comes later, at once: the server is shutting down."""
        self._leaving.set()
        self._told.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def close(self) -> None:
        """End the watcher."""
        self.let_go()
        if self._thread is not None:
            self._thread.join()

    async def _watch(self) -> None:
        """Begin with the first who waits: a command that serves nobody needs no watcher."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._newest = await loop.run_in_executor(None, self._look)
        with self._starting:
            self._loop = loop
            if self._thread is None:
                self._thread = Thread(target=self._follow, name="news", daemon=True)
                self._thread.start()

    def _look(self) -> int:
        with self._database.reading() as snapshot:
            return newest_change(snapshot)

    def _follow(self) -> None:
        while not self._leaving.is_set():
            try:
                with self._told_of_commits() as told:
                    self._publish(self._look())
                    while not self._leaving.is_set():
                        told()
                        self._publish(self._look())
            except (DBAPIError, psycopg.Error) as error:
                log.error("news.failed", kind=type(error).__name__)
                self._leaving.wait(LOOK_EVERY_S)

    @contextmanager
    def _told_of_commits(self) -> Iterator[Callable[[], object]]:
        """A function that returns when something was committed, or after half a second."""
        if self._database.is_sqlite:
            self._database.after_commit = self._told.set
            yield self._until_told
            return
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"LISTEN {NEWS_CHANNEL}")
            raw: Any = connection.connection.dbapi_connection
            try:
                yield lambda: list(raw.notifies(timeout=LOOK_EVERY_S, stop_after=1))
            finally:
                connection.exec_driver_sql(f"UNLISTEN {NEWS_CHANNEL}")

    def _until_told(self) -> None:
        self._told.wait(LOOK_EVERY_S)
        self._told.clear()

    def _publish(self, newest: int) -> None:
        if newest <= self._newest:
            return
        self._newest = newest
        loop = self._loop
        if loop is not None and not loop.is_closed():
            with suppress(RuntimeError):  # it was closed just now
                loop.call_soon_threadsafe(self._wake_behind, newest)

    def _wake_all(self) -> None:
        self._wake(list(self._waiting))

    def _wake_behind(self, newest: int) -> None:
        self._wake([one for one, after in self._waiting.items() if newest > after])

    def _wake(self, behind: list[asyncio.Future[None]]) -> None:
        """In small groups: thousands that are answered at once would keep a push waiting."""
        now, later = behind[:WOKEN_AT_ONCE], behind[WOKEN_AT_ONCE:]
        for waiting in now:
            if not waiting.done():
                waiting.set_result(None)
        if later:
            pause = 0 if self._leaving.is_set() else BETWEEN_S
            asyncio.get_running_loop().call_later(pause, self._wake, later)


def newest_change(snapshot: Snapshot) -> int:
    """The number of the newest change in any stream, and of what tills are told to do."""
    newest = [
        select(func.max(table.c.change_seq))
        .where(table.c.shard == snapshot.shard)
        .scalar_subquery()
        for table in (*TABLES.values(), till_commands)
    ]
    row = snapshot.connection.execute(select(*newest)).one()
    return max(int(found or 0) for found in row)
