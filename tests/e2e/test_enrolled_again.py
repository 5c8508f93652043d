"""A till that gets a new key: after a loss, a fork or a theft, in the folder that it has."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from desktop.bootstrap import OpenStore, Till
from desktop.services.leases import LeasedAccount
from desktop.store.journal import all_epochs
from desktop.store.schema import entries
from desktop.store.tickets import recent
from desktop.store.verification import verify_till
from desktop.sync.http import RefusedError, ServerConnection
from shared.errors import EnvironmentFault, ProtocolError
from shared.journal.certificate import decode_certificate
from shared.journal.keys import new_signing_key
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import template
from shared.loyalty.leasing import Leases
from shared.protocol.message import ErrorReply
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.leases.exposure import outstanding
from tests.support.command_line import run_evertill
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=2) as made:
        yield made


def code_for(chain: LittleChain, till: TillHere) -> str:
    return chain.server.services.enrolment.issue_code(till.till.identity.till_id)


def enrol_again(chain: LittleChain, till: TillHere) -> None:
    """As head office and somebody at the till would, the till being closed."""
    code = code_for(chain, till)
    till.till.close()
    with OpenStore(till.folder) as store:
        store.enrol_again(url=chain.plugs[0].url, code=code, clock=chain.clock)
    till.open()


def verified(chain: LittleChain) -> None:
    with chain.server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
    for till in chain.tills:
        assert verify_till(till.folder).flaws == []


def kinds(till: TillHere) -> list[tuple[int, str]]:
    with till.till.store.reading.connect() as connection:
        rows = connection.execute(
            select(entries.c.epoch, entries.c.kind).order_by(entries.c.epoch, entries.c.seq)
        )
        return [(row.epoch, row.kind) for row in rows]


def test_what_the_old_key_signed_goes_first_and_the_books_agree(chain: LittleChain) -> None:
    east = chain.tills[0]
    member = east.enrol("李雷", phone="13800138000")
    east.sell(BISCUIT, member=member)
    chain.drain()
    chain.plugs[0].pull()
    east.sell(BISCUIT, member=member)
    chain.plugs[0].plug_in()

    enrol_again(chain, east)
    east.sell(BISCUIT, member=member)
    assert east.till.unsent() == 3
    chain.drain()

    assert kinds(east)[-2:] == [(0, "epoch_closed"), (1, "sale_completed")]
    with east.till.store.reading.connect() as connection:
        numbers = [one.receipt_no for one in recent(connection, limit=9)]
    assert len(set(numbers)) == len(numbers) == 3
    verified(chain)
    points = {till.member(member.member_id).points for till in chain.tills}
    assert len(points) == 1
    east.restart()
    east.sell(BISCUIT)
    chain.drain()
    chain.close()
    assert chain.reckon().differences == []


def refuses_the_first_key(till: TillHere, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server takes nothing of epoch 0 of this till any more."""
    journal = till.till.identity.journal
    push = ServerConnection.push

    def refusing(connection: ServerConnection, request: Any) -> Any:
        if (request.journal, request.epoch) == (journal, 0):
            reply = ErrorReply(code="bad-certificate", fields={"reason": "epoch"})
            raise RefusedError(401, reply)
        return push(connection, request)

    monkeypatch.setattr(ServerConnection, "push", refusing)


def test_what_is_refused_of_an_older_key_does_not_hold_up_the_newer_one(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    east, west = chain.tills
    chain.plugs[0].pull()
    east.sell(BISCUIT)
    chain.plugs[0].plug_in()
    enrol_again(chain, east)
    with monkeypatch.context() as context:
        refuses_the_first_key(east, context)
        member = east.enrol("李雷", phone="13800138000")
        east.sell(BISCUIT, member=member)

        assert east.sync()

        status = east.till._status
        assert status.error_code == "bad-certificate"
        waiting = east.till.unsent()
        assert waiting == status.unsent > 0
        assert not status.is_all_sent
        assert west.sync()
        assert west.member(member.member_id).points == east.member(member.member_id).points > 0
        states = chain.server.services.stores.states()
        assert [one.till.unsent_told for one in states] == [waiting, 0]
    chain.drain()
    assert not east.till._status.error_code
    verified(chain)
    chain.close()
    assert chain.reckon().differences == []


def test_a_missing_older_key_does_not_hold_up_the_newer_one(chain: LittleChain) -> None:
    east = chain.tills[0]
    chain.plugs[0].pull()
    east.sell(BISCUIT)
    chain.plugs[0].plug_in()
    enrol_again(chain, east)
    with east.till.store.reading.connect() as connection:
        first = all_epochs(connection)[0].certificate.payload
    del east.till._keys[decode_certificate(first).key_id]
    east.sell(BISCUIT)

    assert east.sync()

    assert east.till._status.error_code == "till-key-missing"
    with east.till.store.reading.connect() as connection:
        assert [one.unsent > 0 for one in all_epochs(connection)] == [True, False]


def test_a_lease_of_an_older_key_is_closed_when_what_it_paid_for_was_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_lease = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
    with LittleChain(tmp_path, tills=1, programme=by_lease) as chain:
        till = chain.tills[0]
        member = till.enrol("李雷", phone="13800138000")
        till.sell(*[BISCUIT] * 60, member=member)
        chain.drain()
        account = LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)
        till.till.leases.want(account)
        till.sync()
        chain.plugs[0].pull()
        till.sell(*[BISCUIT] * 8, member=member, points=100)
        chain.plugs[0].plug_in()
        enrol_again(chain, till)
        database = chain.server.services.database
        with database.reading() as snapshot:
            (before,) = outstanding(snapshot)
        with monkeypatch.context() as context:
            refuses_the_first_key(till, context)
            for _ in range(3):
                till.sync()
            with database.reading() as snapshot:
                # Given back now, it could be spent again before what it paid for arrives.
                assert outstanding(snapshot) == [before]
        for _ in range(3):
            assert till.sync()

        with database.reading() as snapshot:
            assert outstanding(snapshot) == []
        verified(chain)


