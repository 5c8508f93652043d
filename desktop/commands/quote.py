"""``evertill quote FILE``: a programme tried on baskets, step by step, without a till."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from desktop.commands.quote_table import lines_table, sentences, telling_of, title_of
from shared.language import Language, words
from shared.workbench.playing import StepRefused, differences, play
from shared.workbench.result import State
from shared.workbench.scenario import Scenario, read_scenario, schema

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
        names = _names(scenario, language)
        for state in states:
            _print(state, names, language)
        for difference in unlike:
            typer.echo(difference, err=True)
    if unlike:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _names(scenario: Scenario, language: Language) -> dict[str, str]:
    """What goods are called, by SKU."""
    return {
        one.sku: (one.name_zh if language is Language.CHINESE else one.name_en) or one.sku
        for one in scenario.goods
    }


def _print(state: State, names: Mapping[str, str], language: Language) -> None:
    telling = telling_of(state, names, language)
    console = Console()
    if state.lines or state.added:
        console.print(lines_table(state, telling))
    else:
        console.print(title_of(state, telling), markup=False)
    for sentence in sentences(state, telling):
        console.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
