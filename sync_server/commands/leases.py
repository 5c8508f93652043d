"""``leases`` and ``reclaim``: what tills may spend without asking, and taking it back by hand."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.ids import LeaseId
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.leases.exposure import Exposure, exposures, outstanding


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.command("leases")(list_leases)
    application.command()(reclaim)


def list_leases(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show the exposure per store and in all, and every lease that is not closed."""
    with open_services(data) as services, services.database.reading() as snapshot:
        found = outstanding(snapshot)
    sums = exposures(found)
    if as_json:
        told = {
            "exposure": [{**asdict(one), "total": one.total} for one in sums],
            "leases": [asdict(one) for one in found],
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    Console().print(_sums(sums))
    table = Table("Lease", "Till", "Account", "Class", "Left", "Until")
    for lease in found:
        left = f"{lease.left:,} {lease.unit}"
        state = lease.lease_class if lease.state == "open" else lease.state
        table.add_row(
            lease.lease_id,
            f"{lease.store} · {lease.till}",
            lease.account,
            state,
            left,
            lease.expires_at,
        )
    Console().print(table)


def _sums(sums: list[Exposure]) -> Table:
    table = Table("Store", "Unit", "Leases", "Set aside", "Budgets", "Reclaimed", "Exposure")
    for one in sums:
        figures = (one.leases, one.secured, one.budgets, one.reclaimed, one.total)
        table.add_row(one.store or "All stores", one.unit, *(f"{figure:,}" for figure in figures))
    return table


def reclaim(
    data: DataFolder, lease: Annotated[str, typer.Argument(help="The lease's id.")]
) -> None:
    """Take a lease back whose till will not come back, and print what is exposure now."""
    with open_services(data) as services:
        typer.echo(services.leases.reclaim(LeaseId(lease), by="command"))
