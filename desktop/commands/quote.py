"""``evertill quote FILE``: a programme tried on baskets, step by step, without a till."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from shared.language import Language, words
from shared.money import Currency, format_amount
from shared.workbench.playing import StepRefused, differences, play
from shared.workbench.result import State
from shared.workbench.scenario import read_scenario, schema

EXIT_REFUSED = 2
EXIT_NOT_AS_EXPECTED = 1


def quote(
    file: Annotated[Path | None, typer.Argument(help="A scenario in TOML or JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag of the command line
    show_schema: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--schema", help="Print the JSON Schema of a scenario.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Of the explanations.")] = Language.ENGLISH,
) -> None:
    """Price baskets under a programme and say why; exit 1 where a scenario expects otherwise."""
    if show_schema or file is None:
        typer.echo(json.dumps(schema(), indent=1, ensure_ascii=False))
        return
    scenario = read_scenario(file.read_bytes(), is_toml=file.suffix == ".toml")
    states: list[State] = []
    try:
        states += play(scenario)
    except StepRefused as refused:
        say = words(Language.ENGLISH)
        typer.echo(f"{say.error(refused)} {say.error(refused.cause)}", err=True)
        raise typer.Exit(EXIT_REFUSED) from refused
    told = [msgspec.to_builtins(state) for state in states]
    unlike = differences(scenario, states)
    if as_json:
        typer.echo(json.dumps({"states": told, "differences": unlike}, ensure_ascii=False))
    else:
        for state in states:
            _print(state, language)
        for difference in unlike:
            typer.echo(difference, err=True)
    if unlike:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _print(state: State, language: Language) -> None:
    currency = Currency(state.currency)

    def money(minor: int) -> str:
        return format_amount(minor, currency)

    table = Table(
        "line", "goods", "quantity", "gross", "off", "to pay", "tax", "points",
        title=state.title or f"after step {state.step}",
    )  # fmt: skip
    for line in state.lines:
        off = line.hand_minor + sum(one["amount_minor"] for one in line.discounts)
        table.add_row(
            line.line, line.goods, str(line.quantity), money(line.gross_minor), money(off),
            money(line.pay_minor), money(line.tax_minor), str(line.points),
        )  # fmt: skip
    console = Console()
    console.print(table if state.lines else table.title)
    proved = "" if state.is_best_price else " (not proved to be the lowest)"
    console.print(
        f"total {money(state.total_minor)}{proved}, net {money(state.net_minor)}, "
        f"saved {money(state.saved_minor)}, due {money(state.due_minor)}"
    )
    for offer in state.offers:
        text = offer.zh if language is Language.CHINESE else offer.en
        console.print(f"  {text}", markup=False, highlight=False)
    for added in state.added:
        console.print(f"  + {added.units} × {added.goods or ' / '.join(added.choices)}")
    for member in state.members:
        console.print(
            f"  {member.member}: {member.tier}, {member.points} points "
            f"({member.spendable} to spend), this sale {state.points_earned:+}"
        )
