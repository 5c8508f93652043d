"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DataFolder = Annotated[
    Path,
    typer.Option("--data", envvar="EVERTILL_DATA", help="Folder with keys and database."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
