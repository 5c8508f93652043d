"""``exceptions`` and ``quarantine``: what the books found, and what waits for a decision."""

import json
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from shared.errors import DomainError
from shared.ids import JournalId
from shared.language import Language, words
from shared.trade.server import ExceptionEffect, ExceptionRaised
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.sync.quarantine import Decision, Waiting
from sync_server.web.reading import OfficeReader, RaisedException

_exceptions = typer.Typer(no_args_is_help=True, help="What the books show that should not be.")
_quarantine = typer.Typer(no_args_is_help=True, help="Entries that are kept and not booked.")

Place = Annotated[str, typer.Argument(help="JOURNAL/EPOCH/SEQ, as listed.")]


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_exceptions, name="exceptions")
    application.add_typer(_quarantine, name="quarantine")


@_exceptions.command("list")
def list_exceptions(data: DataFolder, *, as_json: AsJson = False) -> None:
    """All exceptions, the newest first."""
    with open_services(data) as services:
        found = _all(OfficeReader(services.database))
    if as_json:
        typer.echo(json.dumps([_told(one) for one in found]))
        return
    english = words(Language.ENGLISH)
    for one in found:
        what = english(f"web.rule.{one.rule}")
        typer.echo(f"{one.entry_id}  {one.raised_at[:16]}  {what}  ({len(one.facts)})")


@_exceptions.command("show")
def show_exception(
    data: DataFolder,
    exception: Annotated[str, typer.Argument(help="Its id, as listed.")],
    *,
    as_json: AsJson = False,
) -> None:
    """One exception with the facts it links."""
    with open_services(data) as services:
        known = {one.entry_id: one for one in _all(OfficeReader(services.database))}
    if exception not in known:
        raise DomainError("unknown-exception", exception=exception)
    one = known[exception]
    if as_json:
        typer.echo(json.dumps(_told(one)))
        return
    english, console = words(Language.ENGLISH), Console()
    console.print(english(f"web.rule.{one.rule}"), style="bold", markup=False)
    console.print(english(f"web.rule.{one.rule}.about"), markup=False)
    for effect in _effects(one):
        console.print(
            f"  {effect.account} {effect.owner} {effect.amount} {effect.unit}", markup=False
        )
    console.print(english("web.what-can-be-done"), english(f"web.rule.{one.rule}.do"), markup=False)
    if one.fork is not None:
        console.print(english(f"web.fork.{one.fork}"), markup=False)
    for fact in one.facts:
        place = f"{fact.envelope.journal}/{fact.envelope.epoch}/{fact.envelope.seq}"
        console.print(f"  {fact.envelope.kind} {fact.envelope.id} {place}", markup=False)


@_quarantine.command("list")
def list_quarantine(data: DataFolder, *, as_json: AsJson = False) -> None:
    """What waits, in the order of journals."""
    with open_services(data) as services:
        found = services.quarantine.waiting()
    if as_json:
        typer.echo(json.dumps([_row(one) for one in found]))
        return
    for one in found:
        can = "can be booked" if one.can_be_booked else "cannot be read"
        typer.echo(f"{_place(one)}  {one.received_at[:16]}  {one.kind}  {one.reason}, {can}")


@_quarantine.command("show")
def show_quarantined(data: DataFolder, place: Place, *, as_json: AsJson = False) -> None:
    """One entry that waits, with its bytes."""
    journal, epoch, seq = _parsed(place)
    with open_services(data) as services:
        encoded = services.quarantine.bytes_of(journal, epoch, seq)
        one = next(one for one in services.quarantine.waiting() if _place(one) == place)
    text = encoded.decode("utf-8", "replace")
    if as_json:
        typer.echo(json.dumps({**_row(one), "bytes": text}))
    else:
        console = Console()
        console.print(f"{place} {one.kind} {one.reason} {one.detail}", markup=False)
        console.print(text, markup=False, soft_wrap=True)


@_quarantine.command("decide")
def decide(
    data: DataFolder,
    place: Place,
    *,
    book: Annotated[bool, typer.Option("--book/--reject", help="Let it count, or give it up.")],
) -> None:
    """Book an entry that waits, or give it up; its bytes stay either way."""
    journal, epoch, seq = _parsed(place)
    with open_services(data) as services:
        decision = Decision.BOOKED if book else Decision.REJECTED
        services.quarantine.decide(journal, epoch, seq, decision)


def _all(reader: OfficeReader) -> list[RaisedException]:
    first = reader.exceptions(1)
    further = (reader.exceptions(number) for number in range(2, first.last + 1))
    return [*first.items, *(one for page in further for one in page.items)]


def _told(one: RaisedException) -> dict[str, object]:
    return {
        "id": one.entry_id,
        "rule": one.rule,
        "raised_at": one.raised_at,
        "member_id": one.member_id,
        "fork": one.fork,
        "words": {language.value: _words(one, language) for language in Language},
        "effects": msgspec.to_builtins(_effects(one)),
        "told": msgspec.to_builtins(one.fact),
        "facts": [
            {
                "id": fact.envelope.id,
                "kind": fact.envelope.kind,
                "journal": fact.envelope.journal,
                "epoch": fact.envelope.epoch,
                "seq": fact.envelope.seq,
            }
            for fact in one.facts
        ],
    }


def _effects(one: RaisedException) -> tuple[ExceptionEffect, ...]:
    return one.fact.effects if isinstance(one.fact, ExceptionRaised) else ()


def _words(one: RaisedException, language: Language) -> dict[str, str]:
    """What happened, which the rule is, and what can be done, as head office's page says it."""
    say = words(language)
    return {
        "rule": say(f"web.rule.{one.rule}"),
        "about": say(f"web.rule.{one.rule}.about"),
        "do": say(f"web.rule.{one.rule}.do"),
    }


def _row(one: Waiting) -> dict[str, object]:
    return {"place": _place(one), **asdict(one)}


def _place(one: Waiting) -> str:
    return f"{one.journal}/{one.epoch}/{one.seq}"


def _parsed(place: str) -> tuple[JournalId, int, int]:
    journal, _, rest = place.partition("/")
    epoch, _, seq = rest.partition("/")
    if not (epoch.isdecimal() and seq.isdecimal()):
        raise DomainError("bad-place", place=place)
    return JournalId(journal), int(epoch), int(seq)
