"""Finds a serial port by what is plugged in, not by the name it got this time."""

import re

from serial.tools import list_ports

USB_NAME = re.compile(r"usb:([0-9A-Fa-f]{4}):([0-9A-Fa-f]{4})(?::(.+))?")


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
