"""``snapshot``: files from which new tills begin."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sync_server.bootstrap import open_snapshot_desk
from sync_server.commands.options import AsJson, DataFolder
from sync_server.sync.snapshots import Progress as Told


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command("snapshot")(make_snapshots)


def make_snapshots(
    data: DataFolder,
    *,
    if_due: Annotated[
        bool,
        typer.Option("--if-due", help="Only where none is fresh and it is worth it."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make what new tills begin with, while the server runs; exit code 2 where it cannot be made.

    The server does the same by itself once a day where there are 20,000 members or more.
    """
    with open_snapshot_desk(data) as desk, _progress() as told:
        made = desk.make(desk.due() if if_due else None, progress=told)
    if as_json:
        rows = [
            {
                "file": str(one.file),
                "scope": one.terms.scope,
                "generation": one.terms.generation,
                "server_seq": one.terms.server_seq,
                "rows": one.terms.rows,
                "bytes": one.terms.size,
                "sha256": one.terms.sha256,
                "made_at": one.terms.made_at,
            }
            for one in made
        ]
        typer.echo(json.dumps(rows))
        return
    console = Console()
    for one in made:
        console.print(f"{one.file}", markup=False)
        console.print(f"{one.terms.rows:,} members, {one.terms.size:,} bytes.", style="green")
    if not made:
        console.print("Nothing to make: what is there is fresh, or pages are as quick.")


@contextmanager
def _progress() -> Iterator[Told]:
    columns = (TextColumn("members"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def told(_scope: str, done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield told
