"""``members``: enrolments that are one person; tiers set by hand."""

import json
from datetime import datetime
from typing import Annotated

import typer

from shared.ids import MemberId
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.members.doubles import doubles
from sync_server.members.merging import Verified
from sync_server.members.persons import Person, person_of

_members = typer.Typer(no_args_is_help=True, help="Members who are one person; tiers set by hand.")

MemberArgument = Annotated[str, typer.Argument(help="The member's id.")]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_members, name="members")


@_members.command("doubles")
def list_doubles(data: DataFolder, *, as_json: AsJson = False) -> None:
    """Enrolments with one phone or card that nobody has merged or erased."""
    with open_services(data) as services, services.database.reading() as snapshot:
        found = doubles(snapshot)
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in found], ensure_ascii=False))
        return
    # Lines, not a table: it would cut ids short that the next command needs whole.
    for one in found:
        typer.echo(f"{one.other} came after {one.holder}  ({one.name})")


@_members.command("show")
def show(data: DataFolder, member: MemberArgument, *, as_json: AsJson = False) -> None:
    """Whom a member is an alias of, and who are aliases of it; no names, no phones."""
    with open_services(data) as services, services.database.reading() as snapshot:
        person = person_of(snapshot, MemberId(member))
    if as_json:
        typer.echo(json.dumps(_told(person)))
        return
    for merge in person.merges:
        typer.echo(f"{merge.merge_id}: {merge.alias} is an alias of {merge.into}")


@_members.command("tier")
def set_tier(
    data: DataFolder,
    member: MemberArgument,
    tier: Annotated[str, typer.Argument(help="As the programme names it.")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Its last day.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Give a member a tier until a day, whatever they buy; more than that they can still reach."""
    with open_services(data) as services:
        services.tiers.set(MemberId(member), tier, until.date())
    if as_json:
        typer.echo(json.dumps({"member": member, "tier": tier, "until": f"{until:%Y-%m-%d}"}))


@_members.command("tier-end")
def end_tier(data: DataFolder, member: MemberArgument, *, as_json: AsJson = False) -> None:
    """End a tier that was set by hand before its day."""
    with open_services(data) as services:
        was_set = services.tiers.end(MemberId(member))
    if as_json:
        typer.echo(json.dumps({"member": member, "ended": was_set}))
    elif not was_set:
        typer.echo("No tier was set by hand.")


def _told(person: Person) -> dict[str, object]:
    return {"member": person.member, "merges": [one._asdict() for one in person.merges]}


@_members.command("merge")
def merge(
    data: DataFolder,
    alias: Annotated[str, typer.Argument(help="The enrolment that becomes an alias.")],
    into: Annotated[str, typer.Argument(help="The one that goes on.")],
    verified: Annotated[
        Verified, typer.Option(help="phone: the member had it in hand; office: head office knows.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Make two enrolments one, and print the merge's id; ``unmerge`` takes it."""
    with open_services(data) as services:
        merge_id = services.merging.merge(MemberId(alias), MemberId(into), verified=verified)
    typer.echo(json.dumps({"merge": merge_id}) if as_json else merge_id)


@_members.command("unmerge")
def unmerge(
    data: DataFolder,
    merge: Annotated[str, typer.Argument(help="The merge's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Undo a merge: both have what they would have without it."""
    with open_services(data) as services:
        services.merging.unmerge(merge)
    if as_json:
        typer.echo(json.dumps({"unmerged": merge}))
