"""``partners``: what members bought at partners, and what is owed for it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from shared.language import Language, words
from shared.loyalty.partners import Statement
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.commands.setting_up import InputFile, read_input
from sync_server.partners.desk import Booked

EXIT_SOME_REFUSED = 1

_partners = typer.Typer(no_args_is_help=True, help="Businesses that give and take our points.")

PartnerId = Annotated[str, typer.Argument(help="Its id in the programme in force.")]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_partners, name="partners")


@_partners.command("import")
def import_sales(
    data: DataFolder, partner: PartnerId, file: InputFile, *, as_json: AsJson = False
) -> None:
    """Book a partner's sales: a CSV file with reference, day, member, spend, points and returns.

    A sale that was booked before is left alone, so that a file can be sent again. Exit code 1: some
    rows were refused; send them again once they are right.
    """
    document = read_input(file)
    with open_services(data) as services:
        booked = services.partners.book(partner, document)
    _tell(booked, as_json=as_json)
    if booked.refused:
        raise typer.Exit(EXIT_SOME_REFUSED)


def _tell(booked: Booked, *, as_json: bool) -> None:
    say = words(Language.ENGLISH)
    if as_json:
        refused = [
            {"line": line, "reference": reference, "code": error.code, "message": say.error(error)}
            for line, reference, error in booked.refused
        ]
        told = {"booked": booked.booked, "repeated": booked.repeated, "refused": refused}
        typer.echo(msgspec.json.encode(told).decode())
        return
    typer.echo(f"{booked.booked} booked, {booked.repeated} booked before")
    for line, reference, error in booked.refused:
        text = f"line {line}, {reference}: {say.error(error)}"
        Console(stderr=True).print(text, style="red", markup=False)


@_partners.command("statement")
def tell_statement(
    data: DataFolder,
    partner: PartnerId,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")],
    *,
    as_json: AsJson = False,
) -> None:
    """What the partner owes for points, less what we owe for those it took, in minor units."""
    with open_services(data) as services:
        found = services.partners.statement(partner, first.date(), last.date())
    if as_json:
        typer.echo(msgspec.json.encode([_told(one) for one in found]).decode())
        return
    for one in found:
        typer.echo(
            f"{one.sales} sales less {one.returns} returns for {one.spend_minor}: "
            f"{one.points} points, {one.owed_minor} owed; "
            f"{one.points_spent} points taken, worth {one.value_spent_minor}; "
            f"to settle {one.settlement_minor}"
        )


def _told(one: Statement) -> dict[str, object]:
    return {**asdict(one), "settlement_minor": one.settlement_minor}
