"""What tills get to know of a member: month and day of a birthday, segments, and nothing more."""

from datetime import date

import msgspec
import pytest
from sqlalchemy import event

from shared.errors import DomainError
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import (
    PROTOCOL,
    LookupReply,
    LookupRequest,
    MemberRow,
    PullReply,
    PullRequest,
    Stream,
)
from shared.trade.fact import CardStamped, Tender, TenderKind
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from shared.trade.value import ValueBalance, ValueToppedUp
from sync_server.members.segments import segments_of
from tests.support.till_writer import rows_of, where

BORN = MemberProfile(
    name="Li Lei", phone="13800138000", birthday="1987-07-23", email="li@example.com"
)


@pytest.fixture
def till(server):
    """A till with one member enrolled and pushed."""
    till = server.enrol_till()
    till.member = till.enrol_member(BORN)
    server.line.push(till)
    return till


def row(server, till, cursor=None) -> MemberRow:
    (found,) = rows_of(server.line.pull(till, Stream.MEMBERS, cursor), MemberRow)
    return found


def test_a_birthday_is_told_without_its_year(server, till):
    reply = server.line.pull(till, Stream.MEMBERS)
    assert row(server, till).birthday == "--07-23"
    told = b"".join(bytes(one) for one in reply.rows)
    assert b"1987" not in told
    assert b"example.com" not in told


def test_segments_come_with_the_row_and_go_with_it(server, till):
    segments = server.services.segments
    cursor = server.line.pull(till, Stream.MEMBERS).cursor
    assert segments.put("young", [till.member, till.member]) == 1
    assert segments.put("朋友", [till.member]) == 1
    assert segments.put("young", [till.member]) == 0
    changed = row(server, till, cursor)
    assert set(changed.segments) == {"young", "朋友"}
    cursor = server.line.pull(till, Stream.MEMBERS, cursor).cursor
    assert segments.take_out("young", [till.member]) == 1
    assert segments.take_out("young", [till.member]) == 0
    assert row(server, till, cursor).segments == ("朋友",)
    assert segments.put("young", [till.member]) == 1
    assert len(row(server, till, cursor).segments) == 2


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 61])
def test_a_name_that_is_none_makes_no_segment(server, till, name):
    with pytest.raises(DomainError, match="bad-segment"):
        server.services.segments.put(name, [till.member])


def test_nobody_is_put_anywhere_where_one_is_not_known(server, till):
    with pytest.raises(DomainError, match="unknown-member"):
        server.services.segments.put("young", [till.member, "nobody"])
    assert row(server, till).segments == ()


def test_an_erased_member_has_neither(server, till):
    server.services.segments.put("young", [till.member])
    server.services.erasure.erase(till.member, reason="request")
    with server.services.database.reading() as snapshot:
        assert segments_of(snapshot, [till.member], ever=True) == {}
    assert row(server, till) == MemberRow(member_id=till.member, gone=True)
    with pytest.raises(DomainError, match="unknown-member"):
        server.services.segments.put("young", [till.member])


def test_a_till_of_the_protocol_before_reads_its_rows_as_ever(server, till):
    """It forbids fields that it does not know, so they are not there at all."""
    server.services.segments.put("young", [till.member])
    request = PullRequest(protocol=1, stream=Stream.MEMBERS, cursor=None)
    reply = server.line.post("/v1/sync/pull", request, PullReply, signer=till.key)
    (told,) = (msgspec.msgpack.decode(bytes(one)) for one in reply.rows)
    assert not {"birthday", "segments"} & told.keys()
    assert told["name"] == "Li Lei"
    key = lookup_hash(till.reply.lookup_key, KeyKind.PHONE, BORN.phone)
    asked = LookupRequest(protocol=1, member_key=key)
    old = server.line.post("/v1/lookup", asked, LookupReply, signer=till.key)
    (new,) = server.line.look_up(till, member_key=key).members
    assert (old.members[0].birthday, new.birthday) == ("", "--07-23")
    assert new.segments == ("young",)


@pytest.mark.parametrize(
    ("protocol", "knows_bonus"), [(1, False), (2, False), (4, True), (PROTOCOL, True)]
)
def test_the_bonus_of_stored_value_is_told_to_tills_that_know_it(
    server, till, protocol, knows_bonus
):
    place = {k: v for k, v in where(till).items() if k not in {"ticket_id", "engine"}}
    till.write(
        ValueToppedUp(
            **place,
            member_id=till.member,
            amount=10_000,
            bonus=500,
            tenders=(Tender(tender=TenderKind.CASH, amount=10_000),),
            after=ValueBalance(principal=10_000, bonus=500, as_of="2026-03-01T09:00:00.000+00:00"),
        )
    )
    server.line.push(till, 1)

    request = PullRequest(protocol=protocol, stream=Stream.MEMBERS, cursor=None)
    reply = server.line.post("/v1/sync/pull", request, PullReply, signer=till.key)

    (found,) = rows_of(reply, MemberRow)
    amounts = {one.account: one.amount for one in found.balances}
    assert amounts["stored-value"] == -10_000
    assert amounts.get("stored-bonus") == (-500 if knows_bonus else None)
    # What an older till is sent is not what is counted: it must not believe that it differs.
    assert (reply.scope_rows is not None) is (protocol == PROTOCOL)


@pytest.mark.parametrize("protocol", [4, PROTOCOL])
def test_stamps_and_referrals_are_told_to_tills_that_know_them(server, till, protocol):
    friend = till.enrol_member(MemberProfile(name="Han", phone="1"), referred_by=till.member)
    stamped = CardStamped(card="card", names={}, size=3, before=0, added=2, lines=(1,))
    till.sell(10_00, member=friend, cards=(stamped,))
    server.line.push(till, 1)

    request = PullRequest(protocol=protocol, stream=Stream.MEMBERS, cursor=None)
    reply = server.line.post("/v1/sync/pull", request, PullReply, signer=till.key)

    rows = {one.member_id: one for one in rows_of(reply, MemberRow)}
    told = {(one.account, one.unit): one.amount for one in rows[friend].balances}
    new = {("stamps", "stamps:card/0"): 2, ("referral", "referral/0"): 1}
    assert {key: told[key] for key in told.keys() & new} == (new if protocol == PROTOCOL else {})
    assert (reply.scope_rows is not None) is (protocol == PROTOCOL)


def test_what_can_wait_gives_way_to_a_page_that_is_read(server, till):
    database = server.services.database
    wanted = []

    def note(*_told) -> None:
        wanted.append(database.is_wanted)

    event.listen(database.engine, "before_cursor_execute", note)
    server.services.pull.page(
        till.certificate, PullRequest(protocol=PROTOCOL, stream=Stream.MEMBERS, cursor=None)
    )
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(wanted) > 1
    assert all(wanted)
    assert not database.is_wanted


@pytest.mark.parametrize(("protocol", "knows"), [(8, False), (PROTOCOL, True)])
def test_a_tier_set_by_hand_is_told_to_tills_that_know_of_it(server, till, protocol, knows):
    server.services.programme.publish(programme_bytes(template("default")))
    server.services.tiers.set(till.member, "gold", date(2027, 1, 31))
    request = PullRequest(protocol=protocol, stream=Stream.MEMBERS, cursor=None)
    reply = server.line.post("/v1/sync/pull", request, PullReply, signer=till.key)
    (found,) = rows_of(reply, MemberRow)
    told = [(one.account, one.lot, one.unit, one.amount) for one in found.balances]
    assert told == ([("tier-floor", "2027-01-31", "tier:gold/0", 1)] if knows else [])
    assert (reply.scope_rows is not None) is knows
