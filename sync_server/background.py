"""Work that is done again and again behind the server, for as long as it serves."""

from collections.abc import Callable
from threading import Event, Thread

import structlog

log = structlog.get_logger("evertill.background")


class Repeated:
    """A thread that does its works in turn every ``pause_s`` seconds.

    A work that gives True has more to do, and is called again without a pause, in turn with the
    others that have, unless the thread is to end.
    One that fails is logged, and keeps neither the others nor its own next time from being done.
    """

    def __init__(self, name: str, *works: Callable[[], object], pause_s: float) -> None:
        self._name = name
        self._works = works
        self._pause_s = pause_s
        self._leaving = Event()
        self._thread = Thread(target=self._loop, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def _loop(self) -> None:
        while not self._leaving.wait(self._pause_s):
            works = self._works
            while works and not self._leaving.is_set():
                # In turn: one that never comes to its end must not keep the others from beginning.
                works = tuple([work for work in works if self._do(work)])

    def _do(self, work: Callable[[], object]) -> bool:
        try:
            return work() is True
        except Exception as error:  # noqa: BLE001 - the edge of this thread
            # No bug in one work may end it, and all others, for good. Told by its type only:
            # messages of exceptions may quote personal data.
            log.error("background.failed", work=self._name, kind=type(error).__name__)
            return False
