"""``evertill``: one thin module per command, loaded only when it is called."""

import importlib
import sys
from typing import Final, NamedTuple, NoReturn

import typer

from shared.errors import EvertillError, unusable_file
from shared.language import Language, words
from shared.log_words import configure_logging

EXIT_REFUSED: Final = 2


class Command(NamedTuple):
    """Where a command lives."""

    name: str
    module: str
    function: str


COMMANDS: Final = (
    Command("run", "desktop.commands.run", "run"),
    Command("verify", "desktop.commands.verify", "verify"),
    Command("doctor", "desktop.commands.doctor", "doctor"),
    Command("fiscal-export", "desktop.commands.fiscal_export", "fiscal_export"),
    Command("salvage", "desktop.commands.salvage", "salvage"),
    Command("enrol", "desktop.commands.enrol", "enrol"),
    Command("rekey", "desktop.commands.rekey", "rekey"),
    Command("demo", "desktop.commands.demo", "demo"),
    Command("replay", "desktop.commands.replay", "replay"),
    Command("programme", "desktop.commands.programme", "programme"),
    Command("quote", "desktop.commands.quote", "quote"),
    Command("printer-test", "desktop.commands.printer_test", "printer_test"),
    Command("receipt-form", "desktop.commands.receipt_form", "receipt_form"),
    Command("backtest", "desktop.commands.backtest", "backtest"),
)


def application(wanted: str | None) -> typer.Typer:
    """The command line; only the command that is called is imported, all of them for help."""
    commands = [command for command in COMMANDS if command.name == wanted] or COMMANDS
    made = typer.Typer(
        name="evertill",
        help="An offline-first till with a loyalty programme inside.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # A callback keeps the command's name on the line even when only one is registered.
    made.callback()(_evertill)
    for command in commands:
        function = getattr(importlib.import_module(command.module), command.function)
        made.command(command.name)(function)
    return made


def _evertill() -> None:
    """An offline-first till with a loyalty programme inside."""


def main() -> None:
    """Entry point: foreseen errors are said in words and end with exit code 2."""
    configure_logging("warning")
    try:
        application(sys.argv[1] if len(sys.argv) > 1 else None)()
    except EvertillError as error:
        _refuse(error)
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(unusable_file(error))


def _refuse(error: EvertillError) -> NoReturn:
    # The command line speaks English: it is for whoever installs, not for the cashier.
    typer.echo(words(Language.ENGLISH).error(error), err=True)
    sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main()
