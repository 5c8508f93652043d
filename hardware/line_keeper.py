"""Keeps a serial line open on the device's own thread, and opens it again when it was lost."""

from collections.abc import Callable
from threading import Event, Thread

import serial

from hardware.ports import Condition, DeviceError, DeviceState, Health, Power
from hardware.serial_port import LINE_ERRORS, LineSettings, open_line
from hardware.worker import Backoff

READ_POLL_S = 0.02
STOP_WAIT_S = 2.0

Serve = Callable[[serial.Serial], None]
"""Works on an open line until ``LineKeeper.is_stopping``; what it raises means the line is lost."""


class LineKeeper:
    """The life cycle that all devices on a serial line share.

    Runs ``serve`` with the open line. An unplugged line is waited for, 0.5 s doubling to 10 s, and
    found under whatever name it comes back (``usb:VID:PID[:SERIAL]``). ``on_lost`` is told why,
    from the device's thread.
    """

    def __init__(
        self,
        device: str,
        settings: LineSettings,
        serve: Serve,
        *,
        on_lost: Callable[[Condition], None] = lambda _condition: None,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._device = device
        self._settings = settings
        self._serve = serve
        self._on_lost = on_lost
        self._backoff = backoff
        self._stopping = Event()
        self._connected = Event()
        self._fault = Condition.NOHARDWARE
        self._thread: Thread | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether the device is being closed."""
        return self._stopping.is_set()

    @property
    def is_open(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None

    @property
    def is_connected(self) -> bool:
        """Whether its line is open now."""
        return self._connected.is_set()

    def pause(self, seconds: float) -> None:
        """Wait on the device's thread, shorter if the device is closed."""
        self._stopping.wait(seconds)

    def open(self) -> None:
        """Start the thread; connects in the background."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = Thread(target=self._run, name=f"device {self._device}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread and free the line."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_WAIT_S)
            self._thread = None

    def wait_until_connected(self, *, timeout_s: float) -> bool:
        """Whether the line is open, waiting for that at most so long. What a device sends before
        gets lost, because opening a serial port empties its buffer."""
        return self._connected.wait(timeout_s)

    def health(self) -> Health | None:
        """Why the device cannot work; None while its line is open, which proves nothing more."""
        if not self.is_open:
            return Health(self._device, DeviceState.CLOSED, Power.UNKNOWN, "devices.line.closed")
        if self.is_connected:
            return None
        is_gone = self._fault in (Condition.NOHARDWARE, Condition.FAILURE)
        power = Power.OFF if is_gone else Power.UNKNOWN
        return Health(self._device, DeviceState.ERROR, power, f"devices.line.{self._fault}")

    def _run(self) -> None:
        backoff = self._backoff()
        while not self.is_stopping:
            try:
                with open_line(self._device, self._settings, read_timeout_s=READ_POLL_S) as line:
                    backoff.succeeded()
                    self._connected.set()
                    self._serve(line)
            except DeviceError as error:
                self._lost(error.condition)
            except LINE_ERRORS:
                self._lost(Condition.FAILURE)
            if not self.is_stopping:
                self.pause(backoff.failed())
        self._connected.clear()

    def _lost(self, condition: Condition) -> None:
        self._connected.clear()
        self._fault = condition
        self._on_lost(condition)


def read_some(line: serial.Serial) -> bytes:
    """What has arrived, waiting for the first byte a moment; raises where the line is gone."""
    data = line.read(1)
    return data + line.read(line.in_waiting) if data else b""
