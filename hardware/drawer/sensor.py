"""Whether the drawer is open, read from the printer it hangs on.

Pin 3 of the drawer's connector is bit 2 of the real-time status (``DLE EOT 1``) and of the first
byte of an automatic status. Which level means open depends on the drawer, so it is a setting.
Source: Epson ESC/POS command reference, ``DLE EOT`` and ``GS a``.
"""

from typing import Protocol

from hardware.escpos.status import PrinterStatus
from hardware.ports import DrawerState


class AsksPrinter(Protocol):
    """What tells a printer's status."""

    def read_status(self, *, deadline_s: float) -> PrinterStatus:
        """Ask now; DeviceError where it cannot be asked."""
        ...


def drawer_state(pin_high: bool | None, *, opens_high: bool) -> DrawerState:  # noqa: FBT001 - a level
    """What a level of the pin means; UNKNOWN where the printer said nothing."""
    if pin_high is None:
        return DrawerState.UNKNOWN
    return DrawerState.OPEN if pin_high == opens_high else DrawerState.CLOSED


class PrinterDrawerSensor:
    """The port ``DrawerSensor`` over a printer."""

    def __init__(self, name: str, printer: AsksPrinter, *, opens_high: bool) -> None:
        self._name = name
        self._printer = printer
        self._opens_high = opens_high

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def state(self, *, deadline_s: float) -> DrawerState:
        """See ``DrawerSensor.state``."""
        status = self._printer.read_status(deadline_s=deadline_s)
        return drawer_state(status.drawer_pin_high, opens_high=self._opens_high)
