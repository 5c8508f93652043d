"""Runs `evertill` in this process, as its entry point does, and leaves no trace of it."""

import sys
from typing import NamedTuple

import pytest
import structlog

from desktop.commands import main


class Done(NamedTuple):
    """How a command ended and what it said."""

    code: object
    out: str
    err: str


def run_evertill(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> Done:
    """Run a command to its end."""
    monkeypatch.setattr(sys, "argv", ["evertill", *arguments])
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        # The command logs to this test's stderr, which is closed for the next one.
        structlog.reset_defaults()
    told = capsys.readouterr()
    return Done(ended.value.code, told.out, told.err)
