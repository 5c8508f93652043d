"""The one writer: a thread that owns the only writing connection.

Sales go before sync; within one urgency jobs run in the order they came. A job is one transaction:
its future resolves only after the commit has returned, and a job that raises leaves nothing behind.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from enum import IntEnum
from functools import partial
from itertools import count
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from desktop.store.driver import DriverError, disk_fault
from desktop.store.upgrading import drop_kept
from shared.errors import EnvironmentFault

Result = TypeVar("Result")

log = structlog.get_logger("writer")

FRAMES_BEFORE_CHECKPOINT = 1000
"""What SQLite itself would checkpoint at; ours waits for a moment without work."""
FRAMES_MAX = 20_000
"""Beyond this (some 80 MB) the next job pays for a checkpoint, so that the file cannot run away."""
SCRUB_RETRY_S = 0.005
SLICES_AT_ONCE = 10
"""Short pieces of work that share a commit, as long as nobody waits at the till."""


class Urgency(IntEnum):
    """Which waiting job is taken first."""

    SALE = 0
    """Somebody stands at the till."""
    BACKGROUND = 1
    """Sync, printing states, housekeeping; each job a slice under 10 ms."""


AfterCommit = Callable[[], None]


class Transaction:
    """A running transaction of the writer."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._after_commit: list[AfterCommit] = []

    def after_commit(self, action: AfterCommit) -> None:
        """Run ``action`` on the writer's thread once the commit has returned."""
        self._after_commit.append(action)

    def committed(self) -> None:
        """Run what waited for the commit."""
        for action in self._after_commit:
            action()


class _Checkpoint(NamedTuple):
    """What SQLite answers to a checkpoint; both counts are -1 outside WAL mode."""

    was_busy: int
    frames: int
    frames_copied: int

    @property
    def frames_waiting(self) -> int:
        """Pages in the log that are not in the file yet."""
        return self.frames - self.frames_copied


class _Job(NamedTuple):
    urgency: int
    order: int
    run: Callable[[], None]


