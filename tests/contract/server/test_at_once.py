"""What takes several transactions is done by one process at a time on a shared database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.errors import EvertillError
from shared.journal.keys import new_signing_key
from sync_server.bootstrap import (
    KEYS_FOLDER,
    open_database,
    open_own_epoch,
    open_services,
)
from sync_server.database.transaction import Database
from sync_server.journal.audit import audit
from sync_server.keys import changing
from sync_server.keys.changing import KeyChange, settle_keys
from sync_server.keys.statement_list import LIST_FILE, StatementList
from sync_server.keys.vault import open_vault
from sync_server.sync import scopes
from tests.support.servers import Server


def key_change(server: Server, database: Database, clock: ManualClock) -> KeyChange:
    """As another process has it: its own connections, what it read at its start."""
    services = server.services
    return KeyChange(
        database,
        clock,
        services.own,
        services.vault,
        server.folder / KEYS_FOLDER,
        open_own_epoch,
        StatementList(server.folder / LIST_FILE),
    )


@pytest.fixture
def others(server: Server) -> list[Database]:
    """The server's database as two other processes have it."""
    if server.services.database.is_sqlite:
        pytest.skip("one process at a time has a SQLite file")
    with ExitStack() as closing:
        yield [closing.enter_context(open_database(server.folder)) for _ in range(2)]  # type: ignore[misc]  # a generator fixture


def waits(database: Database) -> bool:
    """Whether somebody waits for a lock of this database."""
    with database.reading() as snapshot:
        query = text(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool(snapshot.connection.execute(query).scalar_one())


def while_the_first_is_amid(
    first: Callable[[], object],
    second: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    target: object,
    name: str,
    watching: Database,
) -> list[str]:
    """Begin the second amid a step of the first; what happened, in order."""
    told: list[str] = []
    amid, begun = threading.Event(), threading.Event()
    real: Callable[..., object] = getattr(target, name)

    def step(*arguments: object, **named: object) -> object:
        if not amid.is_set():
            amid.set()
            # The second one stands still: it waits for a lock.
            while not begun.is_set() or not waits(watching):
                pass
        return real(*arguments, **named)

    monkeypatch.setattr(target, name, step)

    def run_first() -> None:
        first()
        told.append("first")

    def run_second() -> None:
        amid.wait(10)
        begun.set()
        try:
            second()
            told.append("second")
        except EvertillError as fault:
            told.append(fault.code)

    with ThreadPoolExecutor(2) as pool:
        for done in (pool.submit(run_first), pool.submit(run_second)):
            done.result(60)
    return told


def test_two_new_signing_keys_at_once_leave_one_that_is_in_force(
    server: Server,
    others: list[Database],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.advance(seconds=1)
    first, second = (key_change(server, one, clock) for one in others)
    told = while_the_first_is_amid(
        first.new_signing_key,
        second.new_signing_key,
        monkeypatch,
        changing,
        "add_key",
        server.services.database,
    )
    assert told == ["first", "second"], "the second waits for the first one's end"
    with open_services(server.folder, clock=clock) as services:
        signing = [one for one in read(services.database) if one.purpose == "signing"]
        assert [one.is_in_force for one in signing] == [False, False, True]
        assert services.vault.signing.id == signing[-1].key_id
        with services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []


def test_a_change_that_fails_takes_no_other_ones_key_away(
    server: Server,
    others: list[Database],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.advance(seconds=1)
    first, second = (key_change(server, one, clock) for one in others)
    told = while_the_first_is_amid(
        first.new_signing_key,
        lambda: second.new_signing_key(root=new_signing_key()),
        monkeypatch,
        changing,
        "add_key",
        server.services.database,
    )
    assert told == ["first", "root-key-foreign"]
    with open_services(server.folder, clock=clock) as services:
        assert [one.is_in_force for one in read(services.database)].count(True) == 2


def read(database: Database) -> list[changing.KeyState]:
    with database.reading() as snapshot:
        return changing.read_states(snapshot)


def test_a_process_that_starts_amid_a_change_puts_the_key_in_place(
    server: Server,
    others: list[Database],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock.advance(seconds=1)
    keys = server.folder / KEYS_FOLDER
    real = changing.put_in_place

    def starts_before(file: Path) -> None:
        with monkeypatch.context() as other, others[1].reading() as snapshot:
            other.setattr(changing, "put_in_place", real)
            settle_keys(snapshot, keys, lambda: open_vault(keys))
        real(file)

    monkeypatch.setattr(changing, "put_in_place", starts_before)
    made = key_change(server, others[0], clock).new_signing_key()
    assert open_vault(keys).signing.id == made


def test_scopes_are_counted_by_one_process_at_a_time(
    server: Server, others: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    till = server.enrol_till()
    for number in range(5):
        till.sell(100, member=till.enrol_member(), earned=number)
    server.line.push(till)
    monkeypatch.setattr(scopes, "BATCH", 2)
    monkeypatch.setattr(scopes, "FORMAT", "of another release")
    told = while_the_first_is_amid(
        lambda: scopes.count_scopes(others[0]),
        lambda: scopes.count_scopes(others[1]),
        monkeypatch,
        scopes,
        "_changed",
        server.services.database,
    )
    assert told == ["first", "second"]
    with server.services.database.reading() as snapshot:
        assert list(scopes.uncounted(snapshot)) == []
