"""Serial lines: found by what is plugged in, opened for this program alone, faults in our words."""

import os
import re
from dataclasses import dataclass
from typing import Literal

import serial
from serial.tools import list_ports

from hardware.ports import Condition, DeviceError

USB_NAME = re.compile(r"usb:([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::(.+))?")
WRITE_TIMEOUT_S = 1.0


def _line_errors() -> tuple[type[Exception], ...]:
    try:
        import termios  # noqa: PLC0415 - exists on POSIX only
    except ImportError:
        return (serial.SerialException, OSError)
    return (serial.SerialException, OSError, termios.error)


LINE_ERRORS = _line_errors()
"""What pyserial lets out when a line goes away under it; ``termios.error`` is no OSError."""

Parity = Literal["none", "even", "odd"]
PARITIES: dict[Parity, str] = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
}


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Where a device is and how its line is set.

    ``port`` is a path, or ``usb:VID:PID[:SERIAL]`` to find it under any name.
    """

    port: str
    baud: int = 9600
    bits: int = 8
    """7 or 8."""
    parity: Parity = "none"


def resolve_port(name: str) -> str | None:
    """The present path of a port.

    ``usb:VID:PID`` or ``usb:VID:PID:SERIAL`` finds a USB device wherever it was plugged in; any
    other name is a path and is returned as it is. None while no such device is there.
    """
    wanted = USB_NAME.fullmatch(name)
    if not wanted:
        return name
    vendor, product = int(wanted[1], 16), int(wanted[2], 16)
    for port in sorted(list_ports.comports()):
        is_kind = (port.vid, port.pid) == (vendor, product)
        if is_kind and wanted[3] in (None, port.serial_number):
            return port.device
    return None


def is_port_name(name: str) -> bool:
    """Whether a port of the settings can be meant: a path, or a whole ``usb:…`` name."""
    return bool(USB_NAME.fullmatch(name)) or bool(name and not name.lower().startswith("usb:"))


def open_line(device: str, settings: LineSettings, *, read_timeout_s: float) -> serial.Serial:
    """Open a line, exclusively where the system can.

    Raises DeviceError NOHARDWARE where nothing is plugged in, CLAIMED, NOSERVICE.
    """
    port = resolve_port(settings.port)
    if port is None:
        raise DeviceError(Condition.NOHARDWARE, device=device, reason=settings.port)
    try:
        return serial.Serial(
            port,
            settings.baud,
            bytesize=settings.bits,
            parity=PARITIES[settings.parity],
            timeout=read_timeout_s,
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=True if os.name == "posix" else None,
        )
    except LINE_ERRORS as error:
        raise DeviceError(open_condition(error), device=device, reason=str(error)) from error


def open_condition(error: Exception) -> Condition:
    """What stands behind a line that cannot be opened."""
    text = str(error).lower()
    if "exclusively lock" in text or "access is denied" in text or "busy" in text:
        return Condition.CLAIMED
    if "permission" in text:
        return Condition.NOSERVICE
    return Condition.NOHARDWARE
