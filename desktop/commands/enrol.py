"""``evertill enrol``: a new key for a till that has one already."""

from pathlib import Path
from typing import Annotated

import typer

from desktop.bootstrap import OpenStore
from desktop.store.database import TillFolder
from shared.errors import DomainError


def enrol(
    code: Annotated[str, typer.Argument(help="One-time code of head office for this till.")],
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    url: Annotated[str, typer.Option(help="The server; the one it knows without it.")] = "",
) -> None:
    """Enrol a till again: after a fork, a loss on its disk, or when its key was revoked.

    What it has not sent yet goes first, under the old key.
    """
    with OpenStore(TillFolder(data), seals=True) as store:
        known = store.identity()
        if known is None:
            raise DomainError("not-enrolled", folder=str(data))
        identity = store.enrol_again(url=url or known.server_url, code=code)
    typer.echo(f"{identity.store_name}, {identity.till_name}: enrolled again.")