class _Work(Generic[Result]):
    """A job with the future it answers to."""

    def __init__(self, engine: Engine, work: Callable[[Transaction], Result]) -> None:
        self._engine = engine
        self._work = work
        self.future: Future[Result] = Future()

    def __call__(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            with self._engine.begin() as connection:
                transaction = Transaction(connection)
                result = self._work(transaction)
        except OperationalError as error:
            # Anything else is a bug and stays as it is.
            self.future.set_exception(disk_fault(error) or error)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the result
            self.future.set_exception(error)
        else:
            # The commit has returned: the job is done, and must never look failed, or it would be
            # done twice. What follows it can only be worth a warning.
            try:
                transaction.committed()
            except OSError as error:
                _warn("after-commit-failed", error)
            finally:
                self.future.set_result(result)


class Writer:
    """Runs transactions one after another."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._order = count()
        self._closed = threading.Event()
        self._scrub_lock = threading.Lock()
        self._scrubbing: Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name="till-writer", daemon=True)
        self._start()

    def submit(
        self, work: Callable[[Transaction], Result], urgency: Urgency = Urgency.SALE
    ) -> Future[Result]:
        """Queue a transaction; the future resolves after its commit."""
        if self._closed.is_set():
            raise EnvironmentFault("till-closing")
        job = _Work(self._engine, work)
        self._jobs.put(_Job(urgency, next(self._order), job))
        return job.future

    def run(self, work: Callable[[Transaction], Result], urgency: Urgency = Urgency.SALE) -> Result:
        """Queue a transaction and wait for its commit. Never called on the UI's thread."""
        return self.submit(work, urgency).result()

    def run_slices(self, slices: Sequence[Callable[[Transaction], None]]) -> None:
        """Do pieces of work as ``submit_slices`` queues them, and wait for the last commit."""
        self.submit_slices(slices).result()

    def submit_slices(self, slices: Sequence[Callable[[Transaction], None]]) -> Future[None]:
        """Queue pieces of background work, several in one transaction while no sale waits.

        They are done in order; what was committed stays, also where a later one raises. The future
        resolves after the last commit.
        """
        over: Future[None] = Future()
        self._go_on_with(slices, over)
        return over

    def _go_on_with(
        self, slices: Sequence[Callable[[Transaction], None]], over: Future[None]
    ) -> None:
        if not slices:
            over.set_result(None)
            return

        def go_on(done: Future[int]) -> None:
            error = done.exception()
            if error is not None:
                over.set_exception(error)
            else:
                self._go_on_with(slices[done.result() :], over)

        try:
            some = self.submit(partial(self._do, slices[:SLICES_AT_ONCE]), Urgency.BACKGROUND)
        except EnvironmentFault as closing:
            over.set_exception(closing)
        else:
            some.add_done_callback(go_on)

    def _do(self, slices: Sequence[Callable[[Transaction], None]], transaction: Transaction) -> int:
        """Do as many as there is time for, at least one; how many."""
        for number, one in enumerate(slices, start=1):
            one(transaction)
            if self._is_sale_waiting():
                return number
        return len(slices)

    def _is_sale_waiting(self) -> bool:
        with self._jobs.mutex:
            return bool(self._jobs.queue) and self._jobs.queue[0].urgency == Urgency.SALE

    def close(self) -> None:
        """Finish what is queued, then let go of the database."""
        if not self._closed.is_set():
            self._closed.set()
            self._jobs.put(_Job(Urgency.BACKGROUND + 1, next(self._order), lambda: None))
        self._finish()
        self._engine.dispose()

    def _start(self) -> None:
        self._thread.start()

    def _finish(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not (self._closed.is_set() and self._jobs.empty()):
            self._run_next()

    def _run_next(self) -> None:
        """Wait for a job and do it; nothing of it is held afterwards."""
        job = self._jobs.get()
        try:
            job.run()
            self._checkpoint_if_due()
        except DriverError as error:
            # Jobs hand their errors on; this is a checkpoint's. The log stays as it is and is
            # copied later: the writer must live on.
            _warn("checkpoint-failed", error)

    def _checkpoint_if_due(self) -> None:
        frames = self._checkpoint("NOOP").frames_waiting
        idle = self._jobs.empty() and frames > FRAMES_BEFORE_CHECKPOINT
        if idle or frames > FRAMES_MAX:
            self._checkpoint("PASSIVE")

    def _checkpoint(self, mode: str) -> "_Checkpoint":
        """Copy the log into the file (``NOOP``: only count what there is to copy)."""
        raw = self._engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(f"PRAGMA wal_checkpoint({mode})")
            row = cursor.fetchone()
            assert row is not None
            return _Checkpoint(*row)
        finally:
            raw.close()

    def scrub(self) -> Future[None]:
        """Rewrite the file and empty its log, so that nothing erased stays readable in them.

        ``secure_delete`` overwrites what is deleted, but not the copies that SQLite leaves in the
        unused part of a page when it moves rows to another; only a rewrite drops those. It waits
        for a moment without work, and readers on an older state are waited for. A till that closes
        before, or has no room for it, does it at the next erasure.
        """
        with self._scrub_lock:
            if self._scrubbing is None:
                self._scrubbing = Future()
                self._jobs.put(_Job(Urgency.BACKGROUND, next(self._order), self._scrub))
            return self._scrubbing

    def _scrub(self) -> None:
        try:
            is_done = self._closed.is_set() or (self._jobs.empty() and self._rewrite())
        except DriverError as error:
            # No room for the rewrite: whoever waits is told, and the next erasure tries again.
            self._scrubbed().set_exception(disk_fault(error) or error)
            raise
        if is_done:
            self._scrubbed().set_result(None)
            return
        self._closed.wait(SCRUB_RETRY_S)
        self._jobs.put(_Job(Urgency.BACKGROUND, next(self._order), self._scrub))

    def _scrubbed(self) -> Future[None]:
        with self._scrub_lock:
            done, self._scrubbing = self._scrubbing, None
        assert done is not None
        return done

    def _rewrite(self) -> bool:
        file = self._engine.url.database
        assert file is not None
        with suppress(OSError):
            drop_kept(Path(file))
        raw = self._engine.raw_connection()
        try:
            raw.cursor().execute("VACUUM")
        finally:
            raw.close()
        return not self._checkpoint("TRUNCATE").was_busy


def _warn(event: str, error: Exception) -> None:
    """Say it, if anybody can be told: the writer waits for no log, and dies of none."""
    with suppress(OSError, ValueError):
        log.warning(event, reason=str(error))
