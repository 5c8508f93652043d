"""``evertill verify``: whether a till's files are whole and agree with themselves."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from desktop.store.database import TillFolder
from desktop.store.verification import TillReport, verify_till

EXIT_FLAWED: Final = 1
_COUNTS: Final = (
    "epochs",
    "entries",
    "signatures",
    "postings",
    "balances",
    "rows_held",
    "unsent",
    "deleted",
)


def verify(
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Check chains, signatures, postings and balances; exit code 1 names the first bad row."""
    with Console(stderr=True).status("verifying"):
        report = verify_till(TillFolder(data))
    if as_json:
        typer.echo(json.dumps({**asdict(report), "is_clean": report.is_clean}))
    else:
        _print(report)
    if not report.is_clean:
        raise typer.Exit(EXIT_FLAWED)


def _print(report: TillReport) -> None:
    table = Table("Read", "Count")
    for name in _COUNTS:
        table.add_row(name.replace("_", " "), f"{getattr(report, name):,}")
    console = Console()
    table.add_row("key of the files", report.encryption)
    console.print(table)
    if report.is_clean:
        console.print("Everything agrees.", style="green")
        return
    first, *others = report.flaws
    console.print(f"First flaw: {first.code} at {first.where}", style="red", markup=False)
    for flaw in others:
        console.print(f"  {flaw.code} at {flaw.where}", markup=False)
