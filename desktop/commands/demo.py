"""``evertill demo``: a small chain of stores, to try by hand or played for a day."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

EXIT_DISAGREES = 1
FOLDER = Path("build") / "demo"


def is_headless() -> bool:
    """Whether nobody could see a window."""
    if os.environ.get("EVERTILL_HEADLESS") == "1":
        return True
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform.startswith("linux") and not any(map(os.environ.get, displays))


def demo(
    out: Annotated[
        Path, typer.Option(help="Where receipts, screens and summary.json go; emptied first.")
    ] = FOLDER,
) -> None:
    """Open a till beside simulators; without a display, play a cashier's day and check it."""
    if is_headless():
        # Before Qt is loaded: it chooses its platform once.
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from desktop.demo.played import play  # noqa: PLC0415 - as said above

        if not play(out):
            raise typer.Exit(EXIT_DISAGREES)
        return
    from desktop.demo.attended import attend  # noqa: PLC0415 - as above

    raise typer.Exit(attend(out))
