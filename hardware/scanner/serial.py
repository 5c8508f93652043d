"""A scanner on a serial line or as a USB serial port."""

from collections.abc import Callable

import serial

from hardware.line_keeper import LineKeeper, read_some
from hardware.ports import DeviceState, Health, OnScan, Power, ScanData
from hardware.scanner.delivery import Delivery
from hardware.scanner.framing import Framer, Framing
from hardware.serial_port import LineSettings
from hardware.worker import Backoff
from shared.clock import Clock


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
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._name = name
        self._clock = clock
        self._framing = framing or Framing()
        self._delivery: Delivery[ScanData] = Delivery()
        self._keeper = LineKeeper(name, LineSettings(port, baud), self._read, backoff=backoff)

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Start its thread; connects, and connects again, in the background."""
        self._keeper.open()

    def close(self) -> None:
        """End its thread and free the port."""
        self._keeper.close()

    def deliver_to(self, on_scan: OnScan | None) -> None:
        """See ``Scanner.deliver_to``."""
        self._delivery.deliver_to(on_scan)

    def wait_until_connected(self, *, timeout_s: float) -> bool:
        """Whether its port is open, waiting for that at most so long."""
        return self._keeper.wait_until_connected(timeout_s=timeout_s)

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Whether its port is open; a scanner cannot be asked more."""
        ready = Health(self._name, DeviceState.IDLE, Power.ONLINE, "devices.scanner.ready")
        return self._keeper.health() or ready

    def _read(self, line: serial.Serial) -> None:
        """A new connection starts a new frame: what was cut off is lost, not glued."""
        framer = Framer(self._framing, self._name)
        while not self._keeper.is_stopping:
            data = read_some(line)
            at = self._clock.monotonic()
            for scan in framer.feed(data, at) if data else framer.tick(at):
                self._delivery.put(scan)
