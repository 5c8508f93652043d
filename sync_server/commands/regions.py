"""``region``: which members the tills of a store hold."""

import json
from typing import Annotated

import typer

from shared.ids import MemberId, StoreId
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder

_region = typer.Typer(no_args_is_help=True, help="Which members the tills of a store hold.")

RegionName = Annotated[str, typer.Argument(help='A name of yours; "" for none: all members.')]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_region, name="region")


@_region.command("list")
def list_regions(data: DataFolder, *, as_json: AsJson = False) -> None:
    """Regions, with how many stores and members they have."""
    with open_services(data) as services:
        states = services.regions.states()
    if as_json:
        rows = [
            {"region": one.region, "stores": one.stores, "members": one.members} for one in states
        ]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in states:
        typer.echo(f"{one.region or '(all)'}: {one.stores:,} stores, {one.members:,} members")


@_region.command("set")
def set_region(
    data: DataFolder,
    store: Annotated[str, typer.Argument(help="The store's id.")],
    region: RegionName,
) -> None:
    """Let a store's tills hold the members of a region; print how many came into it.

    Those come who were enrolled in the store or bought there. Its tills fetch members anew.
    """
    with open_services(data) as services:
        typer.echo(services.regions.set_store(StoreId(store), region))


@_region.command("move")
def move_member(
    data: DataFolder,
    member: Annotated[str, typer.Argument(help="The member's id.")],
    region: RegionName,
) -> None:
    """Let a member be in one region and no other; with "" in none: tills ask for them online."""
    with open_services(data) as services:
        services.regions.move(MemberId(member), region)


@_region.command("prune")
def prune(
    data: DataFolder,
    days: Annotated[int, typer.Option(min=1, help="Since somebody saw them there.")] = 400,
) -> None:
    """Let members leave regions where nobody has seen them for long; print how many did.

    Where they were seen last they stay.
    """
    with open_services(data) as services:
        typer.echo(services.regions.prune(days))
