"""A restored server grants nothing until it knows again what tills hold."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from desktop.reckoning.file import read_server
from desktop.services.leases import LeasedAccount
from desktop.store.members import Member
from shared.errors import DomainError
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import template
from shared.loyalty.leasing import Leases
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import open_copier
from sync_server.leases.exposure import outstanding
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

PASSPHRASE = "four words of a song"
BISCUIT = BISCUITS.barcodes[0]
BY_LEASE = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=2, programme=BY_LEASE) as made:
        yield made


def back_up(chain: LittleChain) -> Path:
    with open_copier(chain.server.folder, clock=chain.clock) as copier:
        copy = replace(copier, log2_n=4).make(chain.folder / "usb", PASSPHRASE, off_machine=True)
    return copy.file


def lose_and_restore(chain: LittleChain, copy: Path) -> None:
    chain.server.stop()
    shutil.rmtree(chain.server.folder)
    restore(chain.server.folder, Source(backup=copy, passphrase=PASSPHRASE), clock=chain.clock)
    chain.server.start()


def member_with_points(chain: LittleChain) -> Member:
    first = chain.tills[0]
    member = first.enrol("李雷", phone="13800138000")
    first.sell(*[BISCUIT] * 60, member=member)
    chain.drain()
    found = first.member(member.member_id)
    assert found is not None
    return found


def right(till: TillHere, member: Member) -> int:
    account = LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)
    return till.till.leases.right(account).amount


def ask(till: TillHere, member: Member, wanted: int = 0) -> None:
    account = LeasedAccount(AccountKind.POINTS, member.member_id, member.member_id)
    till.till.leases.want(account, wanted)
    for _ in range(3):
        assert till.sync()


def rules(chain: LittleChain) -> list[str]:
    return [
        entry.told["body"]["rule"]
        for entry in read_server(chain.server.database).entries()
        if entry.told["kind"] == "exception_raised"
    ]


def test_nothing_is_granted_until_every_till_has_shown_what_it_holds(chain: LittleChain) -> None:
    east, west = chain.tills
    member = member_with_points(chain)
    copy = back_up(chain)
    ask(east, member)
    half = right(east, member)
    assert half == member.points // 2
    chain.plugs[0].pull()
    east.sell(*[BISCUIT] * 8, member=member, points=100)
    lose_and_restore(chain, copy)

    ask(west, member, member.points)

    assert right(west, member) == 0
    with pytest.raises(DomainError, match="leases-rest-at-server"):
        west.sell(*[BISCUIT] * 8, member=member, points=50)
    west.counter.checkout.clear()

    chain.plugs[0].plug_in()
    for _ in range(3):
        assert east.sync()

    ask(west, member)
    assert 0 < right(west, member) <= member.points - half
    assert right(east, member) == half - 100
    assert "lease-unknown" not in rules(chain)
    assert "lease-overspent" not in rules(chain)
    chain.drain()
    with chain.server.services.database.reading() as snapshot:
        left = sum(one.left for one in outstanding(snapshot))
    assert left <= member.points


def test_a_till_that_had_sent_everything_shows_its_leases_before_it_sends_again(
    chain: LittleChain,
) -> None:
    east = chain.tills[0]
    member = member_with_points(chain)
    copy = back_up(chain)
    ask(east, member)
    east.sell(*[BISCUIT] * 8, member=member, points=100)
    assert east.sync()
    assert east.till.unsent() == 0
    lose_and_restore(chain, copy)

    chain.drain()

    assert [rule for rule in rules(chain) if rule.startswith(("lease", "spent"))] == []


def test_a_till_that_does_not_come_back_holds_leases_up_for_one_term(chain: LittleChain) -> None:
    west = chain.tills[1]
    member = member_with_points(chain)
    copy = back_up(chain)
    chain.plugs[0].pull()
    lose_and_restore(chain, copy)
    ask(west, member)
    assert right(west, member) == 0

    chain.clock.advance(hours=24)
    ask(west, member)

    assert right(west, member) == member.points // 2
