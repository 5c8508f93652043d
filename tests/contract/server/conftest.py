"""Every test of this folder runs on SQLite and on a real PostgreSQL.

A server is initialised once for each; tests start from copies of it.
"""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import make_url

from shared.clock import ManualClock
from sync_server.bootstrap import URL_FILE, initialise
from tests.support.servers import Server, fresh_database, postgres_server, serve_here
from tests.support.till_writer import START


@pytest.fixture(scope="session")
def postgres(testrun_uid: str) -> Iterator[str]:
    """One cluster for the whole run; the workers share it."""
    with postgres_server(testrun_uid) as uri:
        yield uri


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a fresh SQLite file."""
    folder = tmp_path_factory.mktemp("template") / "sqlite"
    initialise(folder, clock=ManualClock(START))
    return folder


@pytest.fixture(scope="session")
def postgres_template(
    tmp_path_factory: pytest.TempPathFactory, postgres: str
) -> Iterator[tuple[Path, str]]:
    """A data folder and the name of its fresh PostgreSQL database."""
    folder = tmp_path_factory.mktemp("template") / "postgres"
    with fresh_database(postgres) as url:
        initialise(folder, url=url, clock=ManualClock(START))
        name = make_url(url).database
        assert name is not None
        yield folder, name


@pytest.fixture
def clock() -> ManualClock:
    """The server's clock; stands still."""
    return ManualClock(START)


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Server]:
    """A fresh server, on each database."""
    folder = tmp_path / "server"
    with ExitStack() as closing:
        if request.param == "sqlite":
            shutil.copytree(request.getfixturevalue("sqlite_template"), folder)
        else:
            original, name = request.getfixturevalue("postgres_template")
            shutil.copytree(original, folder)
            cluster = request.getfixturevalue("postgres")
            url = closing.enter_context(fresh_database(cluster, template=name))
            (folder / URL_FILE).write_text(url)
        yield closing.enter_context(serve_here(folder, clock=clock))
