"""Ways to a printer: TCP, serial line, device file; their links never block for long."""

import os
import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Protocol, Self

import serial

from hardware.ports import Condition
from hardware.serial_port import LINE_ERRORS, open_condition, resolve_port

RECEIVE_BYTES_MAX = 4096
SEND_BYTES_MAX = 1024
CLOSE_WAIT_S = 0.05
DRAIN_POLL_S = 0.005
SERIAL_CHUNK_BYTES = 256
"""So little is in doubt when a serial write times out: pyserial does not say how much left."""


class LinkError(Exception):
    """The link failed. ``sent_in_doubt`` bytes of the failed ``send`` may have left."""

    def __init__(self, condition: Condition, reason: str, *, sent_in_doubt: int = 0) -> None:
        super().__init__(reason)
        self.condition = condition
        self.sent_in_doubt = sent_in_doubt


class LinkClosed(LinkError):
    """The other side closed the link in good order."""


class Link(Protocol):
    """An open connection to a printer."""

    def send(self, data: bytes, *, timeout_s: float) -> int:
        """Hand over some of ``data``; how many bytes were taken, at least one. LinkError TIMEOUT
        if none was taken in time."""
        ...

    def receive(self, *, timeout_s: float) -> bytes:
        """What has arrived, waiting for the first byte at most so long; empty if nothing came.

        LinkClosed where nothing can come any more.
        """
        ...

    def close(self) -> None:
        """Let go; what was taken is still delivered where the system can."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Transport(Protocol):
    """Where a printer is."""

    @property
    def keeps_answers(self) -> bool:
        """Whether an answer to an earlier job can still come on a later link."""
        ...

    def connect(self, *, timeout_s: float) -> Link:
        """Open a link. LinkError NOHARDWARE where nobody is, CLAIMED where it is held by another
        program, TIMEOUT where nobody answers."""
        ...


class _ClosesOnExit:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class TcpTransport:
    """A printer on the network; 9100 is the usual port."""

    host: str
    port: int = 9100
    keeps_answers: ClassVar[bool] = False

    def connect(self, *, timeout_s: float) -> Link:
        """Open a connection of its own for one job: printers serve one at a time."""
        try:
            link = socket.create_connection((self.host, self.port), timeout=timeout_s)
        except TimeoutError as error:
            raise LinkError(Condition.TIMEOUT, str(error)) from error
        except OSError as error:
            raise LinkError(Condition.NOHARDWARE, str(error)) from error
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return TcpLink(link)


class TcpLink(_ClosesOnExit):
    """One TCP connection."""

    def __init__(self, link: socket.socket) -> None:
        self._socket = link

    def send(self, data: bytes, *, timeout_s: float) -> int:
        """See ``Link.send``."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            return self._socket.send(data[:SEND_BYTES_MAX])
        except TimeoutError as error:
            raise LinkError(Condition.TIMEOUT, str(error)) from error
        except OSError as error:
            raise LinkError(Condition.FAILURE, str(error)) from error

    def receive(self, *, timeout_s: float) -> bytes:
        """See ``Link.receive``."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            data = self._socket.recv(RECEIVE_BYTES_MAX)
        except TimeoutError:
            return b""
        except OSError as error:
            raise LinkError(Condition.FAILURE, str(error)) from error
        if not data:
            raise LinkClosed(Condition.OFFLINE, "closed by the printer")
        return data

    def close(self) -> None:
        """End in order: unread answers would turn the close into a reset that drops the job."""
        with suppress(OSError):  # gone already, or quiet: both are fine when nothing is wanted
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(CLOSE_WAIT_S)
            while self._socket.recv(RECEIVE_BYTES_MAX):
                pass
        self._socket.close()


@dataclass(frozen=True, slots=True)
class SerialTransport:
    """A printer on a serial line (8 data bits, no parity).

    ``port`` may be ``usb:VID:PID[:SERIAL]``. It is looked for anew for each job: a printer that was
    plugged in again prints on, whatever its port is called now.
    """

    port: str
    baud: int = 9600
    hardware_handshake: bool = False
    keeps_answers: ClassVar[bool] = True

    def connect(self, *, timeout_s: float) -> Link:
        """Open the line, exclusively where the system can."""
        port = resolve_port(self.port)
        if port is None:
            raise LinkError(Condition.NOHARDWARE, f"{self.port} is not plugged in")
        try:
            line = serial.Serial(
                port,
                self.baud,
                timeout=0,
                write_timeout=timeout_s,
                rtscts=self.hardware_handshake,
                exclusive=True if os.name == "posix" else None,
            )
        except LINE_ERRORS as error:
            raise LinkError(open_condition(error), str(error)) from error
        return SerialLink(line)


class SerialLink(_ClosesOnExit):
    """One open serial line."""

    def __init__(self, line: serial.Serial) -> None:
        self._line = line
        self._is_stalled = False

    def send(self, data: bytes, *, timeout_s: float) -> int:
        """See ``Link.send``; a chunk that fails is in doubt as a whole."""
        chunk = data[:SERIAL_CHUNK_BYTES]
        try:
            self._line.write_timeout = max(timeout_s, 0.001)
            self._line.write(chunk)
            self._drain(timeout_s)
        except serial.SerialTimeoutException as error:
            self._is_stalled = True
            raise LinkError(Condition.TIMEOUT, str(error), sent_in_doubt=len(chunk)) from error
        except LINE_ERRORS as error:
            raise LinkError(Condition.FAILURE, str(error), sent_in_doubt=len(chunk)) from error
        return len(chunk)

    def _drain(self, timeout_s: float) -> None:
        """Wait until the system has put the bytes on the wire: a kernel buffer is no printer."""
        give_up = time.monotonic() + timeout_s
        while self._line.out_waiting:
            if time.monotonic() > give_up:
                raise serial.SerialTimeoutException("the printer holds the line back")
            time.sleep(DRAIN_POLL_S)

    def receive(self, *, timeout_s: float) -> bytes:
        """See ``Link.receive``."""
        try:
            self._line.timeout = timeout_s
            first = self._line.read(1)
            return first + self._line.read(self._line.in_waiting) if first else b""
        except LINE_ERRORS as error:
            raise LinkError(Condition.FAILURE, str(error)) from error

    def close(self) -> None:
        """Close the line, which delivers what is still in the system's and the adapter's buffers.
        Only what a stalled printer did not take is let go: closing would wait for it."""
        if self._is_stalled:
            with suppress(*LINE_ERRORS):  # unplugged: nothing left to let go
                self._line.reset_output_buffer()
        with suppress(*LINE_ERRORS):
            self._line.close()


@dataclass(frozen=True, slots=True)
class FileTransport:
    """A device file such as ``/dev/usb/lp0``, or a plain file that collects the bytes."""

    path: Path
    keeps_answers: ClassVar[bool] = False

    def connect(self, *, timeout_s: float) -> Link:  # noqa: ARG002 - opening a file does not wait
        """Open for appending, without waiting where the system can."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            return FileLink(os.open(self.path, flags, 0o600))
        except PermissionError as error:
            raise LinkError(Condition.NOSERVICE, str(error)) from error
        except OSError as error:
            raise LinkError(Condition.NOHARDWARE, str(error)) from error


class FileLink(_ClosesOnExit):
    """One open file; it has no way back."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, data: bytes, *, timeout_s: float) -> int:
        """See ``Link.send``."""
        try:
            return os.write(self._descriptor, data[:SEND_BYTES_MAX])
        except BlockingIOError:
            return self._send_when_ready(data, timeout_s)
        except OSError as error:
            raise LinkError(Condition.FAILURE, str(error)) from error

    def _send_when_ready(self, data: bytes, timeout_s: float) -> int:
        _, ready, _ = select.select([], [self._descriptor], [], timeout_s)
        if not ready:
            raise LinkError(Condition.TIMEOUT, "the device takes no data")
        try:
            return os.write(self._descriptor, data[:SEND_BYTES_MAX])
        except OSError as error:
            raise LinkError(Condition.FAILURE, str(error)) from error

    def receive(self, *, timeout_s: float) -> bytes:  # noqa: ARG002 - there is nothing to wait for
        """Nothing ever comes."""
        raise LinkClosed(Condition.OFFLINE, "a file does not answer")

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
