"""``evertill replay FILE``: a real shop's lines through the same services as the screens."""

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from desktop.commands.sales_file import (
    Columns,
    DecimalSign,
    Delimiter,
    Encoding,
    TimeFormat,
    ZoneName,
    layout_of,
    zone_of,
)
from desktop.past_sales.lines import Refused, ShopLine, file_totals, read_lines
from desktop.reckoning.agreement import Agreement, reckon
from desktop.reckoning.file import read_server, read_till
from desktop.replay.report import ReplayReport, make_report, write_refused
from desktop.replay.run import Played, Replay, Shop
from shared.errors import EnvironmentFault
from shared.loyalty.bundle import load_programme, template, with_currency
from shared.loyalty.programme import Programme
from shared.money import Currency

EXIT_DISAGREES = 1


def replay(
    file: Annotated[Path, typer.Argument(help="CSV, gzipped or not.")],
    tills: Annotated[int, typer.Option(min=1, max=20, help="How many tills ring.")] = 2,
    offline: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the time the network is cut.")
    ] = 0.2,
    currency: Annotated[str, typer.Option(help="The file's currency.")] = "GBP",
    zone: ZoneName = "Europe/London",
    programme: Annotated[
        Path | None, typer.Option(help="A programme document; without it no offer applies.")
    ] = None,
    column: Columns = None,
    delimiter: Delimiter = "",
    encoding: Encoding = "utf-8",
    time_format: TimeFormat = "",
    decimal: DecimalSign = ".",
    refused: Annotated[
        Path | None, typer.Option(help="Where to list the lines that cannot be sold.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Keep the files of tills and server in this folder.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the network's ups and downs.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Ring a real shop's lines up on tills and a server, and compare all books to the penny."""
    money = Currency(currency)
    layout = layout_of(
        column=column,
        delimiter=delimiter,
        encoding=encoding,
        time_format=time_format,
        decimal=decimal,
    )
    accepted: list[ShopLine] = []
    left: list[Refused] = []
    for line in read_lines(file, currency=money, zone=zone_of(zone), layout=layout):
        if isinstance(line, Refused):
            left.append(line)
        else:
            accepted.append(line)
    # Known now, and a folder that cannot be written to is better known before the work.
    write_refused(refused or file.with_name(f"{file.name}.refused.csv"), left)
    if not accepted:
        raise EnvironmentFault("replay-nothing-to-sell", file=str(file), refused=len(left))
    with tempfile.TemporaryDirectory(prefix="evertill-replay-") as temporary:
        folder = data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shop = Shop(
            folder=folder,
            programme=_programme(programme, money),
            zone=zone,
            tills=tills,
            offline_share=offline,
            seed=seed,
        )
        played, agreement = _play(shop, accepted)
        totals = file_totals(file, layout)
        report = make_report(accepted, left, played, agreement, money, totals)
    _print(report, as_json=as_json)
    if report.differences:
        raise typer.Exit(EXIT_DISAGREES)


def _programme(file: Path | None, currency: Currency) -> Programme:
    if file is None:
        return with_currency(template("plain"), currency.code)
    stated = load_programme(file.read_bytes())
    if stated.currency != currency.code:
        typer.echo(
            f"The programme's amounts in {stated.currency} are read as {currency.code}.", err=True
        )
    return with_currency(stated, currency.code)


def _play(shop: Shop, accepted: list[ShopLine]) -> tuple[Played, Agreement]:
    replay_run = Replay(shop, accepted)
    with Progress(
        TextColumn("ringing up"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("lines", total=len(accepted))
        replay_run.play(lambda lines: progress.advance(task, lines))
    agreement = reckon(
        [read_till(path) for path in replay_run.till_files],
        read_server(replay_run.server.database),
    )
    told = replay_run.server.verify()
    if not told["is_clean"]:
        agreement.differences.append(f"the server's own check: {told['flaws'][0]}")
    return replay_run.played, agreement


def _print(report: ReplayReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False))
        return
    table = Table("", "")
    for name, figure in report.rows():
        table.add_row(name, figure)
    Console().print(table)
