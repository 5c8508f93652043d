"""Opens the devices that the settings name; the drivers are known here and nowhere else."""

from dataclasses import dataclass, replace

from desktop.bootstrap import Surroundings
from desktop.services.settings_file import PrinterSettings, TillSettings
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import Scanner
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import SerialTransport, TcpTransport, Transport
from hardware.scanner.serial import SerialScanner
from hardware.scanner.wedge import WedgeSettings
from shared.clock import Clock


@dataclass(slots=True)
class Devices:
    """Printer with drawer, and scanner, as far as the till has them."""

    printer: EscposPrinter | None
    encoder: Encoder | None
    has_drawer: bool
    scanner: Scanner | None
    wedge: WedgeSettings

    def open(self) -> None:
        """Begin to connect; never waits for hardware."""
        for device in (self.printer, self.scanner):
            if device is not None:
                device.open()

    def close(self) -> None:
        """Give the hardware up."""
        for device in (self.printer, self.scanner):
            if device is not None:
                device.close()

    def around(self, surroundings: Surroundings) -> Surroundings:
        """The surroundings with these devices."""
        return replace(
            surroundings,
            printer=self.printer,
            encoder=self.encoder,
            drawer=self.printer if self.has_drawer else None,
        )


def make_devices(settings: TillSettings, clock: Clock) -> Devices:
    """Devices as the settings say.

    Raises EnvironmentFault ``unknown-paper`` and ``unknown-printer-profile``.
    """
    printer, encoder = None, None
    if settings.printer is not None:
        printer, encoder = _printer(settings.printer, clock)
    scanner = settings.scanner
    return Devices(
        printer=printer,
        encoder=encoder,
        has_drawer=settings.printer is not None and settings.printer.has_drawer,
        scanner=(
            SerialScanner("scanner", scanner.serial, clock=clock, baud=scanner.baud)
            if scanner.serial
            else None
        ),
        wedge=WedgeSettings(prefix=scanner.prefix),
    )


def _printer(settings: PrinterSettings, clock: Clock) -> tuple[EscposPrinter, Encoder]:
    book = built_in_profiles()
    profile, paper = book.profile(settings.profile), book.paper(settings.paper)
    transport: Transport = (
        TcpTransport(settings.host, settings.port)
        if settings.host
        else SerialTransport(settings.serial)
    )
    return EscposPrinter("printer", transport, profile, clock=clock), Encoder(profile, paper)
