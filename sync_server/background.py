"""Work that is done again and again behind the server, for as long as it serves."""

from collections.abc import Callable
from threading import Event, Thread

import structlog
from sqlalchemy.exc import DBAPIError

from shared.errors import EvertillError

log = structlog.get_logger("evertill.background")


class Repeated:
    """A thread that does its works in turn every ``pause_s`` seconds.

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

    def _loop(self) -> None:
        while not self._leaving.wait(self._pause_s):
            for work in self._works:
                self._do(work)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (DBAPIError, EvertillError) as error:
            log.error("background.failed", work=self._name, kind=type(error).__name__)
