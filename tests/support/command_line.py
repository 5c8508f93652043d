"""Runs commands in this process, as their entry points do, and leaves no trace of it."""

import sys
from typing import NamedTuple

import pytest
import structlog
from typer.testing import CliRunner

from desktop.commands import main
from desktop.shop.server_process import ServerProcess
from sync_server.commands.application import application


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


def server_commands_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of servers that a shop sets up run here; serving stays a process of its own.

    For tests that are not about the processes: each is some seconds of starting.
    """

    def command(
        server: ServerProcess, *words: str, given: bytes = b"", may_fail: bool = False
    ) -> bytes:
        name, *rest = words
        arguments = [name, "--data", str(server.folder), *rest]
        done = CliRunner().invoke(application, arguments, input=given)
        assert done.exit_code == 0 or may_fail, done.output
        return bytes(done.stdout_bytes)

    monkeypatch.setattr(ServerProcess, "_command", command)
