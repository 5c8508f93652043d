"""Group commit: pushes that wait for the writer share its next transaction and its one flush.

Each has a savepoint of its own, so that one which cannot be kept undoes nothing of another; where
the transaction itself fails, each is tried alone. Nobody is answered before the commit is back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Condition
from typing import Any, Final, TypeVar

from sync_server.database.transaction import Database, Work

Kept = TypeVar("Kept")

SIZE_MAX: Final = 600
"""Entries of a group, unless its oldest push alone has more: the next group waits as long."""
SMALL: Final = 20
"""Entries of a push of a till that sells; who was away sends more."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """One push on its way through a transaction."""

    task: Callable[[Work], Any]
    size: int
    is_over: bool = False
    kept: Any = None
    failure: BaseException | None = None


class Groups:
    """Takes the tasks of many threads into few transactions."""

    def __init__(self, database: Database, size_max: int = SIZE_MAX) -> None:
        self._database = database
        self._size_max = size_max
        self._waiting: list[_Ticket] = []
        self._is_led = False
        self._is_small_turn = True
        self._changed = Condition()

    def run(self, task: Callable[[Work], Kept], *, size: int) -> Kept:
        """What a task gives, once it is committed; ``size`` in entries.

        Raises what the task raised, and then nothing of it is kept.
        """
        ticket = _Ticket(task, max(1, size))
        with self._changed:
            self._waiting.append(ticket)
            while self._is_led and not ticket.is_over:
                self._changed.wait()
            self._is_led |= not ticket.is_over
        if not ticket.is_over:
            self._lead(ticket)
        if ticket.failure is not None:
            raise ticket.failure
        kept: Kept = ticket.kept
        return kept

    @property
    def waiting(self) -> int:
        """How many wait for their group."""
        with self._changed:
            return len(self._waiting)

    def _lead(self, ticket: _Ticket) -> None:
        """Commit groups until one had this ticket; whoever waits then leads the next."""
        try:
            while not ticket.is_over:
                self._commit_group()
        finally:
            with self._changed:
                self._is_led = False
                self._changed.notify_all()

    def _commit_group(self) -> None:
        group: list[_Ticket] = []
        is_begun = False
        try:
            with self._database.writing() as work:
                # Taken only now: who came while another process wrote goes along.
                group, is_begun = self._take(), True
                for ticket in group:
                    _run(work, ticket, is_alone=len(group) == 1)
        except BaseException as error:
            group = group or self._take()
            if is_begun and len(group) > 1 and isinstance(error, Exception):
                # One of them may be the cause, for ever: the others must not fail with it.
                self._run_alone(group)
                return
            for ticket in group:
                ticket.failure = ticket.failure or error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._changed:
                for ticket in group:
                    ticket.is_over = True
                self._changed.notify_all()

    def _run_alone(self, group: Iterable[_Ticket]) -> None:
        """Each in a transaction of its own; one that is kept already finds itself kept."""
        for ticket in group:
            if ticket.failure is None:
                try:
                    with self._database.writing() as work:
                        ticket.kept = ticket.task(work)
                except Exception as error:  # noqa: BLE001 - raised by the one whom it concerns
                    ticket.failure = error

    def _take(self) -> list[_Ticket]:
        """Small pushes, of tills that sell, before great ones; in turn with them the oldest, so
        that nobody waits for ever, and what fits beside it."""
        with self._changed:
            taken: set[_Ticket] = set()
            room = self._size_max
            is_small_turn = self._is_small_turn and any(t.size <= SMALL for t in self._waiting)
            if not is_small_turn:
                taken.add(self._waiting[0])
                room -= self._waiting[0].size
            for ticket in sorted(self._waiting, key=lambda one: one.size):
                if ticket.size > room or (is_small_turn and ticket.size > SMALL):
                    break
                if ticket not in taken:
                    taken.add(ticket)
                    room -= ticket.size
            self._is_small_turn = not is_small_turn
            group = [ticket for ticket in self._waiting if ticket in taken]
            self._waiting = [ticket for ticket in self._waiting if ticket not in taken]
            return group


def _run(work: Work, ticket: _Ticket, *, is_alone: bool) -> None:
    if is_alone:
        ticket.kept = ticket.task(work)
        return
    savepoint = work.connection.begin_nested()
    try:
        ticket.kept = ticket.task(work)
        savepoint.commit()
    except Exception as error:
        # On a full disk SQLite undoes all of the transaction: then this raises, for all of them.
        savepoint.rollback()
        if work.connection.invalidated:
            raise
        ticket.failure = error
