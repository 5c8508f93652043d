"""A scanner on a serial line or as a USB serial port."""

import os
from threading import Event, Thread

import serial

from hardware.ports import DeviceState, Health, OnScan, Power, ScanData
from hardware.scanner.delivery import Delivery
from hardware.scanner.framing import Framer, Framing
from hardware.serial_port import resolve_port
from hardware.worker import Backoff
from shared.clock import Clock

READ_POLL_S = 0.02
STOP_WAIT_S = 2.0


class SerialScanner:
    """Reads codes on its own thread, and comes back by itself when it is plugged in again.

    ``port`` is a path, or ``usb:VID:PID[:SERIAL]`` to find it under any name.
    """

    def __init__(
        self,
        name: str,
        port: str,
        *,
        clock: Clock,
        baud: int = 9600,
        framing: Framing | None = None,
    ) -> None:
        self._name = name
        self._port = port
        self._baud = baud
        self._clock = clock
        self._framing = framing or Framing()
        self._delivery: Delivery[ScanData] = Delivery()
        self._stopping = Event()
        self._connected = Event()
        self._thread: Thread | None = None

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Start its thread; connects, and connects again, in the background."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = Thread(target=self._serve, name=f"device {self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End its thread and free the port."""
        self._stopping.set()
        if self._thread:
            self._thread.join(STOP_WAIT_S)
            self._thread = None

    def deliver_to(self, on_scan: OnScan | None) -> None:
        """See ``Scanner.deliver_to``."""
        self._delivery.deliver_to(on_scan)

    def wait_until_connected(self, *, timeout_s: float) -> bool:
        """Whether its port is open, waiting for that at most so long; scans before that get lost,
        because opening a serial port empties its buffer."""
        return self._connected.wait(timeout_s)

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Whether its port is open; a scanner cannot be asked more."""
        if self._thread is None:
            state, power, key = DeviceState.CLOSED, Power.UNKNOWN, "closed"
        elif self._connected.is_set():
            state, power, key = DeviceState.IDLE, Power.ONLINE, "ready"
        else:
            state, power, key = DeviceState.ERROR, Power.OFF, "waiting"
        return Health(self._name, state, power, f"devices.scanner.{key}")

    def _serve(self) -> None:
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                with self._connect() as line:
                    backoff.succeeded()
                    self._connected.set()
                    self._read(line)
            except (serial.SerialException, OSError):
                self._connected.clear()
                self._stopping.wait(backoff.failed())
        self._connected.clear()

    def _connect(self) -> serial.Serial:
        port = resolve_port(self._port)
        if port is None:
            raise serial.SerialException(f"{self._port} is not plugged in")
        exclusive = True if os.name == "posix" else None
        return serial.Serial(port, self._baud, timeout=READ_POLL_S, exclusive=exclusive)

    def _read(self, line: serial.Serial) -> None:
        """A new connection starts a new frame: what was cut off is lost, not glued."""
        framer = Framer(self._framing, self._name)
        while not self._stopping.is_set():
            data = line.read(1)
            data += line.read(line.in_waiting) if data else b""
            at = self._clock.monotonic()
            for scan in framer.feed(data, at) if data else framer.tick(at):
                self._delivery.put(scan)
