"""``evertill backtest``: what past sales would have brought under another programme."""

import os
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from desktop.backtest.file_sales import Counter, read_file_sales
from desktop.backtest.goods_file import read_goods_notes
from desktop.backtest.journal_sales import is_journal, read_journal_sales
from desktop.backtest.page import report_page
from desktop.backtest.past import PastSales
from desktop.backtest.tables import write_tables, write_whole
from desktop.backtest.telling import Teller
from desktop.backtest.terminal import tables_of
from desktop.backtest.trial import Question, without_offers
from desktop.backtest.trial import backtest as run_backtest
from desktop.commands.programme import read_programme
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
from shared.backtest.comparing import Comparison
from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.bundle import TEMPLATES, template, with_currency
from shared.loyalty.programme import Programme
from shared.loyalty.validation import check
from shared.money import Currency

WORKERS_MAX = 61
"""Windows waits for no more processes at once."""


def backtest(
    programme: Annotated[
        str, typer.Option(help="A programme in TOML or JSON, or the name of a template.")
    ],
    sales: Annotated[
        Path, typer.Option(help="A shop's lines as CSV, gzipped or not, or a till's till.sqlite.")
    ],
    against: Annotated[
        str, typer.Option(help="What it is held against; itself without offers where left out.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Save report.html, CSV tables and summary.json here.")
    ] = None,
    goods: Annotated[
        Path | None,
        typer.Option(help="Category, brand, marks, cost of articles: TOML, JSON or CSV."),
    ] = None,
    currency: Annotated[
        str, typer.Option(help="The file's currency; the programme's where left out.")
    ] = "",
    redeem: Annotated[
        int, typer.Option(min=0, max=100, help="So many % of members pay with points if they can.")
    ] = 0,
    paying: Annotated[str, typer.Option(help="The tender of all sales, for offers that ask.")] = "",
    store: Annotated[str, typer.Option(help="The store of all sales, for offers that ask.")] = "",
    workers: Annotated[
        int, typer.Option(min=0, max=WORKERS_MAX, help="Processes; one per core where 0.")
    ] = 0,
    zone: ZoneName = "Europe/London",
    column: Columns = None,
    delimiter: Delimiter = "",
    encoding: Encoding = "utf-8",
    time_format: TimeFormat = "",
    decimal: DecimalSign = ".",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag of the command line
    language: Annotated[Language, typer.Option(help="Of tables and report.")] = Language.ENGLISH,
) -> None:
    """Play past sales under two programmes and compare money, points, tiers and members."""
    layout = layout_of(
        column=column,
        delimiter=delimiter,
        encoding=encoding,
        time_format=time_format,
        decimal=decimal,
    )
    counter = Counter(zone=zone_of(zone), store=store, paying=paying)
    question = _question(programme, against, currency, redeem)
    if out is not None:
        # A folder that cannot be made is better known before the work.
        out.mkdir(parents=True, exist_ok=True)
    money = Currency(currency or question.new.currency)
    notes = read_goods_notes(goods, money)
    if is_journal(sales):
        past = read_journal_sales(sales, currency=money.code, counter=counter, notes=notes)
    else:
        past = read_file_sales(sales, currency=money, layout=layout, counter=counter, notes=notes)
    count = workers or min(os.cpu_count() or 1, WORKERS_MAX)
    comparison = _play(question, past, workers=count, language=language)
    if out is not None:
        write_tables(out, comparison)
        write_whole(out / "report.html", report_page(comparison.result, language))
    _tell(comparison, out, as_json=as_json, language=language)


class _Named(NamedTuple):
    """A programme that was named, and whether it is one that comes with the product."""

    programme: Programme
    is_template: bool


def _question(new: str, old: str, currency: str, redeem: int) -> Question:
    """The two programmes in one currency; templates are read in that of the sales."""
    named = _named(new)
    against = _named(old) if old else None
    stated = (one.programme.currency for one in (named, against) if one and not one.is_template)
    wanted = currency or next(stated, named.programme.currency)
    programme = _in_currency(named, wanted)
    return Question(
        old=_in_currency(against, wanted) if against else without_offers(programme),
        new=programme,
        spenders_percent=redeem,
        against_same_without_offers=against is None,
    )


def _named(name: str) -> _Named:
    """A file or a template. DomainErrors of both, and ``backtest-no-programme`` for neither."""
    if Path(name).is_file():
        programme = read_programme(Path(name))
        check(programme)
        return _Named(programme, is_template=False)
    if name not in TEMPLATES:
        raise DomainError("backtest-no-programme", name=name, known=", ".join(TEMPLATES))
    return _Named(template(name), is_template=True)


def _in_currency(named: _Named, currency: str) -> Programme:
    programme = named.programme
    if not named.is_template or programme.currency == currency:
        return programme
    say = words(Language.ENGLISH)
    told = say("backtest.template-currency", programme=programme.id, currency=currency)
    typer.echo(told, err=True)
    return with_currency(programme, currency)


def _play(question: Question, past: PastSales, *, workers: int, language: Language) -> Comparison:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        lines = 2 * sum(event.weight for event in past.events)
        task = progress.add_task(words(language)("backtest.playing"), total=lines)
        return run_backtest(
            question, past, workers=workers, tell=lambda lines: progress.advance(task, lines)
        )


def _tell(comparison: Comparison, out: Path | None, *, as_json: bool, language: Language) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(comparison.result))
        return
    console = Console()
    for table in tables_of(Teller(comparison.result, language)):
        console.print(table)
    if out is not None:
        console.print(words(language)("backtest.saved", folder=out), soft_wrap=True)
