"""What head office told tills, and what became of the server's keys, shortly before or after the
server had to be restored from an older copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from desktop.sync.http import RefusedError, ServerConnection
from shared.errors import EnvironmentFault
from shared.protocol.command import CommandState
from shared.protocol.lease import LeaseRequest, lease_of
from shared.trade.lease import LeaseTerms
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import KEYS_FOLDER
from sync_server.database.schema import leases
from sync_server.journal.audit import audit
from sync_server.keys.vault import ROOT_FILE
from tests.e2e.test_changed_keys import change_server, publish
from tests.e2e.test_commands_to_tills import (
    PASSPHRASE,
    copied,
    forget,
    restored,
    said,
    states,
    till_id,
)
from tests.e2e.test_leases_at_tills import (
    BUDGET,
    BY_LEASE,
    member_with_points,
    rules,
    see,
)
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path / "chain", tills=2) as made:
        yield made


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    """Where copies are made."""
    return tmp_path / "usb"


def changes_key(chain: LittleChain, till: TillHere) -> None:
    chain.clock.advance(seconds=5)
    till.till.key_change.ask()
    assert till.sync()


def quarantined(chain: LittleChain) -> int:
    with chain.server.services.database.reading() as snapshot:
        return audit(snapshot).quarantined


def refusal(till: TillHere) -> str:
    """What a signed request of this till is refused with; empty where it is answered."""
    connection = ServerConnection(till.till.identity.server_url, till.till._key)
    try:
        connection.leases(LeaseRequest(protocol=8))
    except RefusedError as refused:
        return refused.code
    finally:
        connection.close()
    return ""


def test_a_wipe_reaches_a_till_whose_newest_key_the_restored_server_does_not_know(
    chain: LittleChain, usb: Path
) -> None:
    (till, _other) = chain.tills
    before = copied(chain, usb)
    changes_key(chain, till)
    restored(chain, before)
    wipe = chain.server.services.commands.wipe(till_id(till))
    for _ in range(4):
        till.sync()
    assert said(till).error_code == "till-wiped"
    assert states(chain) == {wipe: CommandState.DONE}
    assert refusal(till) == "revoked-key"
    forget(chain, till)


def test_a_till_is_revoked_though_the_restored_server_does_not_know_its_newest_key(
    chain: LittleChain, usb: Path
) -> None:
    (till, _other) = chain.tills
    before = copied(chain, usb)
    changes_key(chain, till)
    restored(chain, before)
    chain.server.services.commands.revoke(till_id(till))
    till.sell(BISCUIT)
    till.sync()
    assert refusal(till) == "revoked-key"
    assert quarantined(chain) > 0


@pytest.mark.parametrize("by", ["revoke", "stolen"])
def test_a_till_that_was_revoked_after_the_copy_stays_revoked(
    chain: LittleChain, usb: Path, by: str
) -> None:
    (till, other) = chain.tills
    before = copied(chain, usb)
    chain.clock.advance(seconds=5)
    if by == "revoke":
        chain.server.services.commands.revoke(till_id(till))
    else:
        chain.server.services.commands.wipe(till_id(till), is_stolen=True)
    copied(chain, usb)  # brings the list beside the copies up to date
    restored(chain, before)
    assert refusal(till) == "revoked-key"
    assert refusal(other) == ""


def test_a_machine_that_was_enrolled_after_a_revocation_is_trusted_after_a_restore(
    chain: LittleChain, usb: Path
) -> None:
    (stolen, _other) = chain.tills
    services = chain.server.services
    before = copied(chain, usb)
    chain.clock.advance(seconds=5)
    services.commands.revoke(till_id(stolen))
    chain.clock.advance(seconds=5)
    store = OpenStore(TillFolder(chain.folder / "next"))
    store.enrol(url=chain.server.url, code=services.enrolment.issue_code(till_id(stolen)))
    new = Till(store, Surroundings(clock=chain.clock))
    new.sync.try_once()
    copied(chain, usb)
    restored(chain, before)
    new.sync.try_once()
    assert not new.is_offline()
    assert refusal(stolen) == "revoked-key"
    new.close()


def test_tills_go_on_with_a_server_restored_from_before_its_key_was_taken_back(
    chain: LittleChain, usb: Path
) -> None:
    (till, other) = chain.tills
    till.sell(BISCUIT)
    chain.drain()
    before = copied(chain, usb)
    change_server(chain, "signing", "revoke")
    publish(chain, "after")
    chain.drain()
    # This one's certificate is of the key that the copy does not have.
    changes_key(chain, till)
    till.sell(BISCUIT)
    chain.drain()
    copied(chain, usb)

    restored(chain, before)
    publish(chain, "again")
    for one in chain.tills:
        one.sell(BISCUIT)
    chain.drain()

    assert [one.till.pricing().programme.names.en for one in chain.tills] == ["again", "again"]
    assert said(other).error_code == ""
    with chain.server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
    chain.server.stop()
    chain.server.start()
    chain.drain()


def test_no_till_keeps_a_programme_that_only_a_key_taken_back_has_signed(
    chain: LittleChain, usb: Path
) -> None:
    publish(chain, "before")
    chain.drain()
    before = copied(chain, usb)
    publish(chain, "lost")
    chain.drain()
    change_server(chain, "signing", "revoke")
    copied(chain, usb)
    restored(chain, before)
    chain.drain()
    assert {one.till.pricing().programme.names.en for one in chain.tills} == {"before"}


def test_a_copy_with_a_root_that_was_replaced_asks_for_the_newest(
    chain: LittleChain, usb: Path
) -> None:
    before = copied(chain, usb)
    change_server(chain, "root", "signing", "revoke")
    chain.drain()
    copied(chain, usb)
    root = (chain.server.folder / KEYS_FOLDER / ROOT_FILE).read_bytes()
    with pytest.raises(EnvironmentFault) as refused:
        restored(chain, before)
    assert refused.value.code == "root-key-replaced"
    assert not (chain.server.folder / KEYS_FOLDER).exists()
    restore(
        chain.server.folder,
        Source(backup=before, passphrase=PASSPHRASE, root_key=root),
        clock=chain.clock,
    )
    chain.server.start()
    publish(chain, "again")
    for one in chain.tills:
        one.sell(BISCUIT)
    chain.drain()
    assert {one.till.pricing().programme.names.en for one in chain.tills} == {"again"}


def test_what_waits_for_a_till_is_believed_after_the_key_that_signed_it_was_taken_back(
    chain: LittleChain,
) -> None:
    (till, other) = chain.tills
    upgrade = chain.server.services.commands.upgrade(till_id(other), "99.1")
    assert other.sync()
    wipe = chain.server.services.commands.wipe(till_id(till))
    change_server(chain, "signing", "revoke")
    for _ in range(4):
        till.sync()
        other.sync()
    assert said(till).error_code == "till-wiped"
    assert said(other).error_code == ""
    assert states(chain) == {upgrade: CommandState.SEEN, wipe: CommandState.DONE}
    forget(chain, till)


@pytest.fixture
def budget(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path / "budget", programme=BUDGET) as made:
        yield made


@pytest.fixture
def by_lease(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path / "leases", programme=BY_LEASE) as made:
        yield made


def test_a_grant_is_believed_after_the_key_that_signed_it_was_taken_back(
    budget: LittleChain,
) -> None:
    (till, _other) = budget.tills

    def asked() -> LeaseTerms:
        """What the server grants, as far as the till believes it."""
        connection = till.till.connect()
        signed = connection.leases(LeaseRequest(protocol=8, budget=True)).budget
        connection.close()
        assert signed is not None
        return lease_of(signed, till.till.trust.key_for(signed), till.till.identity.journal)

    before = asked()
    change_server(budget, "signing", "revoke")
    till.till.trust.learn()
    assert asked() == before, "the same grant, for the first answer may have been lost"


def test_leases_are_shown_to_a_server_restored_from_before_their_key(
    by_lease: LittleChain, usb: Path
) -> None:
    (till, _other) = by_lease.tills
    member = member_with_points(by_lease)
    before = copied(by_lease, usb)
    change_server(by_lease, "signing")
    see(till, member)
    till.sell(*[BISCUIT] * 8, member=member, points=50)
    copied(by_lease, usb)
    restored(by_lease, before)
    by_lease.drain()
    assert rules(by_lease) == ["server-restored"]


def test_a_lease_of_a_key_that_was_taken_back_is_not_taken_from_a_till(
    by_lease: LittleChain, usb: Path
) -> None:
    (till, _other) = by_lease.tills
    member = member_with_points(by_lease)
    before = copied(by_lease, usb)
    see(till, member)
    # The till hears nothing of the new key until the server was restored.
    by_lease.plugs[0].pull()
    change_server(by_lease, "signing", "revoke")
    copied(by_lease, usb)
    restored(by_lease, before)
    by_lease.plugs[0].plug_in()
    by_lease.drain()
    with by_lease.server.services.database.reading() as snapshot:
        kept = snapshot.connection.execute(select(leases.c.lease_id)).all()
    assert kept == [], "whoever has that key could have made it"
