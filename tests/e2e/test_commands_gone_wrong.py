"""Commands to tills when things go wrong: refusals, cut-off steps, two machines, old words."""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from desktop.sync.http import RefusedError, ServerConnection
from shared.protocol.command import CommandState
from shared.protocol.lease import LeaseRequest
from shared.protocol.message import ErrorReply
from tests.e2e.test_commands_to_tills import forget, said, states, till_id
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain

BISCUIT = BISCUITS.barcodes[0]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path / "chain", tills=2) as made:
        yield made


def refusing(code: str, status: int) -> Any:
    """A request that the server answers with no."""

    def refuse(_connection: ServerConnection, _request: Any) -> Any:
        raise RefusedError(status, ErrorReply(code=code, fields={}))

    return refuse


def test_a_till_that_waits_to_be_wiped_leaves_the_server_in_peace_and_says_why(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, other) = chain.tills
    chain.server.services.commands.wipe(till_id(till))
    till.sync()
    with monkeypatch.context() as broken:
        broken.setattr(ServerConnection, "push", refusing("broken-chain", 400))
        broken.setattr("desktop.sync.push.Pusher.unsent", lambda _self: 7)
        waits = [till.till.sync.try_once() for _ in range(3)]
    assert min(waits) > 0
    assert waits[-1] > waits[0], "longer each time"
    assert said(till).error_code == "broken-chain"

    # A bug in what a revoked till is told ends its sync no more than any other bug.
    chain.server.services.revocation.revoke(till_id(other))

    def bug(*_: Any) -> Any:
        raise ValueError("a bug")

    monkeypatch.setattr("desktop.sync.commands.CommandKeeper.tend", bug)
    assert other.till.sync.try_once() > 0
    assert said(other).error_code == "sync-bug"


def test_a_new_key_that_does_not_come_holds_up_nothing(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, other) = chain.tills
    for one in chain.tills:
        one.till.key_change.ask()
        one.sell(BISCUIT)
    with monkeypatch.context() as broken:
        broken.setattr(ServerConnection, "rekey", refusing("internal-error", 500))
        till.sync()
    assert till.till.unsent() == 0
    assert said(till).error_code == "internal-error"
    assert till.till.key_change.is_wanted

    # No room for the new key: said in words, and done when there is room again.
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = other.till._key.id
    with monkeypatch.context() as broken:
        broken.setattr("desktop.store.identity.write_private", full)
        other.sync()
    assert said(other).error_code == "disk-full"
    for one in chain.tills:
        assert one.sync()
    assert other.till._key.id != before
    chain.drain()


def test_what_a_till_was_told_outlives_its_key(chain: LittleChain) -> None:
    (till, other) = chain.tills
    desk = chain.server.services.commands
    upgrade = desk.upgrade(till_id(till), "99.1")
    till.sync()
    till.till.key_change.ask()
    till.sync()
    assert said(till).release_needed == "99.1"
    # Told before the change, heard after it.
    other.till.key_change.ask()
    wipe = desk.wipe(till_id(other))
    for _ in range(3):
        other.sync()
    assert said(other).error_code == "till-wiped"
    assert states(chain) == {upgrade: CommandState.SEEN, wipe: CommandState.DONE}


def test_the_machine_before_ends_and_the_one_after_it_goes_on(chain: LittleChain) -> None:
    old = chain.tills[0]
    services = chain.server.services
    wipe = services.commands.wipe(till_id(old))
    store = OpenStore(TillFolder(chain.folder / "next"))
    store.enrol(url=chain.server.url, code=services.enrolment.issue_code(till_id(old)))
    new = Till(store, Surroundings(clock=chain.clock))
    upgrade = services.commands.upgrade(till_id(old), "99.1")
    new.sync.try_once()
    assert new.puller.commands == 1, "the other one's command does not wait for it"
    for _ in range(3):
        old.sync()
    assert said(old).error_code == "till-wiped"
    forget(chain, old)
    new.sync.try_once()
    assert not new.is_offline()
    new.connect().leases(LeaseRequest(protocol=8))
    assert states(chain) == {wipe: CommandState.DONE, upgrade: CommandState.SEEN}
    new.close()
