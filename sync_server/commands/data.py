"""Commands about what is stored: ``verify`` and ``erase``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.ids import MemberId
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.journal.audit import Report, audit
from sync_server.ledger.price_audit import progress_of

EXIT_FLAWED = 1


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command()(verify)
    application.command()(erase)
    application.command("audit")(audit_prices)


def verify(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Check chains, signatures, postings and balances; exit code 1 names the first bad row."""
    console = Console(stderr=True)
    with (
        open_services(data) as services,
        console.status("verifying"),
        services.database.reading() as snapshot,
    ):
        report = audit(snapshot)
    if as_json:
        typer.echo(json.dumps({**asdict(report), "is_clean": report.is_clean}))
    else:
        _print(report)
    if not report.is_clean:
        raise typer.Exit(EXIT_FLAWED)


def audit_prices(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - as above
    """Price every sale again that was not yet; exit code 1 where any comes to something else."""
    with (
        open_services(data) as services,
        Console(stderr=True).status("pricing again"),
    ):
        outcome = services.audit.run()
        with services.database.reading() as snapshot:
            progress = progress_of(snapshot)
    unjudged = {str(reason): count for reason, count in sorted(outcome.unjudged.items())}
    told = {
        "judged": outcome.judged,
        "different": outcome.different,
        "unjudged": unjudged,
        "judged_in_all": progress.judged,
        "unjudged_in_all": progress.unjudged,
        "waiting": progress.waiting,
    }
    if as_json:
        typer.echo(json.dumps(told))
    else:
        table = Table("Sales", "Count")
        for name in ("judged", "different", "judged_in_all", "unjudged_in_all", "waiting"):
            table.add_row(name.replace("_", " "), f"{told[name]:,}")
        for reason, count in unjudged.items():
            table.add_row(f"  not judged: {reason}", f"{count:,}")
        Console().print(table)
    if outcome.different:
        raise typer.Exit(EXIT_FLAWED)


def erase(
    data: DataFolder,
    member: Annotated[str, typer.Argument(help="The member's id.")],
    reason: Annotated[str, typer.Option(help="Why; a word without personal data.")] = "request",
) -> None:
    """Forget a member's personal data everywhere."""
    with open_services(data) as services:
        services.erasure.erase(MemberId(member), reason=reason)


def _print(report: Report) -> None:
    console = Console()
    table = Table("Read", "Count")
    for name in ("chains", "entries", "signatures", "postings", "balances", "quarantined"):
        table.add_row(name, f"{getattr(report, name):,}")
    console.print(table)
    for hole in report.holes:
        console.print(f"Hole: {hole} is neither here nor at its till", style="yellow", markup=False)
    if report.is_clean:
        console.print("Everything agrees.", style="green")
        return
    first = report.flaws[0]
    console.print(f"First flaw: {first.code} at {first.where}", style="red", markup=False)
    for flaw in report.flaws[1:]:
        console.print(f"  {flaw.code} at {flaw.where}", markup=False)
