"""``batch``: call a batch of goods back, and find out who has it."""

from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from shared.ids import GoodsId
from sync_server.bootstrap import open_services
from sync_server.catalogue.recalls import SoldOfBatch, sold_of_batch
from sync_server.commands.options import AsJson, DataFolder

_batch = typer.Typer(no_args_is_help=True, help="Batches of goods.")

Sku = Annotated[str, typer.Argument(help="The goods.")]
Batch = Annotated[str, typer.Argument(help="The batch, as the label has it.")]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_batch, name="batch")


@_batch.command("recall")
def recall(data: DataFolder, sku: Sku, batch: Batch) -> None:
    """No till sells it any more from its next sync on."""
    with open_services(data) as services:
        services.catalogue.recall(GoodsId(sku), batch)


@_batch.command("allow")
def allow(data: DataFolder, sku: Sku, batch: Batch) -> None:
    """Take a recall back."""
    with open_services(data) as services:
        services.catalogue.recall(GoodsId(sku), batch, is_recalled=False)


@_batch.command("sold")
def sold(data: DataFolder, sku: Sku, batch: Batch, *, as_json: AsJson = False) -> None:
    """The sales whose labels named it: when, where, to which member, how much of it came back."""
    with (
        open_services(data) as services,
        services.database.reading() as snapshot,
        Console(stderr=True).status("reading sales"),
    ):
        found = list(sold_of_batch(snapshot, GoodsId(sku), batch))
    if as_json:
        typer.echo(msgspec.json.encode([asdict(one) for one in found]).decode())
        return
    Console().print(_table(found))


def _table(found: list[SoldOfBatch]) -> Table:
    table = Table("receipt", "sold at", "store", "till", "member", "quantity", "returned")
    for one in found:
        table.add_row(
            one.receipt_no,
            one.sold_at,
            one.store_id,
            one.till_id,
            one.member_id or "",
            f"{one.quantity} {one.measure.value}",
            str(one.returned),
        )
    return table
