"""``draws``: the prize draws of the programme, and who won."""

import json
from pathlib import Path
from typing import Annotated

import typer

from shared.errors import DomainError
from shared.loyalty.prize_draw import chance_ppm
from sync_server.bootstrap import open_services
from sync_server.commands.options import AsJson, DataFolder
from sync_server.draws.desk import DrawState

_draws = typer.Typer(no_args_is_help=True, help="Prize draws of the programme in force.")


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_draws, name="draws")


@_draws.command("list")
def list_draws(data: DataFolder, *, as_json: AsJson = False) -> None:
    """Every draw with its entries, the chance of one, and what was drawn."""
    with open_services(data) as services:
        states = services.draws.states()
    if as_json:
        typer.echo(json.dumps([_told(one) for one in states]))
        return
    for one in states:
        chance = chance_ppm(one.rule, len(one.entries)) / 10_000 if one.entries else 100
        what = "not run" if one.wins is None else f"{len(one.wins)} won, {one.late} too late"
        typer.echo(
            f"{one.rule.id}  closes {one.rule.closes.isoformat()}  "
            f"{len(one.entries)} entries, one wins with {chance:.2f}%  {what}"
        )


@_draws.command("run")
def run_draw(
    data: DataFolder,
    draw: Annotated[str, typer.Argument(help="Its id in the programme.")],
    *,
    seed_file: Annotated[
        Path, typer.Option("--seed-file", help="The seed whose hash was published; a line of text.")
    ],
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Though tills may still hold entries.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the winners, once, after the draw has closed in every store."""
    seed = seed_file.read_text(encoding="utf-8").strip("\r\n")
    with open_services(data) as services:
        missing = [] if anyway else services.draws.unheard(draw)
        if missing:
            raise DomainError("draw-tills-unheard", draw=draw, tills=", ".join(missing))
        state = services.draws.run(draw, seed)
    if as_json:
        typer.echo(json.dumps(_told(state)))
        return
    for win in state.wins or ():
        typer.echo(f"{win.prize}  {win.entry}  member {win.member_id}")


def _told(one: DrawState) -> dict[str, object]:
    return {
        "draw": one.rule.id,
        "opens": one.rule.opens.isoformat(),
        "closes": one.rule.closes.isoformat(),
        "seed_sha256": one.rule.seed_sha256,
        "entries": list(one.entries),
        "late": one.late,
        "wins": None
        if one.wins is None
        else [
            {"prize": win.prize, "entry": win.entry, "member_id": win.member_id} for win in one.wins
        ],
    }
