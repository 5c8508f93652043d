"""``evertill doctor``: finds ports and devices, checks each, and says what to do."""

import json
from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer
from rich.console import Console
from rich.table import Table

from desktop.doctor.examination import examine
from desktop.doctor.finding import Finding, Verdict, is_well
from desktop.services.settings_file import read_settings
from desktop.store.database import TillFolder
from desktop.ui.wording import Wording
from shared.clock import SystemClock
from shared.errors import EvertillError
from shared.language import Language

EXIT_BAD: Final = 1
SIGNS: Final = {Verdict.WELL: "✓", Verdict.ATTENTION: "!", Verdict.BAD: "✕"}
STYLES: Final = {Verdict.WELL: "green", Verdict.ATTENTION: "yellow", Verdict.BAD: "red"}


def doctor(
    data: Annotated[Path | None, typer.Option(help="Folder of the till's files.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    language: Annotated[
        Language | None, typer.Option(help="Language of the answer; the till's without it.")
    ] = None,
) -> None:
    """Look at devices, files, machine and server; exit code 1 where something has to be done.

    Opens no device of a till that is running.
    """
    folder = data or Path(platformdirs.user_data_dir("evertill", appauthor=False)) / "till"
    wording = Wording(language or _language_of(folder), "CNY")
    with Console(stderr=True).status(wording.say("doctor.looking")):
        findings = list(examine(TillFolder(folder), SystemClock()))
    if as_json:
        typer.echo(json.dumps([_as_json(one, wording) for one in findings], ensure_ascii=False))
    else:
        _print(findings, wording)
    if not is_well(findings):
        raise typer.Exit(EXIT_BAD)


def _language_of(folder: Path) -> Language:
    try:
        return Language(read_settings(folder).language)
    except EvertillError:
        return Language.CHINESE


def _as_json(finding: Finding, wording: Wording) -> dict[str, str]:
    return {
        "what": wording.text(finding.what),
        "verdict": finding.verdict.value,
        "said": wording.text(finding.said),
    }


def _print(findings: list[Finding], wording: Wording) -> None:
    table = Table("", wording.say("doctor.column.what"), wording.say("doctor.column.said"))
    for one in findings:
        style = STYLES[one.verdict]
        table.add_row(
            f"[{style}]{SIGNS[one.verdict]}[/]", wording.text(one.what), wording.text(one.said)
        )
    console = Console()
    console.print(table)
    key = "doctor.all-well" if is_well(findings) else "doctor.something-bad"
    console.print(wording.say(key), markup=False)
