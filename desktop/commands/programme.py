"""``evertill programme check FILE``: what is wrong with a programme, and what is hardly meant."""

import json
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from desktop.commands.line_of_rule import line_of_rule
from desktop.commands.refusing import EXIT_REFUSED, told_in
from shared.catalogue.goods import Goods
from shared.documents import UNREADABLE, is_toml, read_document
from shared.error_figures import readable
from shared.errors import DomainError
from shared.language import Language, words
from shared.loyalty.advice import advice
from shared.loyalty.programme import Programme
from shared.loyalty.validation import problems
from shared.money import Currency, format_amount

EXIT_ADVICE = 1


class Action(StrEnum):
    """What to do."""

    CHECK = "check"
    """Tell everything that is wrong or hardly meant."""
    SCHEMA = "schema"
    """Print the JSON Schema of the document."""


def programme(
    action: Annotated[Action, typer.Argument(help="check, or schema for editors.")],
    file: Annotated[Path | None, typer.Argument(help="A programme in TOML or JSON.")] = None,
    goods: Annotated[
        Path | None, typer.Option(help="The goods, as for catalogue import, with costs if known.")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As on this day; today.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002 - a flag of the command line
    language: Annotated[Language, typer.Option(help="Of the messages.")] = Language.ENGLISH,
) -> None:
    """Check a programme: exit 2 where it cannot be used, 1 where something is worth a look."""
    if action is Action.SCHEMA:
        typer.echo(json.dumps(msgspec.json.schema(Programme), indent=1, ensure_ascii=False))
        return
    with told_in(language, as_json=as_json):
        if file is None:
            raise DomainError("programme-unreadable", detail="no file was named")
        read = read_programme(file)
        wrong = list(problems(read))
        day = on.date() if on else today()
        worth_a_look = [] if wrong else list(advice(read, day, read_goods(goods)))
    text = file.read_bytes().decode("utf-8-sig")
    _tell(wrong, worth_a_look, read, text, as_json=as_json, language=language)
    if wrong:
        raise typer.Exit(EXIT_REFUSED)
    if worth_a_look:
        raise typer.Exit(EXIT_ADVICE)


def today() -> date:
    """The day here."""
    return datetime.now(UTC).astimezone().date()


def read_programme(file: Path) -> Programme:
    """A programme in TOML or JSON. DomainError ``programme-unreadable`` names the place."""
    data = file.read_bytes()
    try:
        return msgspec.convert(read_document(data, is_toml=is_toml(file)), Programme)
    except UNREADABLE as error:
        raise DomainError("programme-unreadable", detail=str(error)) from error


def read_goods(file: Path | None) -> list[Goods]:
    """The catalogue; DomainError ``goods-file-unreadable`` names the place."""
    if file is None:
        return []
    try:
        return msgspec.convert(read_document(file.read_bytes(), is_toml=False), list[Goods])
    except UNREADABLE as error:
        raise DomainError("goods-file-unreadable", file=str(file), detail=str(error)) from error


def _tell(
    wrong: list[DomainError],
    worth_a_look: list[DomainError],
    read: Programme,
    document: str,
    *,
    as_json: bool,
    language: Language,
) -> None:
    say, money = words(language), _money(read)

    def told(error: DomainError) -> dict[str, Any]:
        text = say(f"error.{error.code}", **readable(error, money, str))
        line = line_of_rule(document, str(error.fields.get("rule", "currency")))
        return {"code": error.code, **error.fields, "line": line, "text": text}

    found = {"errors": [told(one) for one in wrong], "advice": [told(one) for one in worth_a_look]}
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    for kind, rows in found.items():
        for row in rows:
            place = say("commands.programme-line", line=row["line"]) if row["line"] else ""
            typer.echo(f"{kind.removesuffix('s')}: {place}{row['text']}")
    if not wrong and not worth_a_look:
        typer.echo(say("commands.programme-clean", id=read.id))


def _money(read: Programme) -> Any:
    try:
        currency = Currency(read.currency)
    except DomainError:
        return str
    return lambda minor: format_amount(minor, currency)
