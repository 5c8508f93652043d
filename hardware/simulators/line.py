"""The far end of a serial line: a pty with a device behind it that can be unplugged."""

import os
import select
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, Thread

from hardware.ports import Condition, DeviceError

READ_POLL_S = 0.02
READ_BYTES = 4096


class FarEnd:
    """A device's end of a serial line (POSIX only). ``port`` is what the driver opens.

    With ``on_bytes`` a thread hands over what the driver writes. Both directions are recorded.
    """

    def __init__(self, *, on_bytes: Callable[[bytes], None] | None = None) -> None:
        if not hasattr(os, "openpty"):
            raise DeviceError(Condition.NOSERVICE, device="simulator", reason="no pty here")
        self._on_bytes = on_bytes
        self._lock = Lock()
        self._thread: Thread | None = None
        self._is_plugged = False
        self.received = bytearray()
        """All that the driver wrote."""
        self.sent = bytearray()
        """All that was put on the line."""
        self.port = ""
        self.plug()

    def plug(self) -> None:
        """Plug it in, under a name of the system's choice."""
        self._far, self._near = os.openpty()
        self.port = os.ttyname(self._near)
        _make_raw(self._near)
        self._is_plugged = True
        if self._on_bytes is not None:
            self._thread = Thread(target=self._serve, name="simulated device", daemon=True)
            self._thread.start()

    def unplug(self) -> None:
        """Close both ends: the driver's next read fails. Again is fine."""
        if not self._is_plugged:
            return
        self._is_plugged = False
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None
        with self._lock:
            for descriptor in (self._far, self._near):
                os.close(descriptor)

    def send(self, data: bytes, *, piece: int = 0) -> None:
        """Put bytes on the line, in pieces of so many bytes where that is asked for."""
        with self._lock:
            if not self._is_plugged:
                return
            for part in _pieces(data, piece or len(data) or 1):
                os.write(self._far, part)
                self.sent += part

    def _serve(self) -> None:
        assert self._on_bytes is not None
        while self._is_plugged:
            ready, _, _ = select.select([self._far], [], [], READ_POLL_S)
            if not ready:
                continue
            with suppress(OSError):  # the driver's side went in this very moment
                data = os.read(self._far, READ_BYTES)
                self.received += data
                self._on_bytes(data)


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def _make_raw(descriptor: int) -> None:
    """Nobody has opened the line yet: without this the pty would echo and cook the first bytes."""
    import tty  # noqa: PLC0415 - exists on POSIX only, like the pty itself

    tty.setraw(descriptor)
