"""``evertill printer-test``: finds out with somebody's eyes what a printer can do."""

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from desktop.printers import make_printer, transport
from desktop.services.settings_file import PrinterSettings, TillSettings, read_settings
from hardware.escpos.profile import Profile, built_in_profiles, read_profiles
from hardware.ports import Condition, DeviceError, PrintState, ReceiptPrinter
from hardware.printer.transport import LinkError
from hardware.survey.abilities import LISTEN_S, StatusAbilities, ask_printer
from hardware.survey.course import Question, Survey
from hardware.survey.findings import FILE_NAME, PROFILE_NAME, Findings, profile_text
from shared.clock import SystemClock
from shared.errors import DomainError
from shared.language import Language, Words, words

DEADLINE_S: Final = 30.0
AGAIN: Final = "0"


def printer_test(
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    host: Annotated[str, typer.Option(help="A printer on the network: HOST or HOST:PORT.")] = "",
    serial: Annotated[str, typer.Option(help="A printer on a serial port.")] = "",
    usb: Annotated[str, typer.Option(help="A printer on USB: usb:VID:PID or a device.")] = "",
) -> None:
    """Print some pages, ask what is on them, and write the printer's profile for the till.

    Without an address the printer of the settings is tested. The till uses the profile from its
    next start on, unless its settings name another.
    """
    settings = read_settings(data)
    say = words(Language(settings.language))
    printer_settings = _address(settings, host, serial, usb)
    console = Console(soft_wrap=True)
    abilities = _ask(printer_settings, console, say)
    findings = _lead(printer_settings, Survey(abilities), console, say)
    text = profile_text(findings, tested_at=date.today().isoformat())  # noqa: DTZ011 - a label
    book = read_profiles(text, source=FILE_NAME, base=built_in_profiles())
    target = data / FILE_NAME
    target.write_text(text, encoding="utf-8")
    assert book.profile(PROFILE_NAME).paper
    console.print(say("printer-test.saved", path=str(target)), markup=False)
    if settings.printer is not None and settings.printer.profile:
        named = settings.printer.profile
        console.print(say("printer-test.not-used", profile=named), markup=False)


def _address(settings: TillSettings, host: str, serial: str, usb: str) -> PrinterSettings:
    """The printer that is named here, else the one of the settings."""
    if not (host or serial or usb):
        if settings.printer is None:
            raise DomainError("no-printer-named")
        return settings.printer
    name, _, port = host.partition(":")
    named = PrinterSettings(
        host=name, port=int(port) if port.isdigit() else 9100, serial=serial, usb=usb
    )
    if named.addresses != 1:
        raise DomainError("no-printer-named")
    return named


def _ask(settings: PrinterSettings, console: Console, say: Words) -> StatusAbilities:
    """Which questions it answers; none where a queue of the system stands before it."""
    if settings.cups or settings.windows:
        return StatusAbilities()
    try:
        found = ask_printer(transport(settings), wait_s=LISTEN_S)
    except LinkError as error:
        raise DeviceError(error.condition, device=_name(say), reason=str(error)) from error
    for name in ("real_time", "automatic", "paper", "echo"):
        told = say(f"printer-test.answers.{'yes' if getattr(found, name) else 'no'}")
        console.print(say(f"printer-test.status.{name.replace('_', '-')}", answer=told))
    return found


def _lead(settings: PrinterSettings, survey: Survey, console: Console, say: Words) -> Findings:
    printer = make_printer(settings, _mute(), SystemClock())
    printer.open()
    try:
        while (question := survey.question()) is not None:
            survey.answer(_answered(question, printer, console, say))
    finally:
        printer.close()
    return survey.findings


def _answered(question: Question, printer: ReceiptPrinter, console: Console, say: Words) -> str:
    """Print the page, show the choices, take one; the page is printed again as often as wanted."""
    _print(question.page, printer, say)
    console.print(f"\n{say(question.message_key, sample=question.sample)}", markup=False)
    for number, choice in enumerate(question.choices, 1):
        console.print(f"  {number}  {say(choice.message_key, line=choice.line)}", markup=False)
    console.print(f"  {AGAIN}  {say('printer-test.again')}", markup=False)
    while True:
        typed = typer.prompt(say("printer-test.which")).strip()
        if typed == AGAIN:
            _print(question.page, printer, say)
        elif typed.isdecimal() and 1 <= int(typed) <= len(question.choices):
            return question.choices[int(typed) - 1].value


def _print(page: bytes, printer: ReceiptPrinter, say: Words) -> None:
    outcome = printer.print_job(page, deadline_s=DEADLINE_S, before_first_byte=lambda: None)
    if outcome.state in (PrintState.CONFIRMED, PrintState.CONFIRMED_UNVERIFIED):
        return
    condition = outcome.condition or Condition.FAILURE
    raise DeviceError(condition, device=_name(say), reason=outcome.message_key)


def _name(say: Words) -> str:
    return say("till.printer.name")


def _mute() -> Profile:
    """Pages are only sent: which questions may be asked is what is being found out."""
    return built_in_profiles().profile("one-way")
