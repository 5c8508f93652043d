"""``evertill printer-test``: finds out with somebody's eyes what a printer can do."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from desktop.printer_trial import PrinterTrial
from desktop.services.settings_file import PrinterSettings, TillSettings, read_settings
from hardware.survey.course import Question
from shared.errors import DomainError
from shared.language import Language, Words, words

AGAIN: Final = "0"


def printer_test(
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    host: Annotated[str, typer.Option(help="A printer on the network: HOST or HOST:PORT.")] = "",
    serial: Annotated[str, typer.Option(help="A printer on a serial port.")] = "",
    usb: Annotated[str, typer.Option(help="A printer on USB: usb:VID:PID or a device.")] = "",
) -> None:
    """Print some pages, ask what is on them, and write the printer's profile for the till.

    Without an address the printer of the settings is tested. The till uses the profile from its
    next start on, unless its settings name another. At the till it is on the receipt form.
    """
    settings = read_settings(data)
    say = words(Language(settings.language))
    name = say("till.printer.name")
    trial = PrinterTrial(_address(settings, host, serial, usb), data, name=name)
    console = Console(soft_wrap=True)
    found = trial.ask()
    for name in ("real_time", "automatic", "paper", "echo"):
        told = say(f"printer-test.answers.{'yes' if getattr(found, name) else 'no'}")
        console.print(say(f"printer-test.status.{name.replace('_', '-')}", answer=told))
    while (question := trial.question()) is not None:
        trial.answer(_answered(question, trial, console, say))
    console.print(say("printer-test.saved", path=str(trial.save())), markup=False)
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


def _answered(question: Question, trial: PrinterTrial, console: Console, say: Words) -> str:
    """Print the page, show the choices, take one; the page is printed again as often as wanted."""
    trial.print_page()
    console.print(f"\n{say(question.message_key, sample=question.sample)}", markup=False)
    for number, choice in enumerate(question.choices, 1):
        console.print(f"  {number}  {say(choice.message_key, line=choice.line)}", markup=False)
    console.print(f"  {AGAIN}  {say('printer-test.again')}", markup=False)
    while True:
        typed = typer.prompt(say("printer-test.which")).strip()
        if typed == AGAIN:
            trial.print_page()
        elif typed.isdecimal() and 1 <= int(typed) <= len(question.choices):
            return question.choices[int(typed) - 1].value
