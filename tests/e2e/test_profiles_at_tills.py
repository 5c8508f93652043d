"""Profiles changed at two tills of one chain: shown at once, merged, the same everywhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.services.profiles import consents_of
from desktop.store.members import Member
from desktop.sync.http import ServerConnection
from shared.errors import DomainError
from shared.trade.consent import Consent
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere, Weather

PHONE, OTHER = "13987650421", "13912340421"
SMS = Consent.NEWS_BY_SMS


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path) as made:
        yield made


def change(till: TillHere, member: Member, **wanted) -> Member:
    known = till.member(member.member_id)
    edit = till.till.profiles.edit(known, **wanted)
    approvals = ()
    if edit.replaces:
        boss = till.operator_id
        approvals = (till.till.operators.approve(boss, "1234", action="member-change"),)
    return till.till.profiles.write(edit, operator_id=till.operator_id, approvals=approvals)


def shown(till: TillHere, member: Member) -> tuple[str, str, str, frozenset[Consent]]:
    now = till.member(member.member_id)
    return now.name, now.phone_tail, now.birthday, consents_of(now.consents)


def enrolled(chain: LittleChain) -> Member:
    member = chain.tills[0].enrol("王静", PHONE)
    chain.drain()
    return member


def test_two_tills_without_a_network_change_one_member(chain):
    first, second = chain.tills
    member = enrolled(chain)
    for plug in chain.plugs:
        plug.pull()
    change(first, member, name="王静雯", birthday="0517", consents={SMS: True})
    chain.clock.advance(minutes=1)
    change(second, member, name="王小静", language="en")
    # Each shows its own word at once, also across a restart.
    second.restart()
    assert second.member(member.member_id).name == "王小静"
    assert [one.member_id for one in second.till.members.search("小静")] == [member.member_id]
    assert second.till.members.search("王静") == []
    chain.drain()
    assert shown(first, member) == shown(second, member)
    assert shown(first, member) == ("王小静", "0421", "--05-17", frozenset({SMS}))
    assert first.member(member.member_id).language == "en"


def waiting(till: TillHere) -> int:
    """Own changes that no row of the server has yet."""
    with till.till.books.reading() as connection:
        return connection.exec_driver_sql("SELECT COUNT(*) FROM profile_changes").scalar()


def test_a_row_that_lacks_an_own_change_does_not_take_it_back(chain, monkeypatch):
    first, second = chain.tills
    member = enrolled(chain)
    first.sell(BISCUITS.barcodes[0], member=member)
    assert first.sync()
    weather = Weather(chain.plugs[1])
    monkeypatch.setattr(ServerConnection, "_send", weather.send(ServerConnection._send))
    # The page that shows the sale was read before this change, and arrives after it.
    weather.amid = lambda: change(second, member, name="王小静", consents={SMS: True})
    assert second.sync()
    now = second.member(member.member_id)
    assert (now.name, now.points) == ("王小静", first.member(member.member_id).points)
    assert SMS in consents_of(now.consents)
    assert waiting(second) == 1
    chain.drain()
    assert waiting(second) == 0
    assert shown(first, member) == shown(second, member)


def test_a_withdrawal_without_a_network_holds_against_a_grant_that_did_not_know_of_it(chain):
    first, second = chain.tills
    member = enrolled(chain)
    change(first, member, consents={SMS: True})
    chain.drain()
    chain.plugs[1].pull()
    change(second, member, consents={SMS: False})
    chain.clock.advance(days=1)
    change(first, member, consents={SMS: False})
    change(first, member, consents={SMS: True})
    assert SMS in shown(first, member)[3]
    chain.drain()
    assert SMS not in shown(first, member)[3]
    # Asked again, in the knowledge of it.
    change(first, member, consents={SMS: True})
    chain.drain()
    assert SMS in shown(second, member)[3]
    assert len(second.member(member.member_id).consents) == 1


def test_a_phone_is_replaced_by_a_manager_only_and_the_old_one_finds_nobody_then(chain):
    first, second = chain.tills
    member = enrolled(chain)
    edit = second.till.profiles.edit(second.member(member.member_id), phone=OTHER)
    assert edit.replaces
    for approvals in (
        (),
        (second.till.operators.approve(second.operator_id, "1234", action="price-override"),),
    ):
        with pytest.raises(DomainError, match="approval-needed"):
            second.till.profiles.write(edit, operator_id=second.operator_id, approvals=approvals)
    change(second, member, phone=OTHER)
    assert [one.member_id for one in second.till.members.by_phone(OTHER)] == [member.member_id]
    chain.drain()
    for till in (first, second):
        assert [one.member_id for one in till.till.members.by_phone(OTHER)] == [member.member_id]
        assert till.till.members.by_phone(PHONE) == []


def test_somebody_erased_meanwhile_is_not_changed(chain):
    first, second = chain.tills
    member = enrolled(chain)
    edit = first.till.profiles.edit(first.member(member.member_id), name="还在")
    chain.plugs[1].pull()
    change(second, member, name="又回来了", phone=OTHER)
    chain.server.services.erasure.erase(member.member_id, reason="request")
    assert first.sync()
    with pytest.raises(DomainError, match="unknown-member"):
        first.till.profiles.write(edit, operator_id=first.operator_id)
    chain.drain()
    for till in chain.tills:
        assert till.member(member.member_id) is None
        till.till.store.writer.scrub().result(10)
    chain.close()
    for file in chain.folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(text.encode() in content for text in ("还在", "又回来了", OTHER)), file


def test_what_is_typed_as_it_is_changes_nothing(chain):
    (first, _second), member = chain.tills, enrolled(chain)
    unsent = first.till.unsent()
    edit = first.till.profiles.edit(
        first.member(member.member_id), name="王静", phone="139 8765 0421", consents={SMS: False}
    )
    assert edit.is_empty
    first.till.profiles.write(edit, operator_id=first.operator_id)
    assert first.till.unsent() == unsent
    other = first.enrol("别人", OTHER)
    with pytest.raises(DomainError, match="member-exists"):
        first.till.profiles.edit(first.member(other.member_id), phone=PHONE)
