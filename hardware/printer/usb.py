"""A printer on USB through the system's own printer class driver: ``/dev/usb/lp0``, both ways.

The driver (Linux ``usblp``) is there without any library, and answers come back through the same
file. Windows has no such file: there the printer is reached by its queue (``windows_queue``).
"""

import errno
import os
import select
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from hardware.ports import Condition
from hardware.printer.transport import RECEIVE_BYTES_MAX, FileLink, Link, LinkError
from hardware.serial_port import USB_NAME

PRINTER_CLASS: Final = Path("/sys/class/usbmisc")
DEVICES: Final = Path("/dev/usb")
OPEN_ERRORS: Final = {
    errno.EBUSY: Condition.CLAIMED,
    errno.EACCES: Condition.NOSERVICE,
    errno.EPERM: Condition.NOSERVICE,
}


@dataclass(frozen=True, slots=True)
class UsbTransport:
    """``usb:VID:PID``, ``usb:VID:PID:SERIAL`` wherever it was plugged in, or the device's path."""

    name: str
    keeps_answers: ClassVar[bool] = True

    def connect(self, *, timeout_s: float) -> Link:  # noqa: ARG002 - opening a device does not wait
        """Open it for both ways; see ``Transport.connect``."""
        path = find_usb_printer(self.name)
        if path is None:
            raise LinkError(Condition.NOHARDWARE, f"no printer {self.name}")
        try:
            return UsbLink(os.open(path, os.O_RDWR | getattr(os, "O_NONBLOCK", 0)))
        except OSError as error:
            condition = OPEN_ERRORS.get(error.errno or 0, Condition.NOHARDWARE)
            raise LinkError(condition, str(error)) from error


class UsbLink(FileLink):
    """An open printer device."""

    def receive(self, *, timeout_s: float) -> bytes:
        """See ``Link.receive``. Most drivers end a read at once where nothing has come."""
        try:
            ready, _, _ = select.select([self._descriptor], [], [], timeout_s)
            return os.read(self._descriptor, RECEIVE_BYTES_MAX) if ready else b""
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LinkError(Condition.FAILURE, str(error)) from error


def find_usb_printer(
    name: str, *, known: Path = PRINTER_CLASS, devices: Path = DEVICES
) -> Path | None:
    """The device file of a printer; None while no such device is there.

    ``known`` is the kernel's list of printers (sysfs), ``devices`` where their files are.
    """
    wanted = USB_NAME.fullmatch(name)
    if not wanted:
        return Path(name)
    for entry in sorted(known.glob("lp*")):
        # The list names the interface; vendor, product and serial number stand one level up.
        device = (entry / "device").resolve().parent
        kind = (_read(device / "idVendor"), _read(device / "idProduct"))
        is_kind = kind == (wanted[1].lower(), wanted[2].lower())
        if is_kind and wanted[3] in (None, _read(device / "serial")):
            return devices / entry.name
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""  # unplugged while we look
