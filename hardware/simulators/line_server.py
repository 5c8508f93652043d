"""A simulated device that answers lines of JSON on TCP, with faults, and everything recorded."""

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Self

from hardware.line_protocol import READ_BYTES, Message, read, written

ACCEPT_POLL_S: Final = 0.05
UNREADABLE: Final = b'{"v":1,"id":\n'


@dataclass(slots=True)
class LineFaults:
    """What is wrong with the line now; change it at any time.

    ``silent``: hears everything and answers nothing. ``hang_up``: ends the connection in place of
    the answer. ``garble``: sends a line that cannot be read. ``slow_s``: so late.
    """

    silent: bool = False
    hang_up: bool = False
    garble: bool = False
    slow_s: float = 0.0


class LineServer(ABC):
    """Listens on a loopback port. Start with ``start`` or as a context manager."""

    secret: frozenset[str] = frozenset()
    """Fields whose content is not recorded."""

    def __init__(
        self, *, port: int = 0, host: str = "127.0.0.1", record: Path | None = None
    ) -> None:
        self.host = host
        self.port = port
        self.faults = LineFaults()
        self.heard: list[Message] = []
        """Every question, oldest first."""
        self._record = record
        self._lock = Lock()
        self._stopping = Event()
        self._listener: socket.socket | None = None
        self._threads: list[Thread] = []

    @abstractmethod
    def answer(self, ask: str, question: Message) -> Mapping[str, object] | None:
        """The fields of the answer to a question; None for silence. Takes as long as it takes."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Switch it on; ``port`` is known from here on, and the same after off and on."""
        if self._listener is not None:
            return
        self._stopping.clear()
        self._listener = socket.create_server((self.host, self.port))
        self._listener.settimeout(ACCEPT_POLL_S)
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def stop(self) -> None:
        """Switch it off: nobody is at its address any more."""
        self._stopping.set()
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for thread in self._threads:
            thread.join(5)
        self._threads.clear()

    def _run(self, work: object, connection: socket.socket) -> None:
        thread = Thread(target=work, args=(connection,), daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, ValueError):
            connection.settimeout(ACCEPT_POLL_S)
            kept = b""
            while not self._stopping.is_set():
                try:
                    data = connection.recv(READ_BYTES)
                except TimeoutError:
                    continue
                if not data:
                    return
                *whole, kept = (kept + data).split(b"\n")
                for line in whole:
                    if not self._hear(connection, read(line)):
                        return

    def _hear(self, connection: socket.socket, question: Message) -> bool:
        """Answer one question; whether the connection goes on."""
        self._note("heard", question)
        with self._lock:
            self.heard.append(question)
        fields = self.answer(str(question.get("ask", "")), question)
        faults = self.faults
        self._stopping.wait(faults.slow_s)
        if faults.hang_up:
            return False
        if fields is None or faults.silent:
            return True
        answer = {"v": question["v"], "id": question["id"], **fields}
        self._note("said", answer)
        connection.sendall(UNREADABLE if faults.garble else written(answer))
        return True

    def _note(self, how: str, message: Message) -> None:
        if self._record is None:
            return
        shown = {key: "***" if key in self.secret else told for key, told in message.items()}
        with self._lock, self._record.open("ab") as file:
            file.write(written({how: shown}))
