"""Waiting for news: a request of its own that the server answers when there is something new."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from desktop.sync.http import ServerConnection
from shared.errors import EvertillError
from shared.protocol.message import PROTOCOL, WaitRequest

WAIT_S: Final = 20
"""Below the server's limit, and below what proxies on the way put up with."""

log = structlog.get_logger("sync")


class Listening:
    """One thread that waits while the till is up to date, and wakes the sync thread.

    It touches no database. Where the server cannot be waited at, or only with errors, it is not
    ``is_heard``, and the sync thread has to look by itself.
    """

    def __init__(
        self, *, connect: Callable[[], ServerConnection], wake: Callable[[], None]
    ) -> None:
        self._connect = connect
        self._wake = wake
        self._read_up_to: int | None = None
        self._turn = threading.Event()
        self._closing = threading.Event()
        self._server: ServerConnection | None = None
        self.is_heard = False
        """Whether the last waiting was answered."""
        # Not joined: it may be in the middle of a request that takes its time.
        self._thread = threading.Thread(target=self._run, name="sync-news", daemon=True)

    def start(self) -> None:
        """Begin when something was read for the first time."""
        self._thread.start()

    def up_to_date(self, server_seq: int) -> None:
        """The till has read everything up to here: wait for more."""
        self._read_up_to = server_seq
        self._turn.set()

    def close(self) -> None:
        """Wait no more after the request at hand."""
        self._closing.set()
        self._turn.set()

    def _run(self) -> None:
        while True:
            self._turn.wait()
            if self._closing.is_set():
                break
            self._turn.clear()
            self._listen_once()
        if self._server is not None:
            self._server.close()

    def _listen_once(self) -> None:
        read = self._read_up_to
        assert read is not None
        try:
            self._server = self._server or self._connect()
            request = WaitRequest(protocol=PROTOCOL, server_seq=read, seconds=WAIT_S)
            newest = self._server.wait(request).server_seq
        except EvertillError as error:
            log.info("news-failed", code=error.code)
            self._lose()
        except Exception:
            # As at the edge of the sync thread: no bug here may end it for the day.
            log.exception("news-bug")
            self._lose()
        else:
            self.is_heard = True
            if newest > read:
                self._wake()
            elif self._read_up_to == read:
                self._turn.set()

    def _lose(self) -> None:
        """Not heard any more: the next try comes when the till is up to date again."""
        self.is_heard = False
        server, self._server = self._server, None
        if server is not None:
            server.close()
