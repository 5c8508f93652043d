"""Work that is done again and again behind the server, for as long as it serves."""

from collections.abc import Callable
from threading import Event, Thread

import structlog
from sqlalchemy.exc import DBAPIError

from shared.errors import EvertillError

log = structlog.get_logger("evertill.background")


class Repeated:
    """A thread that calls ``work`` every ``pause_s`` seconds; a failure is logged, not the end."""

    def __init__(self, name: str, work: Callable[[], object], *, pause_s: float) -> None:
        self._name = name
        self._work = work
        self._pause_s = pause_s
        self._leaving = Event()
        self._thread = Thread(target=self._loop, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()

    def _loop(self) -> None:
        while not self._leaving.wait(self._pause_s):
            try:
                self._work()
            except (DBAPIError, EvertillError) as error:
                log.error("background.failed", work=self._name, kind=type(error).__name__)
