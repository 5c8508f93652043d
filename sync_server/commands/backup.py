"""``backup`` and ``restore``."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from shared.clock import SystemClock
from sync_server.backup.copying import Progress as Told
from sync_server.backup.filling import fill_from
from sync_server.backup.restoring import Restored, Source, restore
from sync_server.bootstrap import open_copier, open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.journal.holes import open_holes

EXIT_FLAWED = 1

Passphrase = Annotated[
    str,
    typer.Option(
        envvar="EVERTILL_BACKUP_PASSPHRASE",
        prompt=True,
        hide_input=True,
        help="At least 12 characters; asked when left out.",
    ),
]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command("backup")(make_backup)
    application.command("restore")(restore_backup)
    application.command("fill")(fill_holes)


def make_backup(
    data: DataFolder,
    target: Annotated[Path, typer.Argument(help="Folder to write the copy into.")],
    passphrase: Passphrase,
    *,
    off_machine: Annotated[
        bool, typer.Option("--off-machine", help="The folder lies on another device.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy keys and database, encrypted, while the server runs; read back before it counts."""
    with open_copier(data) as copier, _progress() as told:
        copy = copier.make(target, passphrase, off_machine=off_machine, progress=told)
    answer = {
        "file": str(copy.file),
        "bytes": copy.bytes,
        "sha256": copy.sha256,
        "made_at": copy.made_at,
        "off_machine": copy.off_machine,
        "has_root_key": copy.has_root_key,
        "entries": copy.contents.counts.get("entries", 0),
        "journals": len({journal for journal, _epoch in copy.contents.next_seqs}),
    }
    if as_json:
        typer.echo(json.dumps(answer))
        return
    console = Console()
    console.print(f"{copy.file}", markup=False)
    console.print(
        f"{answer['entries']:,} entries of {answer['journals']} journals, "
        f"{copy.bytes:,} bytes, read back and whole.",
        style="green",
    )
    if not off_machine:
        console.print("Not marked --off-machine: tills keep everything they have.")
    if not copy.has_root_key:
        console.print("Without root.key, which is not in the data folder: keep it for a restore.")


def restore_backup(
    data: DataFolder,
    backup: Annotated[Path, typer.Argument(help="The copy.")],
    passphrase: Passphrase,
    *,
    database: Annotated[
        str | None,
        typer.Option(help="postgresql+psycopg://… of an empty database; SQLite without it."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Move the server that lies in the folder aside.")
    ] = False,
    erasures: Annotated[
        list[Path] | None, typer.Option(help="Further lists of erased members.")
    ] = None,
    root_key: Annotated[
        Path | None, typer.Option(help="root.key, where the copy was made without it.")
    ] = None,
    old_data: Annotated[
        Path | None, typer.Option(help="Data folder that may still tell what is lost.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a server of a copy; exit code 1 where its books do not agree."""
    source = Source(
        backup=backup,
        passphrase=passphrase,
        root_key=root_key.read_bytes() if root_key else None,
        erasure_lists=erasures or (),
        old=old_data,
    )
    with _progress() as told:
        restored = restore(
            data, source, clock=SystemClock(), url=database, replace=replace, progress=told
        )
    if as_json:
        typer.echo(json.dumps(_answer(restored)))
    else:
        _print(restored)
    if not restored.report.is_clean:
        raise typer.Exit(EXIT_FLAWED)


def fill_holes(
    data: DataFolder,
    backup: Annotated[Path, typer.Argument(help="Another copy of this server.")],
    passphrase: Passphrase,
    *,
    as_json: AsJson = False,
) -> None:
    """Take from another copy what neither the server nor a till has; exit code 1: holes remain."""
    with open_services(data) as services:
        filled = fill_from(services.database, services.ingest, backup, passphrase)
        with services.database.reading() as snapshot:
            left = open_holes(snapshot)
    if as_json:
        told = {"filled": sum(one.entries for one in filled), "holes_left": len(left)}
        typer.echo(json.dumps(told))
    else:
        console = Console()
        for one in filled:
            hole = one.hole
            where = f"{hole.journal}/{hole.epoch}/{hole.first_seq}-{hole.stop_seq - 1}"
            console.print(f"{where}: {one.entries:,} entries", markup=False)
        console.print(f"Holes left: {len(left):,}", style="yellow" if left else "green")
    if left:
        raise typer.Exit(EXIT_FLAWED)


def _answer(restored: Restored) -> dict[str, object]:
    return {
        "generation": restored.generation,
        "made_at": restored.made_at,
        "entries": restored.entries,
        "erased_again": restored.erased,
        "lost_from": {"epoch": restored.lost_from[0], "seq": restored.lost_from[1]},
        "lost": [
            {"epoch": one.epoch, "seq": one.seq, "id": one.id, "kind": one.kind}
            | {"occurred_at": one.occurred_at}
            for one in restored.lost
        ],
        "moved_to": str(restored.moved_to) if restored.moved_to else None,
        "is_clean": restored.report.is_clean,
        "flaws": [{"code": flaw.code, "where": flaw.where} for flaw in restored.report.flaws],
    }


def _print(restored: Restored) -> None:
    console = Console()
    console.print(f"Restored as of {restored.made_at}: {restored.entries:,} entries.")
    if restored.erased:
        console.print(f"Erased again: {restored.erased:,} members.")
    epoch, seq = restored.lost_from
    console.print(
        f"What the server itself wrote from {epoch}/{seq} on is lost; still known of it: "
        f"{len(restored.lost):,}."
    )
    for one in restored.lost:
        console.print(f"  {one.epoch}/{one.seq} {one.kind} {one.occurred_at}", markup=False)
    if restored.moved_to is not None:
        console.print(f"The server of before: {restored.moved_to}", markup=False)
    for flaw in restored.report.flaws:
        console.print(f"  {flaw.code} at {flaw.where}", style="red", markup=False)
    if restored.report.is_clean:
        console.print("Everything agrees.", style="green")


@contextmanager
def _progress() -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")

        def told(table: str, done: int, total: int) -> None:
            bar.update(task, description=table, completed=done, total=total)

        yield told
