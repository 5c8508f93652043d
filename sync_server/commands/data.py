"""Commands about what is stored: ``verify`` and ``erase``."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from shared.ids import MemberId
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.journal.audit import Report, audit
from sync_server.ledger.audit_job import AuditJob, Outcome, Progress, progress_of

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
    """Price every sale and return again that was not yet; exit code 1 where any differs."""
    with (
        open_services(data) as services,
        Console(stderr=True).status("pricing again"),
    ):
        sales, returns = _run(services.audit), _run(services.returns_audit)
        benefits, cards = _run(services.benefits_audit), _run(services.cards_audit)
    if as_json:
        told = _as_json(*sales)
        told["returns"] = _as_json(*returns)
        told["benefits"] = _as_json(*benefits)
        told["cards"] = _as_json(*cards)
        typer.echo(json.dumps(told))
    else:
        every = {
            "Sales": sales,
            "Returns": returns,
            "Actions and draws": benefits,
            "Gift cards": cards,
        }
        for title, found in every.items():
            Console().print(_as_table(title, *found))
    if any(found[0].different for found in (sales, returns, benefits, cards)):
        raise typer.Exit(EXIT_FLAWED)


def _run(audit: AuditJob) -> tuple[Outcome, Progress]:
    outcome = audit.run()
    with audit.database.reading() as snapshot:
        return outcome, progress_of(snapshot, audit.judge.watched)


def _as_json(outcome: Outcome, progress: Progress) -> dict[str, Any]:
    return {
        "judged": outcome.judged,
        "different": outcome.different,
        "unjudged": {str(reason): count for reason, count in sorted(outcome.unjudged.items())},
        "judged_in_all": progress.judged,
        "unjudged_in_all": progress.unjudged,
        "waiting": progress.waiting,
    }


def _as_table(title: str, outcome: Outcome, progress: Progress) -> Table:
    table = Table(title, "Count")
    for name, figure in _as_json(outcome, progress).items():
        if name == "unjudged":
            for reason, count in figure.items():
                table.add_row(f"  not judged: {reason}", f"{count:,}")
        else:
            table.add_row(name.replace("_", " "), f"{figure:,}")
    return table


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
