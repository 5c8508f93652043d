"""``points``, ``reminders``: what the shop owes in points, what lapsed, whom to remind."""

import csv
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
import typer

from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.points.outstanding import outstanding_points
from sync_server.points.reminders import Reminder, reminders_on
from sync_server.programme.bundles import newest_programme

_COLUMNS = ("member", "lot", "outstanding", "lapsed", "last_day")


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command("points")(tell_points)
    application.command("reminders")(tell_reminders)


class _Sum(msgspec.Struct, kw_only=True):
    """Points in the programme's smallest unit, money in minor units."""

    on: str
    members: int = 0
    outstanding: int = 0
    value_minor: int = 0
    lapsed: int = 0
    owed_by_members: int = 0
    lapsing: dict[str, int] = msgspec.field(default_factory=dict)
    """Of the outstanding, by the month of their last day; ``never``: those without one."""


def tell_points(
    data: DataFolder,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="The end of which day; today."),
    ] = None,
    lots: Annotated[
        Path | None, typer.Option("--lots", help="Write each lot into this CSV file.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """What points are still owed, what they could pay, when they lapse, and what lapsed unused."""
    with open_services(data) as services, ExitStack() as files:
        day = on.date() if on else services.clock.now().date()
        rows = None
        if lots is not None:
            rows = csv.writer(files.enter_context(lots.open("w", encoding="utf-8", newline="")))
            rows.writerow(_COLUMNS)
        found = _Sum(on=day.isoformat())
        lapsing: Counter[str] = Counter()
        with services.database.reading() as snapshot:
            programme = newest_programme(snapshot)
            # Before the first programme nobody has any.
            for member in outstanding_points(snapshot, programme, day) if programme else ():
                found.members += 1
                found.value_minor += member.value_minor
                for lot in member.lots:
                    found.outstanding += max(0, lot.outstanding)
                    found.owed_by_members += max(0, -lot.outstanding)
                    found.lapsed += lot.lapsed
                    if lot.outstanding > 0:
                        lapsing[f"{lot.last_day:%Y-%m}" if lot.last_day else "never"] += (
                            lot.outstanding
                        )
                    if rows is not None:
                        last = lot.last_day.isoformat() if lot.last_day else ""
                        rows.writerow((*lot[:4], last))
        found.lapsing = dict(sorted(lapsing.items()))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo(
        f"{found.on}: {found.members:,} members have {found.outstanding:,} points, which could pay "
        f"{found.value_minor:,} minor units; {found.owed_by_members:,} are owed by members; "
        f"{found.lapsed:,} lapsed unused"
    )
    for month, points in found.lapsing.items():
        typer.echo(f"  {month}: {points:,}")


def tell_reminders(
    data: DataFolder,
    file: Annotated[Path, typer.Argument(help="The CSV file to write; it holds phones.")],
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="To be told on which day; today."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write whom to remind that points lapse: so many days before as the programme names."""
    with open_services(data) as services, _private(file) as opened:
        day = on.date() if on else services.clock.now().date()
        rows = csv.writer(opened)
        rows.writerow(Reminder._fields)
        written = 0
        with services.database.reading() as snapshot:
            programme = newest_programme(snapshot)
            for one in reminders_on(snapshot, programme, day) if programme else ():
                rows.writerow(one)
                written += 1
    if as_json:
        typer.echo(msgspec.json.encode({"on": day, "reminders": written}).decode())
    else:
        typer.echo(f"{day}: {written:,} reminders in {file}")


def _private(file: Path) -> TextIO:
    """A file that only its owner reads."""
    file.touch(mode=0o600)
    return file.open("w", encoding="utf-8", newline="")
