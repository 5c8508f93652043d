"""What is plugged in: serial ports and USB printers, by names that settings can use."""

from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

USB_DEVICES = Path("/sys/bus/usb/devices")
PRINTER_CLASS = "07"
"""USB device class codes, base class 07h: printers."""
NOTHING_THERE = "n/a"


@dataclass(frozen=True, slots=True)
class FoundPort:
    """A serial port: where it is now, the name that holds after a re-plug, what it calls itself."""

    path: str
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class FoundPrinter:
    """A printer on USB, whatever its driver."""

    name: str
    description: str


def serial_ports() -> list[FoundPort]:
    """Serial ports with something behind them; sockets that only the mainboard has are left out."""
    found = []
    for port in sorted(list_ports.comports()):
        if port.vid is not None and port.pid is not None:
            name = usb_name(port.vid, port.pid, port.serial_number or "")
        elif port.hwid == NOTHING_THERE:
            continue
        else:
            name = port.device
        found.append(FoundPort(port.device, name, port.description or ""))
    return found


def usb_name(vendor: int, product: int, serial_number: str = "") -> str:
    """A device's name in the settings, wherever it is plugged in."""
    name = f"usb:{vendor:04x}:{product:04x}"
    return f"{name}:{serial_number}" if serial_number else name


def usb_printers(devices: Path = USB_DEVICES) -> list[FoundPrinter]:
    """USB devices that say they are printers. Only Linux tells without a driver of ours."""
    found = {}
    for interface in sorted(devices.glob("*:*")):
        if _read(interface / "bInterfaceClass") != PRINTER_CLASS:
            continue
        device = devices / interface.name.partition(":")[0]
        vendor, product = _read(device / "idVendor"), _read(device / "idProduct")
        if not vendor or not product:
            continue
        name = usb_name(int(vendor, 16), int(product, 16), _read(device / "serial"))
        called = " ".join(filter(None, (_read(device / "manufacturer"), _read(device / "product"))))
        found[name] = FoundPrinter(name, called)
    return list(found.values())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
