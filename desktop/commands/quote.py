"""``evertill quote FILE``: a programme tried on baskets, step by step, without a till."""

import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from desktop.commands.quote_names import Called, called_in
from desktop.commands.quote_table import (
    lines_table,
    refused_text,
    sentences,
    telling_of,
    title_of,
)
from desktop.commands.refusing import EXIT_REFUSED, told_in
from shared.documents import is_toml
from shared.language import Language, words
from shared.workbench.playing import differences, play, refused_in, refused_unforeseen
from shared.workbench.result import State, Told, result_schema
from shared.workbench.scenario import read_scenario, schema

EXIT_NOT_AS_EXPECTED = 1


def quote(
    file: Annotated[Path | None, typer.Argument(help="A scenario in TOML or JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag of the command line
    show_schema: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--schema", help="Print the JSON Schema of a scenario.")
    ] = False,
    show_result_schema: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--result-schema", help="Print the JSON Schema of what --json prints.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Of the explanations.")] = Language.ENGLISH,
) -> None:
    """Price baskets under a programme and say why.

    Exit 1 where a scenario expects otherwise, 2 where a step is refused of which it does not say
    so, or the scenario cannot be played.
    """
    if show_result_schema:
        typer.echo(json.dumps(result_schema(), indent=1, ensure_ascii=False))
        return
    if show_schema or file is None:
        typer.echo(json.dumps(schema(), indent=1, ensure_ascii=False))
        return
    with told_in(language, as_json=as_json):
        scenario = read_scenario(file.read_bytes(), is_toml=is_toml(file))
        states = list(play(scenario))
    unlike = differences(scenario, states)
    if as_json:
        _print_json(states, unlike)
    else:
        called = called_in(scenario, language)
        for state in states:
            _print(state, called, language)
        for difference in unlike:
            typer.echo(difference, err=True)
    unforeseen = refused_unforeseen(scenario, states)
    for one in unforeseen:
        typer.echo(refused_text(one, words(language)), err=True)
    if unforeseen:
        raise typer.Exit(EXIT_REFUSED)
    if unlike:
        raise typer.Exit(EXIT_NOT_AS_EXPECTED)


def _print_json(states: list[State], unlike: list[str]) -> None:
    told = Told(states=tuple(states), differences=tuple(unlike), refused=tuple(refused_in(states)))
    typer.echo(json.dumps(msgspec.to_builtins(told), ensure_ascii=False))


def _print(state: State, called: Called, language: Language) -> None:
    telling = telling_of(state, called, language)
    console = Console()
    if state.lines or state.added:
        console.print(lines_table(state, telling))
    else:
        console.print(title_of(state, telling), markup=False)
    for sentence in sentences(state, telling):
        console.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
