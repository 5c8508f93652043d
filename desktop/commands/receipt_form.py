"""``evertill receipt-form``: shows or changes what stands on a till's papers."""

from pathlib import Path
from typing import Annotated

import typer

from desktop.bootstrap import OpenStore, Till
from desktop.printers import check_logo
from desktop.store.database import TillFolder
from shared.errors import unusable_file
from shared.receipt.form import form_text, read_form


def receipt_form(
    data: Annotated[Path, typer.Option(help="Folder of the till's files.")],
    use: Annotated[
        Path | None, typer.Option("--set", help="A form file (TOML) to be used from now on.")
    ] = None,
) -> None:
    """Show the form of a till's papers as a file, or use another. The till must not be running."""
    wanted = None
    if use is not None:
        try:
            wanted = read_form(use.read_text(encoding="utf-8"))
        except OSError as error:
            raise unusable_file(error) from error
        check_logo(data, wanted.logo)
    with OpenStore(TillFolder(data), seals=True) as store:
        till = Till(store)
        try:
            if wanted is not None:
                till.receipt_form.change(wanted, operator_id=None, approvals=())
            typer.echo(form_text(till.receipt_form.form), nl=False)
        finally:
            till.close()
