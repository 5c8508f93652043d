"""The server's keys changed while something is not as it should be: clocks, processes, disks."""

import os
import stat
from pathlib import Path

import pytest

from shared.clock import ManualClock
from shared.errors import EnvironmentFault
from sync_server.bootstrap import (
    KEYS_FOLDER,
    initialise,
    open_key_change,
    open_own_epoch,
    open_services,
)
from sync_server.journal.audit import audit
from sync_server.keys.changing import KeyChange
from sync_server.keys.statement_list import LIST_FILE, StatementList
from sync_server.operators.desk import Role
from tests.support.enrolled_till import START
from tests.support.servers import FAST_HASHER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    initialise(tmp_path / "server", clock=ManualClock(START))
    return tmp_path / "server"


def test_a_clock_that_was_years_ahead_bars_no_later_change(folder: Path) -> None:
    ahead = ManualClock(START.replace(year=START.year + 10))
    with open_key_change(folder, clock=ahead) as change:
        first = change.states()[0].key_id
        of_tomorrow = change.new_signing_key()
    # The clock is right again, and the key that was made meanwhile is stolen.
    for _ in range(2):
        with open_key_change(folder, clock=ManualClock(START)) as change:
            key = change.new_signing_key()
    with open_key_change(folder, clock=ManualClock(START)) as change:
        change.revoke(of_tomorrow)
        change.new_root()
        states = {one.key_id: one for one in change.states()}
    assert states[key].is_in_force
    assert states[of_tomorrow].is_revoked
    assert not states[first].is_revoked
    with open_services(folder, clock=ManualClock(START)) as services:
        assert services.vault.signing.id == key
        with services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []


def test_a_process_with_the_key_of_before_writes_nothing(folder: Path) -> None:
    clock = ManualClock(START)
    with open_services(folder, clock=clock, hasher=FAST_HASHER) as services:
        clock.advance(seconds=1)
        # Another process on the same database, as PostgreSQL has them.
        KeyChange(
            services.database,
            clock,
            services.own,
            services.vault,
            folder / KEYS_FOLDER,
            open_own_epoch,
            StatementList(folder / LIST_FILE),
        ).new_signing_key()
        with pytest.raises(EnvironmentFault) as fault:
            services.operators.add("王芳", pin="1234", role=Role.MANAGER)
        assert fault.value.code == "signing-key-changed"
        assert services.operators.all() == []
    with open_services(folder, clock=clock, hasher=FAST_HASHER) as services:
        services.operators.add("王芳", pin="1234", role=Role.MANAGER)
        with services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []


@pytest.mark.skipif(os.name == "nt", reason="folders are not flushed there")
def test_a_new_key_outlives_a_power_cut_before_the_database_says_that_it_is_in_force(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        flushed.append("folder" if is_folder else "file")
        real(handle)

    def cut(*_: object) -> None:
        raise EnvironmentFault("disk-error", reason="power")

    monkeypatch.setattr("sync_server.keys.vault.os.fsync", fsync)
    monkeypatch.setattr("sync_server.keys.changing.add_key", cut)
    clock = ManualClock(START)
    clock.advance(seconds=1)
    with open_key_change(folder, clock=clock) as change:
        flushed.clear()
        with pytest.raises(EnvironmentFault):
            change.new_signing_key()
    assert flushed[:2] == ["file", "folder"]
