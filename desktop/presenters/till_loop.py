"""The till loop: one thread, one queue, every intent in the order in which it came.

The window posts and never waits; sync, printer and payments post into the same queue. What follows
a finish key waits in the queue for the next sale and is never lost.
"""

import queue
import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from desktop.presenters.intent import Intent
from desktop.presenters.view import TillView

log = structlog.get_logger("till")


class Presenter(Protocol):
    """What the loop drives."""

    def handle(self, intent: Intent) -> None:
        """Do what an intent asks for; expected failures become messages of the view."""
        ...

    def view(self) -> TillView:
        """What is to be seen now."""
        ...

    def confess(self, error: Exception) -> None:
        """A bug surfaced: say so clearly and go on."""
        ...


Publish = Callable[[TillView], None]


class TillLoop:
    """Runs a presenter. Posting before ``start`` is allowed: the intents wait."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Intent | None] = queue.SimpleQueue()
        self._presenter: Presenter | None = None
        self._publish: Publish = lambda _view: None
        self._condition = threading.Condition()
        self._waiting = 0
        self._view: TillView | None = None
        self._thread: threading.Thread | None = None

    @property
    def view(self) -> TillView | None:
        """What was published last."""
        return self._view

    def post(self, intent: Intent) -> None:
        """Queue an intent; from any thread, never waits."""
        with self._condition:
            self._waiting += 1
        self._queue.put(intent)

    def attach(self, presenter: Presenter, publish: Publish) -> None:
        """Say who handles intents and who sees the results."""
        self._presenter = presenter
        self._publish = publish

    def start(self) -> None:
        """Work through the queue on a thread of its own until ``close``."""
        self._thread = threading.Thread(target=self._run, name="till", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish what was posted before, then stop."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def show(self) -> None:
        """Publish the first view, before anything was done."""
        presenter = self._required()
        self._show(presenter.view())

    def run_waiting(self) -> None:
        """Handle what waits in the caller's thread, for tests without a thread."""
        while True:
            try:
                intent = self._queue.get_nowait()
            except queue.Empty:
                return
            if intent is not None:
                self._handle(intent)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until everything posted so far was handled and published."""
        with self._condition:
            return self._condition.wait_for(lambda: self._waiting == 0, timeout_s)

    def wait_for(self, is_seen: Callable[[TillView], bool], timeout_s: float) -> bool:
        """Wait until a published view is as wanted, for what ends in the background."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self._view is not None and is_seen(self._view), timeout_s
            )

    def _run(self) -> None:
        while (intent := self._queue.get()) is not None:
            self._handle(intent)

    def _handle(self, intent: Intent) -> None:
        presenter = self._required()
        try:
            presenter.handle(intent)
        except Exception as error:
            log.exception("bug", intent=type(intent).__name__)
            presenter.confess(error)
        finally:
            # Handling may have put another presenter in place: after the first run.
            self._show(self._required().view())
            with self._condition:
                self._waiting -= 1
                self._condition.notify_all()

    def _show(self, view: TillView) -> None:
        with self._condition:
            self._view = view
            self._condition.notify_all()
        self._publish(view)

    def _required(self) -> Presenter:
        assert self._presenter is not None
        return self._presenter
