"""Builds the printer that the settings name, and what makes its bytes."""

from dataclasses import replace
from pathlib import Path

import structlog

from desktop.services.settings_file import PrinterSettings
from hardware.escpos.encoder import Encoder
from hardware.escpos.logo import read_logo
from hardware.escpos.profile import Profile, ProfileBook, built_in_profiles, load_profiles
from hardware.printer.cups_queue import PORT, CupsQueue
from hardware.printer.printer import EscposPrinter
from hardware.printer.queue import PrintQueue, QueuePrinter
from hardware.printer.transport import FileTransport, SerialTransport, TcpTransport, Transport
from hardware.printer.usb import UsbTransport
from hardware.printer.windows_queue import WindowsQueue
from hardware.survey.findings import FILE_NAME, PROFILE_NAME
from shared.clock import Clock
from shared.errors import EnvironmentFault

Printer = EscposPrinter | QueuePrinter
PRINTER = "printer"
"""How the settings call it."""
USUAL_PAPER = "80mm"
USUAL_PROFILE = "gb"

log = structlog.get_logger("printing")


def profile_book(settings: PrinterSettings, folder: Path) -> ProfileBook:
    """The profiles there are: the shop's own file, or the one that the printer test wrote, on top
    of those that come with the product."""
    own = folder / (settings.profiles or FILE_NAME)
    return load_profiles(own) if settings.profiles or own.exists() else built_in_profiles()


def make_encoder(settings: PrinterSettings, folder: Path) -> Encoder:
    """What makes the printer's bytes."""
    book = profile_book(settings, folder)
    tested = PROFILE_NAME if PROFILE_NAME in book.profiles else USUAL_PROFILE
    profile = book.profile(settings.profile or tested)
    paper = book.paper(settings.paper or profile.paper or USUAL_PAPER)
    return Encoder(profile, paper)


def with_logo(encoder: Encoder, folder: Path, logo: str) -> Encoder:
    """The encoder with the shop's picture; a receipt is printed without one that cannot be read."""
    if not logo:
        return encoder
    try:
        return replace(encoder, logo=read_logo(folder / logo, encoder.paper))
    except EnvironmentFault as error:
        log.warning("logo-not-read", code=error.code)
        return encoder


def check_logo(folder: Path, logo: str) -> None:
    """EnvironmentFault ``bad-receipt-logo`` where the folder has no picture of this name."""
    if logo:
        read_logo(folder / logo, built_in_profiles().paper(USUAL_PAPER))


def make_printer(settings: PrinterSettings, profile: Profile, clock: Clock) -> Printer:
    """The printer at the one address that the settings name."""
    queue = _queue(settings)
    if queue is not None:
        return QueuePrinter(PRINTER, queue, clock)
    return EscposPrinter(PRINTER, transport(settings), profile, clock=clock)


def transport(settings: PrinterSettings) -> Transport:
    """The way to a printer that no queue of the system stands before."""
    if settings.host:
        return TcpTransport(settings.host, settings.port)
    if settings.serial:
        return SerialTransport(settings.serial, settings.baud)
    return UsbTransport(settings.usb) if settings.usb else FileTransport(Path(settings.file))


def _queue(settings: PrinterSettings) -> PrintQueue | None:
    if settings.windows:
        return WindowsQueue(settings.windows)
    if not settings.cups:
        return None
    queue, _, server = settings.cups.partition("@")
    host, _, port = server.partition(":")
    return CupsQueue(queue, host or "localhost", int(port) if port.isdigit() else PORT)
