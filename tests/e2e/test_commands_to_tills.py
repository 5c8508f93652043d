"""What head office tells tills to do: wipe, upgrade, new key; late, lost, and after a restore."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.bootstrap import OpenStore
from desktop.presenters.sync_sheet import sync_text
from desktop.store.database import TillFolder
from desktop.store.sealing import is_plain
from desktop.sync.commands import CommandKeeper
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.status import SyncStatus
from shared.errors import DomainError, EnvironmentFault, ProtocolError
from shared.journal.keys import Signed
from shared.language import Language, words
from shared.protocol.command import CommandReply, CommandRequest, CommandState, release_number
from shared.protocol.lease import LeaseRequest
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import open_copier
from sync_server.database.schema import till_commands
from sync_server.orders.log_file import LOG_FILE
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]
PASSPHRASE = "four words for copies"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path / "chain", tills=2, sealed={1}) as made:
        yield made


def said(till: TillHere) -> SyncStatus:
    """What the till's screen was told last."""
    status = till.till._status
    assert status is not None
    return status


def till_id(till: TillHere) -> Any:
    return till.till.identity.till_id


def states(chain: LittleChain) -> dict[str, CommandState]:
    return {one.command_id: one.state for one in chain.server.services.commands.all()}


def left(folder: TillFolder) -> set[str]:
    return {file.name for file in folder.path.iterdir()}


def forget(chain: LittleChain, till: TillHere) -> None:
    """It is no till of the chain any more."""
    till.till.close()
    chain.tills.remove(till)


def test_a_retired_till_sends_everything_and_is_gone(chain: LittleChain, tmp_path: Path) -> None:
    till = chain.tills[0]
    assert not is_plain(till.folder.database)
    folder, key = till.folder, till.till._key
    shutil.copytree(folder.path, tmp_path / "image")
    chain.plugs[0].pull()
    till.sell(BISCUIT)
    command = chain.server.services.commands.wipe(till_id(till))
    assert not till.sync()
    # Offline it knows of nothing, and sells.
    till.sell(BISCUIT)
    assert states(chain) == {command: CommandState.ISSUED}

    chain.plugs[0].plug_in()
    till.sync()
    with pytest.raises(DomainError) as refused:
        till.sell(BISCUIT)
    assert refused.value.code == "till-being-wiped"
    assert states(chain) == {command: CommandState.SEEN}
    till.sync()
    assert said(till).error_code == "till-wiped"
    assert said(till).unsent == 0
    assert states(chain) == {command: CommandState.DONE}
    (shown,) = [
        one for one in chain.server.services.stores.states() if one.till.till_id == till_id(till)
    ]
    assert shown.commands[0].state is CommandState.DONE
    assert shown.entries == 3, "a shift and two sales: all came"
    # Its keys are gone before its files are.
    assert not [name for name in left(folder) if name.endswith(".key")]
    forget(chain, till)
    assert left(folder) == {"wiped.json", "till.lock"}
    with pytest.raises(EnvironmentFault) as fault:
        OpenStore(folder)
    assert fault.value.code == "till-wiped"
    for language in Language:
        assert till.till.identity.till_name in words(language).error(fault.value)

    # A copy of its disk is nobody: it reads nothing, and is wiped as soon as it is heard of.
    stolen = ServerConnection(till.till.identity.server_url, key)
    with pytest.raises(RefusedError) as answer:
        stolen.leases(_no_leases())
    assert answer.value.code == "revoked-key"
    stolen.close()
    image = TillHere(TillFolder(tmp_path / "image"), chain.clock, chain.operator_id)
    image.seals = True
    image.open()
    for _ in range(2):
        image.sync()
    assert said(image).error_code == "till-wiped"
    image.till.close()
    assert left(image.folder) == {"wiped.json", "till.lock"}


def _no_leases() -> Any:
    return LeaseRequest(protocol=8)


def test_a_stolen_till_is_believed_no_more_and_still_hears(chain: LittleChain) -> None:
    (other, till) = chain.tills
    assert is_plain(till.folder.database)
    till.sell(BISCUIT)
    command = chain.server.services.commands.wipe(till_id(till), is_stolen=True)
    for _ in range(3):
        till.sync()
    assert said(till).error_code == "till-wiped"
    told = {one.kind: one for one in chain.server.services.commands.all(till_id(till))}
    assert told.keys() == {"wipe", "revoke"}
    assert told["wipe"].command_id == command
    assert {one.state for one in told.values()} == {CommandState.DONE}
    waiting = {one.till.till_id: one.in_quarantine for one in chain.server.services.stores.states()}
    assert waiting[till_id(till)] > 0, "what it sold waits for a decision"
    assert waiting[till_id(other)] == 0
    forget(chain, till)
    assert left(till.folder) == {"wiped.json", "till.lock"}
    other.sell(BISCUIT)
    assert other.sync()


