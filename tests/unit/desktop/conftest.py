"""A desk to sell at, made once and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.store.database import TillFolder
from tests.support.desk import Desk, new_folder, open_desk

MakeDesk = Callable[..., Desk]


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A till's folder as enrolment and a first pull leave it."""
    path = tmp_path_factory.mktemp("enrolled") / "till"
    new_folder(path)
    return path


@pytest.fixture
def folder(enrolled: Path, tmp_path: Path) -> TillFolder:
    """A copy of it."""
    return TillFolder(Path(shutil.copytree(enrolled, tmp_path / "till")))


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[MakeDesk]:
    """Opens desks with a programme or surroundings of their own, and closes them at the end."""
    desks: list[Desk] = []

    def make(programme: Any = None, *, folder: TillFolder | None = None, **around: Any) -> Desk:
        place = folder or new_folder(tmp_path / f"till-{len(desks)}", programme)
        desks.append(open_desk(place, **around))
        return desks[-1]

    yield make
    for desk in desks:
        desk.till.close()


@pytest.fixture
def desk(make_desk: MakeDesk, folder: TillFolder) -> Desk:
    """A desk under the default programme."""
    return make_desk(folder=folder)
