"""A lock that is given in the order in which it was asked for.

The system's own goes to whoever comes first when it is free: a thread that writes batch after batch
takes it again and again while others wait for seconds.
"""

from collections import deque
from threading import Lock
from types import TracebackType


class FairLock:
    """First come, first served; not to be taken twice by one thread."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._is_held = False
        self._waiting: deque[Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()  # until whoever has the lock hands it on
        except BaseException:
            # A signal came meanwhile: nobody will take this turn.
            self._give_up(turn)
            raise

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._hand_on()

    def _give_up(self, turn: Lock) -> None:
        with self._guard:
            is_waiting = turn in self._waiting
            if is_waiting:
                self._waiting.remove(turn)
        if not is_waiting:
            self._hand_on()

    def _hand_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False
