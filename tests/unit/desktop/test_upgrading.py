"""A till's file of an older release becomes one of this release, or stays as it was."""

import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlcipher3.dbapi2
from sqlalchemy import Engine, text

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store import upgrading
from desktop.store.database import TillFolder
from desktop.store.upgrade import HEAD_REVISION, upgrade
from desktop.store.upgrading import COPY_SUFFIX, KEPT_FOR, KEPT_SUFFIX
from shared.clock import ManualClock, SystemClock
from shared.errors import EnvironmentFault
from shared.language import Language, words

OLD = Path(__file__).parents[2] / "vectors/files/release-1/till"


class PowerCutError(BaseException):
    """The process ends here."""


@pytest.fixture
def old(tmp_path: Path) -> TillFolder:
    """A till as the first release left it."""
    return TillFolder(Path(shutil.copytree(OLD, tmp_path / "till")))


def read(file: Path, query: str) -> list[Any]:
    with closing(sqlcipher3.dbapi2.connect(str(file))) as connection:
        return list(connection.execute(query))


def entries(file: Path) -> list[Any]:
    return read(file, "SELECT epoch, seq, bytes, hash FROM entries ORDER BY epoch, seq")


def revision(file: Path) -> str:
    ((found,),) = read(file, "SELECT version_num FROM alembic_version")
    return str(found)


def kept(folder: TillFolder) -> list[Path]:
    return sorted(folder.path.glob(f"{folder.database.name}{KEPT_SUFFIX}*"))


def copies(folder: TillFolder) -> list[Path]:
    return sorted(folder.path.glob(f"{folder.database.name}{COPY_SUFFIX}*"))


@pytest.mark.parametrize("seals", [False, True])
def test_the_old_file_is_kept_and_the_new_one_has_all_that_happened(
    old: TillFolder, seals: bool
) -> None:
    before, was = entries(old.database), revision(old.database)
    assert was != HEAD_REVISION
    with OpenStore(old, seals=seals) as store, store.reading.connect() as connection:
        now = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        query = "SELECT epoch, seq, bytes, hash FROM entries ORDER BY epoch, seq"
        assert [tuple(row) for row in connection.execute(text(query))] == before
    assert now == HEAD_REVISION
    assert copies(old) == []
    (file,) = kept(old)
    assert (file.stat().st_mode & 0o077) == 0 or not seals
    if seals:
        assert not file.read_bytes().startswith(b"SQLite format 3"), "no file is left in clear"
    else:
        assert (revision(file), entries(file)) == (was, before)


STEPS = ("_copy", "upgrade", "_compare", "_empty_log", "flush_file", "_keep", "flush_folder")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_at_any_step_leaves_one_whole_file(
    old: TillFolder, step: str, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    before, was = entries(old.database), revision(old.database)
    real: Callable[..., Any] = getattr(upgrading, step)

    def cut(*arguments: Any, **named: Any) -> None:
        if after:
            real(*arguments, **named)
        raise PowerCutError

    with monkeypatch.context() as power:
        power.setattr(upgrading, step, cut)
        with pytest.raises(PowerCutError):
            OpenStore(old)
    assert (revision(old.database), entries(old.database)) == (was, before)
    OpenStore(old).close()
    assert (revision(old.database), entries(old.database)) == (HEAD_REVISION, before)
    assert copies(old) == []


def test_a_migration_that_loses_something_is_not_taken(
    old: TillFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old.database.read_bytes()

    def losing(engine: Engine) -> None:
        upgrade(engine)
        with engine.begin() as connection:
            connection.execute(text("DROP TRIGGER entries_no_update"))
            connection.execute(text("UPDATE entries SET hash = zeroblob(32) WHERE seq = 1"))

    with monkeypatch.context() as broken:
        broken.setattr(upgrading, "upgrade", losing)
        with pytest.raises(EnvironmentFault) as fault:
            OpenStore(old)
    assert fault.value.code == "upgrade-differs"
    assert all("{" not in words(one).error(fault.value) for one in Language)
    assert old.database.read_bytes() == before
    assert (kept(old), copies(old)) == ([], [])


def test_a_disk_without_room_for_a_copy_is_said_and_nothing_is_touched(
    old: TillFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old.database.read_bytes()

    def full(_from: Path, to: Path) -> None:
        Path(to).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(upgrading.shutil, "copyfile", full)
        with pytest.raises(EnvironmentFault) as fault:
            OpenStore(old)
    assert fault.value.code == "disk-full"
    assert old.database.read_bytes() == before
    assert copies(old) == []


def test_what_is_kept_goes_after_a_week_and_with_an_erasure(old: TillFolder) -> None:
    clock = ManualClock(SystemClock().now())
    with_till = Till(OpenStore(old), Surroundings(clock=clock))
    with_till.retention.run()
    assert len(kept(old)) == 1
    clock.advance(seconds=(KEPT_FOR + timedelta(minutes=1)).total_seconds())
    with_till.retention.run()
    assert kept(old) == []
    again = old.database.with_name(f"{old.database.name}{KEPT_SUFFIX}0002")
    again.write_bytes(b"a name that is to be erased")
    with_till.store.writer.scrub().result()
    assert kept(old) == []
    with_till.close()
