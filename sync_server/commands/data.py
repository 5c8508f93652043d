"""Commands about what is stored."""

import typer


def add_to(application: typer.Typer) -> None:
    """Add this module's commands."""