def test_a_revoked_till_that_is_enrolled_again_sells_on_and_its_tail_waits(
    chain: LittleChain,
) -> None:
    east = chain.tills[0]
    services = chain.server.services
    services.commands.revoke(east.till.identity.till_id)
    east.sell(BISCUIT)
    east.sync()
    assert east.till._status.error_code == "revoked-key"

    enrol_again(chain, east)
    east.sell(BISCUIT)
    chain.drain()

    waiting = [(one.epoch, one.kind) for one in services.quarantine.waiting()]
    assert (0, "sale_completed") in waiting
    assert {epoch for epoch, _kind in waiting} == {0}
    verified(chain)


def test_a_code_of_another_till_is_refused(chain: LittleChain) -> None:
    east, west = chain.tills
    code = code_for(chain, west)
    east.till.close()
    with OpenStore(east.folder) as store, pytest.raises(ProtocolError) as refused:
        store.enrol_again(url=chain.plugs[0].url, code=code, clock=chain.clock)
    east.open()

    assert refused.value.code == "code-of-another-till"
    east.sell(BISCUIT)
    chain.drain()


def lose(till: TillHere, image: Path) -> None:
    """The disk shows what was there earlier; of what came later, nothing: no log, no head file."""
    till.till.close()
    for file in till.folder.path.glob("till.sqlite*"):
        file.unlink()
    till.folder.head.unlink()
    shutil.copy(image / "till.sqlite", till.folder.database)


@pytest.fixture
def lost(chain: LittleChain, tmp_path: Path) -> TillHere:
    """A till that has lost its newest three entries and every trace of them."""
    east = chain.tills[0]
    east.sell(BISCUIT)
    chain.drain()
    east.till.close()
    shutil.copytree(east.folder.path, tmp_path / "image")
    east.open()
    for _ in range(3):
        east.sell(BISCUIT)
    chain.drain()
    lose(east, tmp_path / "image")
    east.open()
    return east


def test_entries_lost_with_the_head_file_are_noticed_at_the_next_contact(
    chain: LittleChain, lost: TillHere
) -> None:
    assert not lost.sync()

    assert lost.till._status.error_code == "journal-behind-server"
    with pytest.raises(EnvironmentFault) as fault:
        lost.sell(BISCUIT)
    assert fault.value.code == "journal-behind-server"
    assert fault.value.fields["known"] - fault.value.fields["found"] == 3
    lost.till.close()
    with OpenStore(lost.folder) as store, pytest.raises(EnvironmentFault) as fault:
        Till(store)
    assert fault.value.code == "journal-behind-server"


def test_no_server_stops_a_till_by_a_signature_that_is_not_its_own(
    chain: LittleChain, lost: TillHere, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = new_signing_key().sign(b"anything")
    monkeypatch.setattr("sync_server.sync.outcome.read_signature", lambda *_: forged)

    assert not lost.sync()

    assert lost.till._status.error_code == "server-ahead"
    lost.sell(BISCUIT)


def test_a_till_that_lost_entries_sells_again_under_a_new_key(
    chain: LittleChain, lost: TillHere
) -> None:
    lost.sync()

    enrol_again(chain, lost)
    lost.sell(BISCUIT)
    chain.drain()

    assert (1, "epoch_closed_with_loss") in kinds(lost)
    verified(chain)
    with chain.server.services.database.reading() as snapshot:
        kept = snapshot.connection.execute(select(schema.tickets.c.entry_id)).all()
    # One before the image, three that the till lost, one under the new key.
    assert len(kept) == 5


def test_what_was_sold_after_the_loss_and_before_the_contact_is_a_branch_and_not_lost(
    chain: LittleChain, lost: TillHere
) -> None:
    lost.sell(BISCUIT)

    assert lost.sync()
    assert lost.till._status.enrol_again
    lost.sell(BISCUIT)
    enrol_again(chain, lost)
    chain.drain()

    assert not lost.till._status.enrol_again
    verified(chain)


def test_the_command_enrols_again(
    chain: LittleChain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    east = chain.tills[0]
    code = code_for(chain, east)
    east.till.close()
    done = run_evertill(monkeypatch, capsys, "enrol", code, "--data", str(east.folder.path))
    assert done.code in {0, None}
    assert "enrolled again" in done.out
    east.open()
    east.sell(BISCUIT)
    chain.drain()
    assert kinds(east)[-1][0] == 1
