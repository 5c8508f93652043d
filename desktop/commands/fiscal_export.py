"""``evertill fiscal-export``: sales, returns and their fiscal signatures in one file."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer
from rich.console import Console

from desktop.devices import fiscal_device
from desktop.services.fiscal_export import export_fiscal
from desktop.services.settings_file import read_settings
from desktop.store.database import TillFolder, open_reading
from desktop.store.sealing import unlock
from desktop.store.upgrade import HEAD_REVISION, current_revision
from shared.errors import DomainError, EnvironmentFault
from shared.language import Language, words

EXIT_UNSIGNED: Final = 1
DAYS: Final = ["%Y-%m-%d"]


def fiscal_export(
    file: Annotated[Path, typer.Argument(help="The TAR archive to write.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the till's files.")] = None,
    *,
    first: Annotated[datetime | None, typer.Option(formats=DAYS, help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option(formats=DAYS, help="Last day.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.ENGLISH,
) -> None:
    """Export what a fiscal device signed; exit code 1 where signatures are missing.

    Only reads, so it may run beside the till.
    """
    path = data or Path(platformdirs.user_data_dir("evertill", appauthor=False)) / "till"
    folder = TillFolder(path)
    if not folder.database.exists():
        raise DomainError("not-enrolled", folder=str(path))
    engine = open_reading(unlock(folder))
    try:
        with Console(stderr=True).status("reading"), engine.connect() as connection:
            found = current_revision(connection)
            if found != HEAD_REVISION:
                raise EnvironmentFault("database-too-old", found=str(found), known=HEAD_REVISION)
            done = export_fiscal(
                connection,
                fiscal_device(read_settings(path)),
                file,
                first=first.date() if first else None,
                last=last.date() if last else None,
            )
    finally:
        engine.dispose()
    if as_json:
        typer.echo(json.dumps({**asdict(done), "unsigned": done.unsigned}))
    else:
        say = words(language)
        typer.echo(say("fiscal-export.done", count=done.tickets, file=str(file)))
        if done.unsigned:
            typer.echo(say("fiscal-export.unsigned", count=done.unsigned))
        if done.device not in ("", "exported"):
            typer.echo(say("fiscal-export.no-device"))
    if done.unsigned:
        raise typer.Exit(EXIT_UNSIGNED)