def test_an_answer_that_is_lost_wipes_once_and_a_power_cut_goes_on(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    command = chain.server.services.commands.wipe(till_id(till))
    till.sync()
    real = ServerConnection.commands

    def lost(connection: ServerConnection, request: CommandRequest) -> Any:
        real(connection, request)
        raise EnvironmentFault("server-unreachable", url="lost")

    with monkeypatch.context() as network:
        network.setattr(ServerConnection, "commands", lost)
        till.sync()
    assert said(till).error_code == "server-unreachable"
    assert states(chain) == {command: CommandState.DONE}
    assert "till.key" in left(till.folder)

    def cut(_folder: TillFolder) -> None:
        raise EnvironmentFault("disk-error", reason="power")

    with monkeypatch.context() as power:
        power.setattr("desktop.bootstrap.destroy_keys", cut)
        till.sync()
    assert "till.key" in left(till.folder)
    forget(chain, till)
    with pytest.raises(EnvironmentFault) as fault:
        OpenStore(till.folder)
    assert fault.value.code == "till-wiped"
    assert left(till.folder) == {"wiped.json", "till.lock"}


def test_what_cannot_be_sent_is_not_wiped_unless_head_office_says_so(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    services = chain.server.services
    services.commands.wipe(till_id(till))
    till.sync()
    till.restart()

    def refuse(_connection: ServerConnection, _request: Any) -> Any:
        raise ProtocolError("broken-chain", epoch=1, seq=0)

    monkeypatch.setattr(ServerConnection, "push", refuse)
    monkeypatch.setattr("desktop.sync.push.Pusher.unsent", lambda _self: 7)
    for _ in range(2):
        till.sync()
    assert said(till).error_code == "broken-chain"
    assert "till.key" in left(till.folder)
    services.commands.wipe(till_id(till), even_unsent=True)
    for _ in range(3):
        till.sync()
    assert said(till).error_code == "till-wiped"
    done = [one for one in services.commands.all() if one.state is CommandState.DONE]
    assert [one.detail for one in done] == ["7"]
    assert CommandState.CANCELLED in states(chain).values(), "nobody will do the first one"
    forget(chain, till)


def test_a_wipe_that_is_taken_back_in_time_lets_the_till_sell_on(chain: LittleChain) -> None:
    (till, _other) = chain.tills
    command = chain.server.services.commands.wipe(till_id(till))
    till.sync()
    with pytest.raises(DomainError):
        till.sell(BISCUIT)
    chain.server.services.commands.cancel(command)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("desktop.sync.push.Pusher.unsent", lambda _self: 1)
        till.sync()
    assert till.sync()
    till.sell(BISCUIT)
    chain.drain()
    with pytest.raises(DomainError) as over:
        chain.server.services.commands.cancel(command)
    assert over.value.code == "command-done"


def test_a_till_says_that_it_needs_a_later_release_and_sells_on(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    desk = chain.server.services.commands
    command = desk.upgrade(till_id(till), "99.1")
    good = desk.upgrade(till_id(till), "0.0.1")
    assert till.sync()
    assert till.sync()
    assert said(till).release_needed == "99.1"
    zone = till.till.identity.zone
    assert sync_text(said(till), zone).key == "till.sync.upgrade-short"
    assert states(chain) == {command: CommandState.SEEN, good: CommandState.DONE}
    till.restart()
    till.sell(BISCUIT)
    chain.drain()

    monkeypatch.setattr("desktop.sync.commands.release", lambda: "99.1.0")
    till.restart()
    assert till.sync()
    assert till.sync()
    assert said(till).release_needed == ""
    assert states(chain)[command] is CommandState.DONE


@pytest.mark.parametrize(
    ("older", "newer"), [("1.2", "1.10"), ("1.2.9", "1.2.10"), ("0.9.9", "1.0")]
)
def test_releases_are_in_order(older: str, newer: str) -> None:
    assert release_number(older) < release_number(newer)


@pytest.mark.parametrize("text", ["", "9", "v1.2", "latest"])
def test_what_is_no_release_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        release_number(text)
    assert refused.value.code == "bad-release"


def test_a_till_changes_its_key_when_it_is_told_to(chain: LittleChain) -> None:
    (till, other) = chain.tills
    before = till.till._key.id
    command = chain.server.services.commands.rekey(till_id(till))
    for _ in range(3):
        till.sell(BISCUIT)
        assert till.sync()
    assert till.till._key.id != before
    assert states(chain) == {command: CommandState.DONE}
    after = till.till._key.id
    till.restart()
    assert till.sync()
    assert till.till._key.id == after, "once"
    assert other.sync()
    chain.drain()


def test_nobody_else_commands_a_till(chain: LittleChain, monkeypatch: pytest.MonkeyPatch) -> None:
    (till, other) = chain.tills
    services = chain.server.services
    services.commands.wipe(till_id(other))
    with services.database.reading() as snapshot:
        encoded = snapshot.connection.execute(select(till_commands.c.statement)).scalar_one()
        signed = msgspec.msgpack.decode(encoded, type=Signed)
    for statement in (signed, replace_payload(signed)):
        told = CommandReply(commands=(statement,))
        monkeypatch.setattr(ServerConnection, "commands", lambda _self, _request, told=told: told)
        with pytest.raises(ProtocolError) as refused:
            keeper(till).tend(till.till.connect())
        assert refused.value.code in {"wrong-statement", "bad-signature"}
        assert keeper(till).wipe is None
    till.sell(BISCUIT)


def replace_payload(signed: Signed) -> Signed:
    return msgspec.structs.replace(signed, payload=signed.payload + b" ")


def keeper(till: TillHere) -> CommandKeeper:
    return till.till.sync._commands


def restored(chain: LittleChain, copy: Path) -> None:
    """The server's disk is gone; what is left are the copy and the lists beside it."""
    chain.server.stop()
    chain.clock.advance(seconds=5)
    shutil.rmtree(chain.server.folder)
    source = Source(backup=copy, passphrase=PASSPHRASE)
    restore(chain.server.folder, source, clock=chain.clock)
    chain.server.start()


def copied(chain: LittleChain, folder: Path) -> Path:
    with open_copier(chain.server.folder, clock=chain.clock) as copier:
        return replace(copier, log2_n=4).make(folder, PASSPHRASE, off_machine=True).file


def test_a_restored_server_neither_forgets_nor_repeats(chain: LittleChain, tmp_path: Path) -> None:
    (till, other) = chain.tills
    usb = tmp_path / "usb"
    before = copied(chain, usb)
    desk = chain.server.services.commands
    upgrade = desk.upgrade(till_id(till), "99.1")
    assert till.sync()
    gone = desk.wipe(till_id(other))
    for _ in range(2):
        other.sync()
    assert said(other).error_code == "till-wiped"
    chain.clock.advance(seconds=5)
    later = desk.upgrade(till_id(till), "99.2")
    copied(chain, usb)  # brings the list beside the copies up to date
    assert (usb / LOG_FILE).exists()
    unheard = desk.rekey(till_id(till))  # in no list: only a till that had it could show it
    assert unheard
    forget(chain, other)

    restored(chain, before)
    now = states(chain)
    assert now == {
        upgrade: CommandState.SEEN,
        gone: CommandState.DONE,
        later: CommandState.ISSUED,
    }
    # The till that was wiped is nobody to the restored server, too.
    key = other.till._key
    nobody = ServerConnection(other.till.identity.server_url, key)
    with pytest.raises(RefusedError) as refused:
        nobody.leases(_no_leases())
    assert refused.value.code == "revoked-key"
    nobody.close()
    for _ in range(2):
        assert till.sync()
    assert states(chain)[later] is CommandState.SEEN
    assert said(till).release_needed == "99.2"


def test_a_till_shows_a_restored_server_what_it_was_told(
    chain: LittleChain, tmp_path: Path
) -> None:
    (till, _other) = chain.tills
    before = copied(chain, tmp_path / "usb")
    command = chain.server.services.commands.upgrade(till_id(till), "99.1")
    assert till.sync()
    old = till.till._key
    till.till.key_change.ask()
    assert till.sync()
    restored(chain, before)
    assert states(chain) == {}
    assert till.sync()
    assert till.sync()
    assert states(chain) == {command: CommandState.SEEN}
    assert said(till).release_needed == "99.1"
    # Nor does the key that was changed after the copy read again.
    stolen = ServerConnection(till.till.identity.server_url, old)
    with pytest.raises(RefusedError) as refused:
        stolen.leases(_no_leases())
    assert refused.value.code == "replaced-key"
    stolen.close()


def test_unknown_tills_and_commands_are_refused(chain: LittleChain) -> None:
    services = chain.server.services
    new = services.stores.add_till(chain.tills[0].till.identity.store_id, "新")
    for till, code in ((new.till_id, "till-not-enrolled"), ("x", "unknown-till")):
        with pytest.raises(DomainError) as refused:
            services.commands.wipe(till)  # type: ignore[arg-type]  # an id
        assert refused.value.code == code
    with pytest.raises(DomainError) as refused:
        services.commands.cancel("x")
    assert refused.value.code == "unknown-command"
