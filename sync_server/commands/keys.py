"""Commands about the server's own keys."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.journal.keys import KeyId, SigningKey
from sync_server.bootstrap import open_key_change
from sync_server.commands.options import AsJson, DataFolder
from sync_server.keys.vault import read_secret

RootKey = Annotated[
    Path | None, typer.Option("--root-key", help="root.key, where it is kept elsewhere.")
]
COPY_NOW = "Make a backup now: an older one has keys that tills will soon believe no more."

_keys = typer.Typer(no_args_is_help=True, help="The server's own keys.")


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
    application.add_typer(_keys, name="keys")


@_keys.command("list")
def list_keys(data: DataFolder, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Show all keys that this server had."""
    with open_key_change(data) as change:
        states = change.states()
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states]))
        return
    table = Table("Key", "Purpose", "Since", "In force", "Taken back")
    for state in states:
        in_force, revoked = (
            "yes" if one else "no" for one in (state.is_in_force, state.is_revoked)
        )
        table.add_row(state.key_id, state.purpose, state.created_at, in_force, revoked)
    Console().print(table)


@_keys.command("new-signing")
def new_signing(data: DataFolder, root_key: RootKey = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - as above
    """Sign with a new key from now on; what the old one signed stays good."""
    with open_key_change(data) as change:
        key_id = change.new_signing_key(root=_read_root(root_key))
    _tell(key_id, as_json=as_json)


@_keys.command("new-root")
def new_root(data: DataFolder, root_key: RootKey = None, as_json: AsJson = False) -> None:  # noqa: FBT002 - as above
    """Let a new root vouch for keys from now on; the old one says so.

    The new root lies in the data folder's keys: move it to where the old one was kept.
    """
    with open_key_change(data) as change:
        key_id = change.new_root(root=_read_root(root_key))
    _tell(key_id, as_json=as_json)


@_keys.command("revoke")
def revoke(
    data: DataFolder,
    key: Annotated[str, typer.Argument(help="A former signing key's id, as `keys list` shows it.")],
    root_key: RootKey = None,
    as_json: AsJson = False,  # noqa: FBT002 - as above
) -> None:
    """Let nothing be believed any more that a former signing key signs."""
    with open_key_change(data) as change:
        change.revoke(KeyId(key), root=_read_root(root_key))
    _tell(KeyId(key), as_json=as_json)


def _read_root(file: Path | None) -> SigningKey | None:
    return SigningKey(read_secret(file)) if file is not None else None


def _tell(key_id: KeyId, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"key_id": key_id}))
        return
    typer.echo(key_id)
    typer.echo(COPY_NOW, err=True)
