"""Commands that set up a server which is not running: stores, tills, operators, goods."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.errors import EnvironmentFault
from shared.ids import MemberId, StoreId, TillId
from sync_server.bootstrap import open_services
from sync_server.catalogue.goods import read_goods
from sync_server.commands.options import AsJson, DataFolder
from sync_server.operators.desk import Role
from sync_server.seeding import read_seed, sow

InputFile = Annotated[Path, typer.Argument(help="A JSON file; - reads standard input.")]
MembersFile = Annotated[
    Path, typer.Argument(help="Member ids, one a line; - reads standard input.")
]
SegmentName = Annotated[str, typer.Argument(help="As programmes name it.")]

_store = typer.Typer(no_args_is_help=True, help="Stores.")
_till = typer.Typer(no_args_is_help=True, help="Tills and their enrolment codes.")
_operator = typer.Typer(no_args_is_help=True, help="Who works at the tills.")
_programme = typer.Typer(no_args_is_help=True, help="Programmes.")
_coupon = typer.Typer(no_args_is_help=True, help="Coupons.")
_catalogue = typer.Typer(no_args_is_help=True, help="Goods.")
_segment = typer.Typer(no_args_is_help=True, help="Segments of members.")
_user = typer.Typer(no_args_is_help=True, help="Who may sign in at head office.")


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_store, name="store")
    application.add_typer(_till, name="till")
    application.add_typer(_operator, name="operator")
    application.add_typer(_programme, name="programme")
    application.add_typer(_coupon, name="coupon")
    application.add_typer(_catalogue, name="catalogue")
    application.add_typer(_segment, name="segment")
    application.add_typer(_user, name="user")
    application.command()(seed)


@_store.command("add")
def add_store(
    data: DataFolder,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    zone: Annotated[str, typer.Option(help="IANA time zone.")] = "Asia/Shanghai",
) -> None:
    """Add a store and print its id."""
    with open_services(data) as services:
        typer.echo(services.stores.add_store(name, zone).store_id)


@_store.command("list")
def list_stores(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show stores and tills."""
    with open_services(data) as services:
        stores = {store.store_id: store for store in services.stores.stores()}
        tills = services.stores.tills()
    rows = [
        {
            "store": stores[till.store_id].name,
            "store_id": till.store_id,
            "till": till.name,
            "till_id": till.till_id,
            "number": till.number,
            "enrolled": till.journal is not None,
        }
        for till in tills
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("Store", "Till", "No.", "Till id", "Enrolled")
    for row in rows:
        enrolled = "yes" if row["enrolled"] else "no"
        table.add_row(
            str(row["store"]), str(row["till"]), str(row["number"]), str(row["till_id"]), enrolled
        )
    Console().print(table)


@_till.command("add")
def add_till(
    data: DataFolder,
    store: Annotated[str, typer.Argument(help="The store's id.")],
    name: Annotated[str, typer.Argument(help="What people call it.")],
) -> None:
    """Add a till and print its id."""
    with open_services(data) as services:
        typer.echo(services.stores.add_till(StoreId(store), name).till_id)


@_till.command("code")
def issue_code(
    data: DataFolder, till: Annotated[str, typer.Argument(help="The till's id.")]
) -> None:
    """Print a one-time code to enrol a till with; it is good for 24 hours."""
    with open_services(data) as services:
        typer.echo(services.enrolment.issue_code(TillId(till)))


@_till.command("revoke")
def revoke_till(
    data: DataFolder, till: Annotated[str, typer.Argument(help="The till's id.")]
) -> None:
    """Trust a till's keys no more and print how many; what it still sends waits in quarantine."""
    with open_services(data) as services:
        typer.echo(services.commands.revoke(TillId(till)))


@_till.command("wipe")
def wipe_till(
    data: DataFolder,
    till: Annotated[str, typer.Argument(help="The till's id.")],
    *,
    stolen: Annotated[
        bool, typer.Option("--stolen", help="Revoke its keys at once; what it sends waits.")
    ] = False,
    even_unsent: Annotated[
        bool, typer.Option("--even-unsent", help="Also where something cannot be sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let a till send what it has, then destroy its keys and files."""
    with open_services(data) as services:
        _tell_id(
            services.commands.wipe(TillId(till), is_stolen=stolen, even_unsent=even_unsent),
            as_json=as_json,
        )


@_till.command("upgrade")
def upgrade_till(
    data: DataFolder,
    till: Annotated[str, typer.Argument(help="The till's id.")],
    release: Annotated[str, typer.Argument(help="The oldest release that will do: 1.4.0.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Let a till say that it needs a later release; it goes on selling."""
    with open_services(data) as services:
        _tell_id(services.commands.upgrade(TillId(till), release), as_json=as_json)


@_till.command("rekey")
def rekey_till(
    data: DataFolder,
    till: Annotated[str, typer.Argument(help="The till's id.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Let a till change the key that it signs with."""
    with open_services(data) as services:
        _tell_id(services.commands.rekey(TillId(till)), as_json=as_json)


@_till.command("cancel")
def cancel_command(
    data: DataFolder,
    command: Annotated[str, typer.Argument(help="The command's id.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Take a command back that no till has done yet."""
    with open_services(data) as services:
        services.commands.cancel(command)
    _tell_id(command, as_json=as_json)


@_till.command("commands")
def list_commands(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - as above
    """Show what tills were told to do, and how far they are."""
    with open_services(data) as services:
        commands = services.commands.all()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in commands]))
        return
    table = Table("Command", "Till", "What", "State", "Since", "Detail")
    for one in commands:
        table.add_row(one.command_id, one.till_id, one.kind, one.state, one.state_at, one.detail)
    Console().print(table)


def _tell_id(command_id: str, *, as_json: bool) -> None:
    typer.echo(json.dumps({"command_id": command_id}) if as_json else command_id)


@_operator.command("add")
def add_operator(
    data: DataFolder,
    name: Annotated[str, typer.Argument(help="Name on receipts and screens.")],
    role: Annotated[Role, typer.Option(help="What they may do.")] = Role.CASHIER,
    pin: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="4 to 12 digits; asked when left out.")
    ] = "",
) -> None:
    """Add an operator and print the id."""
    with open_services(data) as services:
        typer.echo(services.operators.add(name, pin=pin, role=role).operator_id)


@_programme.command("publish")
def publish(data: DataFolder, file: InputFile) -> None:
    """Put a programme in force and print its version."""
    document = read_input(file)
    with open_services(data) as services:
        ref = services.programme.publish(document)
    typer.echo(f"{ref.version} {ref.sha256}")


@_coupon.command("issue")
def issue_coupons(
    data: DataFolder,
    coupon: Annotated[str, typer.Argument(help="The coupon's id in the programme in force.")],
    count: Annotated[int, typer.Option(help="How many codes.")] = 1,
) -> None:
    """Print codes to hand out, one a line.

    Each works in any store, also offline, in as many sales as its coupon says.
    """
    with open_services(data) as services:
        codes = services.programme.issue_coupons(coupon, count)
    typer.echo("\n".join(codes))


@_catalogue.command("import")
def import_goods(data: DataFolder, file: InputFile) -> None:
    """Add or replace goods and print how many changed."""
    goods = read_goods(read_input(file))
    with open_services(data) as services:
        typer.echo(services.catalogue.put(goods))


@_segment.command("add")
def add_to_segment(data: DataFolder, segment: SegmentName, file: MembersFile) -> None:
    """Put the members of a file, one id a line, into a segment; print how many are new in it."""
    with open_services(data) as services:
        typer.echo(services.segments.put(segment, _member_ids(file)))


@_segment.command("remove")
def take_out_of_segment(data: DataFolder, segment: SegmentName, file: MembersFile) -> None:
    """Take the members of a file out of a segment; print how many were in it."""
    with open_services(data) as services:
        typer.echo(services.segments.take_out(segment, _member_ids(file)))


def _member_ids(file: Path) -> list[MemberId]:
    lines = read_input(file).decode(errors="replace").splitlines()
    return [MemberId(line.strip()) for line in lines if line.strip()]


@_user.command("add")
def add_user(
    data: DataFolder,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, help="At least 10 characters.")
    ] = "",
) -> None:
    """Let somebody sign in at head office."""
    with open_services(data) as services:
        services.users.add(login, password)


def seed(data: DataFolder, file: InputFile) -> None:
    """Set up everything that one document names; print ids and enrolment codes as JSON."""
    document = read_seed(read_input(file))
    with open_services(data) as services:
        typer.echo(json.dumps(sow(services, document), ensure_ascii=False))


def read_input(file: Path) -> bytes:
    """The bytes of a file or of standard input; EnvironmentFault ``file-unreadable``."""
    try:
        if str(file) == "-":
            return typer.get_binary_stream("stdin").read()
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentFault("file-unreadable", file=str(file), reason=reason) from error
