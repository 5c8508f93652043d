"""Commands to tills when things go wrong: refusals, cut-off steps, two machines, old words."""

import errno
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.services.payments import PaymentProgress, Payments, PaymentsBy
from desktop.store.database import TillFolder
from desktop.sync.http import RefusedError, ServerConnection
from hardware.simulators.wallet import WalletSimulator
from shared.errors import DomainError
from shared.journal.keys import Signed
from shared.protocol.command import (
    CommandReply,
    CommandReport,
    CommandRequest,
    CommandState,
)
from shared.protocol.lease import LeaseRequest
from shared.protocol.message import ErrorReply
from shared.trade.fact import TenderKind
from shared.trade.till import PaymentState
from sync_server.database.schema import till_commands
from tests.e2e.test_commands_to_tills import forget, keeper, said, states, till_id
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

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
    chain.server.services.commands.revoke(till_id(other))

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


def test_a_key_is_changed_once_wherever_the_command_was_cut_off(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    command = chain.server.services.commands.rekey(till_id(till))
    real = ServerConnection.commands
    asked: list[CommandRequest] = []

    def cut(connection: ServerConnection, request: CommandRequest) -> CommandReply:
        asked.append(request)
        if len(asked) == 2:
            raise RefusedError(500, ErrorReply(code="internal-error", fields={}))
        return real(connection, request)

    monkeypatch.setattr(ServerConnection, "commands", cut)
    till.sync()
    till.restart()
    keys = [till.till._key.id]
    # Whoever has the old key says that it is done: the server sees by which key.
    lie = CommandReport(command_id=command, state=CommandState.DONE)
    real(till.till.connect(), CommandRequest(protocol=8, release="1.0", reports=(lie,)))
    assert states(chain) == {command: CommandState.SEEN}
    for _ in range(3):
        till.sync()
        keys.append(till.till._key.id)
    assert len(set(keys)) == 2
    assert states(chain) == {command: CommandState.DONE}


def test_what_a_till_was_told_outlives_its_key(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, other) = chain.tills
    desk = chain.server.services.commands
    upgrade = desk.upgrade(till_id(till), "99.1")
    till.sync()
    till.till.key_change.ask()
    till.sync()
    assert said(till).release_needed == "99.1"
    # Told before the change, heard after it, and before anything else, however much that is.
    other.till.key_change.ask()
    wipe = desk.wipe(till_id(other))
    monkeypatch.setattr("sync_server.orders.desk.COMMANDS_MAX", 2)
    for patch in range(3):
        desk.upgrade(till_id(other), f"99.{patch}")
    for _ in range(3):
        other.sync()
    assert said(other).error_code == "till-wiped"
    now = states(chain)
    assert (now.pop(upgrade), now.pop(wipe)) == (CommandState.SEEN, CommandState.DONE)
    assert set(now.values()) == {CommandState.CANCELLED}, "nobody will do them any more"


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


def test_a_wipe_that_was_taken_back_is_not_done_when_it_is_shown_again(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (till, _other) = chain.tills
    services = chain.server.services
    wipe = services.commands.wipe(till_id(till), even_unsent=True)
    with services.database.reading() as snapshot:
        encoded = snapshot.connection.execute(select(till_commands.c.statement)).scalar_one()
    keeper(till).tend(till.till.connect())
    assert keeper(till).wipe is not None
    services.commands.cancel(wipe)
    keeper(till).tend(till.till.connect())
    till.restart()
    told = CommandReply(commands=(msgspec.msgpack.decode(encoded, type=Signed),))
    monkeypatch.setattr(ServerConnection, "commands", lambda _self, _request: told)
    keeper(till).tend(till.till.connect())
    assert keeper(till).wipe is None
    till.sell(BISCUIT)


class Held:
    """A thread that does what it was given when it is let."""

    def __init__(self) -> None:
        self._waiting: list[Any] = []

    def submit(self, call: Any, /, *_arguments: Any, **_named: Any) -> Future[Any]:
        self._waiting.append(call)
        return Future()

    def go(self) -> None:
        """Do it."""
        self._waiting.pop(0)()


def test_a_wipe_lets_a_payment_that_is_under_way_become_its_sale(chain: LittleChain) -> None:
    (till, _other) = chain.tills
    thread = Held()
    told: list[PaymentProgress] = []
    payments = wallet_of(till, thread)
    by = PaymentsBy(till.shift, till.operator_id)
    checkout = till.counter.checkout
    till.counter.scanning.scan(BISCUIT)
    due = checkout.due().amount
    payments.begin(by, amount=due, payer_code="1" * 18, tell=told.append)
    wipe = chain.server.services.commands.wipe(till_id(till))
    for _ in range(3):
        till.sync()
    assert said(till).error_code == "wipe-waits-for-payments"
    assert states(chain) == {wipe: CommandState.SEEN}
    with pytest.raises(DomainError) as refused:
        payments.begin(by, amount=due, payer_code="1" * 18, tell=told.append)
    assert refused.value.code == "till-being-wiped"

    thread.go()
    assert told[-1].state is PaymentState.APPROVED
    paid = told[-1]
    checkout.tender(
        TenderKind.WALLET,
        paid.amount,
        provider=paid.provider,
        attempt_id=paid.attempt_id,
        reference=paid.reference,
    )
    checkout.finish(till.shift, till.operator_id)
    with pytest.raises(DomainError):
        till.sell(BISCUIT)
    till.sync()
    assert said(till).error_code == "till-wiped"
    assert said(till).unsent == 0
    assert states(chain) == {wipe: CommandState.DONE}
    forget(chain, till)


def wallet_of(till: TillHere, thread: Held) -> Payments:
    return Payments(
        till.till.books,
        {TenderKind.WALLET: WalletSimulator(wait=lambda _seconds: None)},
        currency="CNY",
        executor=thread,  # type: ignore[arg-type]  # as much of one as is used
        background=thread,  # type: ignore[arg-type]  # as above
    )
