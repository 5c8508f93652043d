"""``evertill salvage``: what a damaged till's files still hold, and sending it."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from desktop.store import salvage as files
from desktop.store.database import TillFolder, TillLock
from desktop.store.identity import load_keys
from desktop.store.salvage import Salvaged
from desktop.sync.http import ServerConnection
from desktop.sync.salvaging import Sent, send_salvaged
from shared.errors import DomainError
from shared.language import Language, words

EXIT_LOST: Final = 1
COLUMNS: Final = ("epoch", "written", "kept", "lost")


def salvage(
    data: Annotated[Path, typer.Option(help="Folder of the till's files; they are only read.")],
    *,
    send: Annotated[bool, typer.Option(help="Send what is there to the server.")] = False,
    url: Annotated[str, typer.Option(help="The server; the one the file names without it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    language: Annotated[Language, typer.Option(help="Language of the answer.")] = Language.ENGLISH,
) -> None:
    """Find every entry whose bytes are intact; exit code 1 where some are lost."""
    folder = TillFolder(data)
    if not folder.database.exists():
        raise DomainError("not-enrolled", folder=str(data))
    with TillLock(folder), Console(stderr=True).status("reading"):
        found = files.salvage(folder)
        sent = _sent(found, url) if send else []
    if as_json:
        typer.echo(json.dumps(_as_json(found, sent)))
    else:
        _print(found, sent, language)
    if found.lost:
        raise typer.Exit(EXIT_LOST)


def _sent(found: Salvaged, url: str) -> list[Sent]:
    address = url or (found.identity.server_url if found.identity else "")
    if not address:
        raise DomainError("server-unknown")
    server = ServerConnection(address)
    try:
        return send_salvaged(server, found, load_keys(found.folder))
    finally:
        server.close()


def _as_json(found: Salvaged, sent: list[Sent]) -> dict[str, Any]:
    return {
        "kept": found.kept,
        "lost": found.lost,
        "pages": {"checked": found.checked.pages, "damaged": found.checked.damaged},
        "epochs": [
            {
                "journal": epoch.journal,
                "epoch": epoch.epoch,
                "first_seq": epoch.first_seq,
                "next_seq": epoch.next_seq,
                "kept": len(epoch.entries),
                "lost": epoch.lost,
            }
            for epoch in found.epochs
        ],
        "sent": {one.epoch: one.next_seq for one in sent},
    }


def _print(found: Salvaged, sent: list[Sent], language: Language) -> None:
    say = words(language)
    table = Table(*(say(f"salvage.{name}") for name in COLUMNS))
    for epoch in found.epochs:
        gone = ", ".join(
            str(first) if first == last else f"{first}–{last}" for first, last in epoch.lost
        )
        written = epoch.next_seq - epoch.first_seq
        table.add_row(str(epoch.epoch), f"{written:,}", f"{len(epoch.entries):,}", gone or "0")
    console = Console()
    console.print(table)
    if found.checked.pages:
        checked = found.checked
        console.print(say("salvage.pages", checked=checked.pages, damaged=checked.damaged))
    if found.lost:
        console.print(say("salvage.some-lost", count=found.lost), style="red")
    else:
        console.print(say("salvage.all-kept"), style="green")
    for one in sent:
        console.print(say("salvage.sent", epoch=one.epoch, next_seq=one.next_seq))
