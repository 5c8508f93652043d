"""Scanners to type at: a serial one behind a pty, one that calls back, and keyboard strokes."""

from collections.abc import Iterator

from hardware.ports import DeviceState, Health, OnScan, Power, ScanData, ScanQuality
from hardware.scanner.aim import split_identifier
from hardware.scanner.delivery import Delivery
from hardware.simulators.line import FarEnd

KEY_INTERVAL_S = 0.010
"""A wedge scanner sends keys 7 to 16 ms apart."""


class SerialScannerSimulator(FarEnd):
    """A scanner on a serial line that reads what it is told to."""

    def __init__(self, *, ending: bytes = b"\r") -> None:
        super().__init__()
        self._ending = ending

    def scan(self, text: str, *, identifier: str = "") -> None:
        """Read a code; ``identifier`` is an AIM identifier such as ``]E0``."""
        self.send((identifier + text).encode() + self._ending)


class CallbackScannerSimulator:
    """A ``Scanner`` that reads what it is told to."""

    def __init__(self, name: str = "scanner") -> None:
        self._name = name
        self._delivery: Delivery[ScanData] = Delivery()
        self._is_open = False

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Switch it on."""
        self._is_open = True

    def close(self) -> None:
        """Switch it off: scans get lost."""
        self._is_open = False

    def deliver_to(self, on_scan: OnScan | None) -> None:
        """See ``Scanner.deliver_to``."""
        self._delivery.deliver_to(on_scan)

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Ready while it is open."""
        state = DeviceState.IDLE if self._is_open else DeviceState.CLOSED
        power = Power.ONLINE if self._is_open else Power.OFF
        key = "devices.scanner.ready" if self._is_open else "devices.scanner.closed"
        return Health(self._name, state, power, key)

    def scan(self, text: str, *, quality: ScanQuality = ScanQuality.WHOLE) -> None:
        """Read a code, with or without AIM identifier."""
        if self._is_open:
            data, symbology = split_identifier(text)
            self._delivery.put(ScanData(data, symbology, self._name, quality))


def keystrokes(
    text: str, *, start_s: float = 0.0, interval_s: float = KEY_INTERVAL_S, suffix: str = "\r"
) -> Iterator[tuple[str, float]]:
    """A keyboard wedge: characters with the times at which they come."""
    for at, character in enumerate(text + suffix):
        yield character, start_s + at * interval_s
