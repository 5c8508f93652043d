"""Builds every device that the settings name; the drivers are known here and nowhere else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from desktop.bootstrap import Surroundings
from desktop.printer_trial import PrinterTrial
from desktop.printers import Printer, make_encoder, make_printer
from desktop.services.device_settings import (
    AskedSettings,
    CardReaderSettings,
    DisplaySettings,
    ScaleSettings,
)
from desktop.services.settings_file import TillSettings
from hardware.display.commands import CommandSet
from hardware.display.serial_display import SerialDisplay
from hardware.drawer.sensor import PrinterDrawerSensor
from hardware.escpos.encoder import Encoder
from hardware.fiscal.line_device import LineFiscalDevice
from hardware.nfc.pcsc import PcscReader
from hardware.nfc.pn532_reader import Pn532Reader
from hardware.payment.line_terminal import LineTerminal
from hardware.ports import CardReader, Device, DrawerSensor, OnCard, OnScan, Scanner
from hardware.printer.printer import EscposPrinter
from hardware.scale.dialog_06 import ApprovedPair
from hardware.scale.protocols import ScaleProtocol, line_of, maker_of
from hardware.scale.serial_scale import SerialScale
from hardware.scanner.serial import SerialScanner
from hardware.scanner.wedge import WedgeSettings
from hardware.serial_port import LineSettings, is_port_name
from shared.clock import Clock
from shared.errors import EnvironmentFault


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The devices of a till, as far as it has them. Each is called by its name in the settings."""

    printer: Printer | None
    encoder: Encoder | None
    printer_trial: Callable[[], PrinterTrial] | None
    has_drawer: bool
    drawer_sensor: DrawerSensor | None
    scanners: tuple[Scanner, ...]
    wedge: WedgeSettings
    scale: SerialScale | None
    display: SerialDisplay | None
    cards: CardReader | None
    terminal: LineTerminal | None
    wallet: LineTerminal | None
    fiscal: LineFiscalDevice | None
    fiscal_paper_waits_s: float

    def all(self) -> Iterator[Device]:
        """Every device that can be opened and asked how it is."""
        asked = (self.terminal, self.wallet, self.fiscal)
        single = (self.printer, self.scale, self.display, self.cards, *asked)
        yield from (device for device in (*single, *self.scanners) if device is not None)

    def watched(self) -> Iterator[Device]:
        """Those that know their health without asking anybody. The printer's is told by its
        spooler, the scale's where a weight is asked for."""
        yield from self.scanners
        yield from (one for one in (self.display, self.cards) if one is not None)

    def open(self) -> None:
        """Begin to connect; never waits for hardware."""
        for device in self.all():
            device.open()

    def deliver(self, on_scan: OnScan | None, on_card: OnCard | None) -> None:
        """Where codes and cards go from now on."""
        for scanner in self.scanners:
            scanner.deliver_to(on_scan)
        if self.cards is not None:
            self.cards.deliver_to(on_card)

    def close(self) -> None:
        """Give the hardware up."""
        for device in self.all():
            device.close()

    def around(self, surroundings: Surroundings) -> Surroundings:
        """The surroundings with these devices."""
        return replace(
            surroundings,
            printer=self.printer,
            encoder=self.encoder,
            printer_trial=self.printer_trial,
            drawer=self.printer if self.has_drawer else None,
            scale=self.scale,
            gateway=self.wallet,
            terminal=self.terminal,
            fiscal=self.fiscal,
            fiscal_paper_waits_s=self.fiscal_paper_waits_s,
        )


