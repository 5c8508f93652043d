"""What is plugged in, and whether the settings use it. Opens nothing."""

from collections.abc import Iterator

from desktop.devices import serial_ports_of
from desktop.doctor.finding import Finding, Verdict
from desktop.presenters.device_names import device_name
from desktop.presenters.text import Text, say
from desktop.services.settings_file import TillSettings
from hardware.discovery import FoundPort, FoundPrinter, serial_ports, usb_printers
from hardware.serial_port import resolve_port


def look_around(settings: TillSettings) -> Iterator[Finding]:
    """Every serial port and USB printer; one line where there is none."""
    ports, printers = serial_ports(), usb_printers()
    users = {resolve_port(port): device for device, port in serial_ports_of(settings)}
    for port in ports:
        yield _port(port, users.get(port.path, ""))
    for printer in printers:
        yield _printer(printer)
    if not ports and not printers:
        yield Finding(say("doctor.what.plugged"), Verdict.WELL, say("doctor.plugged.nothing"))


def _port(port: FoundPort, user: str) -> Finding:
    what: Text = say("doctor.what.serial", path=port.path)
    if user:
        said = say("doctor.plugged.used", device=device_name(user), name=port.name)
    else:
        said = say("doctor.plugged.free", name=port.name, description=port.description)
    return Finding(what, Verdict.WELL, said)


def _printer(printer: FoundPrinter) -> Finding:
    said = say("doctor.plugged.printer", name=printer.name, description=printer.description)
    return Finding(say("doctor.what.usb-printer"), Verdict.WELL, said)
