"""The commands, one module per group; errors become words and an exit code here."""

import sys
from typing import Final, NoReturn

import typer
from rich.console import Console

from shared.errors import EvertillError, unusable_file
from shared.language import Language, words
from sync_server.commands import (
    backup,
    batches,
    data,
    draws,
    judging,
    keys,
    leases,
    members,
    partners,
    points,
    regions,
    serving,
    setting_up,
    snapshots,
)

EXIT_REFUSED: Final = 2

application = typer.Typer(
    name="evertill-server",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The server of Evertill: one truth of many stores.",
)
serving.add_to(application)
setting_up.add_to(application)
data.add_to(application)
leases.add_to(application)
draws.add_to(application)
batches.add_to(application)
members.add_to(application)
regions.add_to(application)
partners.add_to(application)
points.add_to(application)
backup.add_to(application)
snapshots.add_to(application)
judging.add_to(application)
keys.add_to(application)


def main() -> None:
    """Run a command; foreseen errors are said in words, with exit code 2."""
    try:
        application()
    except EvertillError as error:
        _refuse(error)
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(unusable_file(error))


def _refuse(error: EvertillError) -> NoReturn:
    Console(stderr=True).print(words(Language.ENGLISH).error(error), style="red", markup=False)
    sys.exit(EXIT_REFUSED)