def make_devices(settings: TillSettings, clock: Clock, folder: Path) -> Devices:
    """Devices as the settings say; files they name are looked for in ``folder``.

    Nothing is opened yet. Raises EnvironmentFault ``unknown-paper``, ``unknown-printer-profile``,
    ``bad-printer-profiles``, ``bad-receipt-logo``, ``device-port-unreadable`` and
    ``device-port-twice``.
    """
    check_ports(settings)
    printer, encoder, trial = None, None, None
    if settings.printer is not None:
        trial = partial(PrinterTrial, settings.printer, folder)
        encoder = make_encoder(settings.printer, folder)
        printer = make_printer(settings.printer, encoder.profile, clock)
    sensor = None
    if isinstance(printer, EscposPrinter) and settings.drawer is not None:
        sensor = PrinterDrawerSensor(
            "drawer", printer, opens_high=settings.drawer.open_when == "high"
        )
    return Devices(
        printer=printer,
        encoder=encoder,
        printer_trial=trial,
        has_drawer=settings.printer is not None and settings.printer.has_drawer,
        drawer_sensor=sensor,
        scanners=tuple(_scanners(settings, clock)),
        wedge=WedgeSettings(prefix=settings.scanner.prefix),
        scale=_scale(settings.scale, clock) if settings.scale else None,
        display=_display(settings.display) if settings.display else None,
        cards=_cards(settings.cards, clock) if settings.cards else None,
        terminal=_asked("terminal", settings.terminal),
        wallet=_asked("wallet", settings.wallet),
        fiscal=fiscal_device(settings),
        fiscal_paper_waits_s=settings.fiscal.paper_waits_s if settings.fiscal else 0.0,
    )


def serial_ports_of(settings: TillSettings) -> list[tuple[str, str]]:
    """Each device on a serial line with its port, as the settings name them."""
    further = [(f"scanners[{at}]", one.serial) for at, one in enumerate(settings.scanners)]
    named = [
        ("printer", settings.printer.serial if settings.printer else ""),
        ("scanner", settings.scanner.serial),
        *further,
        ("scale", settings.scale.serial if settings.scale else ""),
        ("display", settings.display.serial if settings.display else ""),
        ("cards", settings.cards.serial if settings.cards else ""),
    ]
    return [(device, port) for device, port in named if port]


def check_ports(settings: TillSettings) -> None:
    """Refuse a port that is none, and one that two devices would fight for.

    Raises EnvironmentFault ``device-port-unreadable`` and ``device-port-twice``.
    """
    taken: dict[str, str] = {}
    for device, port in serial_ports_of(settings):
        if not is_port_name(port):
            raise EnvironmentFault("device-port-unreadable", device=device, port=port)
        known = port.casefold() if port.lower().startswith("usb:") else port
        if known in taken:
            raise EnvironmentFault(
                "device-port-twice", device=device, other=taken[known], port=port
            )
        taken[known] = device


def _scanners(settings: TillSettings, clock: Clock) -> Iterator[Scanner]:
    first = settings.scanner
    if first.serial:
        yield SerialScanner("scanner", first.serial, clock=clock, baud=first.baud)
    for at, one in enumerate(settings.scanners):
        yield SerialScanner(f"scanners[{at}]", one.serial, clock=clock, baud=one.baud)


def _scale(settings: ScaleSettings, clock: Clock) -> SerialScale:
    protocol = ScaleProtocol(settings.protocol)
    line = line_of(
        protocol,
        settings.serial,
        baud=settings.baud or 0,
        bits=settings.bits or 0,
        parity=settings.parity,
    )
    pair = None
    if settings.checksum:
        pair = ApprovedPair(int(settings.checksum, 16), int(settings.correction, 16))
    return SerialScale("scale", line, maker_of(protocol, pair=pair), clock=clock)


def _display(settings: DisplaySettings) -> SerialDisplay:
    return SerialDisplay(
        "display",
        LineSettings(settings.serial, settings.baud),
        CommandSet(settings.protocol),
        codec=settings.codec,
        columns=settings.columns,
    )


def _cards(settings: CardReaderSettings, clock: Clock) -> CardReader:
    takes_uid = settings.number == "text-or-uid"
    if settings.kind == "pn532":
        line = LineSettings(settings.serial, settings.baud)
        return Pn532Reader("cards", line, clock=clock, takes_uid=takes_uid)
    return PcscReader("cards", reader=settings.reader, takes_uid=takes_uid)


def _asked(name: str, settings: AskedSettings | None) -> LineTerminal | None:
    return LineTerminal(name, settings.host, settings.port) if settings else None


def fiscal_device(settings: TillSettings) -> LineFiscalDevice | None:
    """The fiscal device of the settings."""
    found = settings.fiscal
    return LineFiscalDevice("fiscal", found.host, found.port) if found else None
