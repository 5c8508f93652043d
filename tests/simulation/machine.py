"""Processes that die at a chosen moment, and the writer that works in the caller's thread."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from sqlalchemy import Engine, event

from desktop.store.writer import Transaction, Urgency, Writer

Result = TypeVar("Result")


class Crash(BaseException):
    """A process is gone; nothing in it may catch this, as nothing catches a SIGKILL."""


class Fuse:
    """Counts the moments at which a process can die, and ends it at the one that was chosen."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.burnt_at = ""
        """Where it went off; empty while it did not."""

    def light(self, moments: int) -> None:
        """Die after so many more moments."""
        self._left, self.burnt_at = moments, ""

    def put_out(self) -> None:
        """Live on."""
        self._left = None

    def reach(self, moment: str) -> None:
        """A moment at which the process can die."""
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left, self.burnt_at = None, moment
            raise Crash(moment)

    def watch(self, engine: Engine) -> None:
        """Every statement and commit of an engine is such a moment."""

        def before(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            self.reach("before a statement")

        event.listen(engine, "before_cursor_execute", before)
        event.listen(engine, "commit", lambda _connection: self.reach("before a commit"))


class InlineWriter(Writer):
    """The till's writer without its thread: a job is done when it is submitted."""

    def __init__(self, engine: Engine, fuse: Fuse) -> None:
        self._fuse = fuse
        fuse.watch(engine)
        super().__init__(engine)

    def submit(
        self, work: Callable[[Transaction], Result], urgency: Urgency = Urgency.SALE
    ) -> Future[Result]:
        """Do a job, and what it asked for."""

        def watched(transaction: Transaction) -> Result:
            # First of all that follows the commit: the head file does not know of it yet.
            transaction.after_commit(lambda: self._fuse.reach("after a commit"))
            return work(transaction)

        future = super().submit(watched, urgency)
        while not self._jobs.empty():
            self._run_next()
        return future

    def _start(self) -> None:
        """No thread."""

    def _finish(self) -> None:
        """Nothing waits."""
