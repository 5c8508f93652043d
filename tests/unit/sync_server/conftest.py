"""A server on SQLite, initialised once and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.clock import ManualClock
from sync_server.bootstrap import initialise
from tests.support.servers import Server, serve_here
from tests.support.till_writer import START


@pytest.fixture(scope="session")
def template_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as ``init`` leaves it."""
    folder = tmp_path_factory.mktemp("template") / "server"
    initialise(folder, clock=ManualClock(START))
    return folder


@pytest.fixture
def folder(template_folder: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(template_folder, tmp_path / "server"))


@pytest.fixture
def clock() -> ManualClock:
    """The server's clock; stands still."""
    return ManualClock(START)


@pytest.fixture
def server(folder: Path, clock: ManualClock) -> Iterator[Server]:
    """A running server."""
    with serve_here(folder, clock=clock) as running:
        yield running
