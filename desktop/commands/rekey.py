"""``evertill rekey``: a till that changes its key by itself."""

import json
from pathlib import Path
from typing import Annotated

import typer

from desktop.bootstrap import OpenStore, Till
from desktop.store.database import TillFolder


def rekey(
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
) -> None:
    """Change the key that this till signs with; the old one vouches for the new one.

    Without a network the change waits for the till's next sync. What was signed by the old key
    stays good.
    """
    with OpenStore(TillFolder(data), seals=True) as store:
        till = Till(store)
        try:
            told = till.change_key()
        finally:
            till.close()
    if as_json:
        typer.echo(json.dumps(told))
    elif told["is_done"]:
        typer.echo(f"New key {told['key_id']}, epoch {told['epoch']}.")
    else:
        typer.echo(f"Not yet ({told['reason']}): it changes with the next sync.")
