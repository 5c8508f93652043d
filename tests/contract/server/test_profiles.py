"""Profiles changed in several places: what holds, who is found, what head office is told."""

import pytest
from sqlalchemy import select

from shared.clock import HybridTime
from shared.errors import DomainError
from shared.ids import EntryId, MemberId
from shared.protocol.message import MemberRow, Stream
from shared.trade.consent import Consent, granted
from shared.trade.fact import Approval
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from shared.trade.profile_change import ConsentDecided
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.ledger.finding import Rule
from sync_server.members.consents import standing_consents
from sync_server.members.merging import Verified
from sync_server.members.rows import find_member
from tests.support.servers import Server
from tests.support.till_writer import TillWriter, rows_of

PHONE, OTHER = "13800138000", "13900139000"
APPROVED = (
    Approval(approval_id="a", action="member-change", approver_id="boss"),  # type: ignore[arg-type]
)
SMS = Consent.NEWS_BY_SMS


@pytest.fixture
def tills(server: Server) -> tuple[TillWriter, TillWriter]:
    return server.enrol_till("one"), server.enrol_till("two")


def push(server: Server, *tills: TillWriter) -> list[str]:
    """Send what is new; the rules of the exceptions about it."""
    found: list[str] = []
    for till in tills:
        with server.services.database.reading() as snapshot:
            known = select(schema.heads.c.next_seq).where(schema.heads.c.journal == till.journal)
            start = int(snapshot.connection.execute(known).scalar_one())
        found += [one.rule for one in server.line.push(till, start).exceptions]
    return found


def row(server: Server, member: MemberId) -> MemberRow:
    with server.services.database.reading() as snapshot:
        return find_member(snapshot, member)[0]


def found_by(server: Server, till: TillWriter, phone: str) -> list[str]:
    key = lookup_hash(till.reply.lookup_key, KeyKind.PHONE, phone)
    return [one.member_id for one in server.line.look_up(till, member_key=key).members]


def agrees(server: Server, member: MemberId) -> bool:
    with server.services.database.reading() as snapshot:
        return SMS in granted(standing_consents(snapshot, [member]).get(member, ()))


def decide(till: TillWriter, member: MemberId, is_granted: bool, *seen: EntryId) -> EntryId:
    decided = ConsentDecided(consent=SMS, is_granted=is_granted, seen=seen)
    return till.change_member(member, decided)


def test_a_later_change_holds_though_it_arrives_first(server, tills):
    first, second = tills
    member = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE, birthday="--05-17"))
    push(server, first)
    first.change_member(member, name="Li Lai", email="li@example.com")
    second.clock.advance(minutes=1)
    second.change_member(member, name="Lily")
    assert push(server, second) == []
    assert push(server, first) == []
    found = row(server, member)
    # Field by field: what only the earlier one told stays.
    assert (found.name, found.birthday, found.phone_tail) == ("Lily", "--05-17", "8000")
    assert server.services.profiles.change(member, {"email": "li@example.com"}) is False


def test_a_slow_clock_does_not_lose_against_what_it_has_seen(server, tills):
    first, second = tills
    member = first.enrol_member()
    first.change_member(member, name="Li Lai")
    push(server, first)
    second.clock.advance(hours=-3)
    (seen,) = rows_of(server.line.pull(second, Stream.MEMBERS), MemberRow)
    second.hybrid.witness(HybridTime(seen.changed_hlc))
    second.change_member(member, name="Lily")
    push(server, second)
    assert row(server, member).name == "Lily"


def test_a_clock_far_ahead_gives_way_and_is_told(server, tills):
    first, second = tills
    member = first.enrol_member()
    push(server, first)
    second.clock.advance(minutes=11)
    second.change_member(member, name="Wrong")
    assert push(server, second) == [Rule.CLOCK_SUSPECT]
    # Nobody else has said anything: it holds, until somebody does.
    assert row(server, member).name == "Wrong"
    first.change_member(member, name="Right")
    push(server, first)
    assert row(server, member).name == "Right"
    assert row(server, member).changed_hlc < second.entries[-1].envelope.hlc


def test_a_clock_a_little_ahead_is_believed(server, tills):
    first, second = tills
    member = first.enrol_member()
    push(server, first)
    second.clock.advance(minutes=9)
    second.change_member(member, name="Later")
    first.change_member(member, name="Earlier")
    assert push(server, second, first) == []
    assert row(server, member).name == "Later"


def test_two_tills_that_tell_different_birthdays_are_shown_to_head_office(server, tills):
    first, second = tills
    member = first.enrol_member()
    push(server, first)
    told = first.change_member(member, birthday="--05-17")
    other = second.change_member(member, birthday="--06-18")
    assert push(server, first) == []
    assert push(server, second) == [Rule.PROFILE_DIFFERS]
    with server.services.database.reading() as snapshot:
        linked = select(schema.exception_facts.c.fact_id)
        assert set(snapshot.connection.execute(linked).scalars()) == {told, other}
    # Head office puts it right, and that is no news to head office.
    assert server.services.profiles.change(member, {"birthday": "1990-05-17"})
    assert row(server, member).birthday == "--05-17"
    push(server, second)
    with server.services.database.reading() as snapshot:
        assert len(snapshot.connection.execute(select(schema.exceptions)).all()) == 1


@pytest.mark.parametrize(("approvals", "expected"), [((), [Rule.PROFILE_DIFFERS]), (APPROVED, [])])
def test_a_phone_moved_without_a_manager_is_shown(server, tills, approvals, expected):
    first, _second = tills
    member = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE))
    push(server, first)
    first.change_member(member, phone=OTHER, approvals=approvals)
    assert push(server, first) == expected


def test_a_number_that_is_given_up_finds_the_next_who_has_it(server, tills):
    first, second = tills
    holder = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE))
    push(server, first)
    other = second.enrol_member(MemberProfile(name="Han Meimei", phone=PHONE))
    assert push(server, second) == [Rule.DUPLICATE_MEMBER_KEY]
    assert found_by(server, first, PHONE) == [holder]
    first.change_member(holder, phone=OTHER, approvals=APPROVED)
    assert push(server, first) == []
    assert found_by(server, first, PHONE) == [other]
    assert found_by(server, first, OTHER) == [holder]


def test_the_number_of_somebody_erased_finds_the_next_who_has_it(server, tills):
    first, second = tills
    holder = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE))
    other = second.enrol_member(MemberProfile(name="Han Meimei", phone=PHONE))
    push(server, first, second)
    server.services.erasure.erase(holder, reason="request")
    assert found_by(server, first, PHONE) == [other]


def test_what_an_alias_tells_late_finds_the_other_and_comes_back_with_it(server, tills):
    first, second = tills
    into = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE))
    alias = first.enrol_member(MemberProfile(name="Li Lei", card="C1"))
    push(server, first)
    merge = server.services.merging.merge(alias, into, verified=Verified.OFFICE)
    second.change_member(alias, phone=OTHER)
    push(server, second)
    assert found_by(server, first, OTHER) == [into]
    server.services.merging.unmerge(merge)
    assert found_by(server, first, OTHER) == [alias]
    assert found_by(server, first, PHONE) == [into]


def test_an_unmerge_robs_nobody_who_has_the_number_by_now(server, tills):
    first, second = tills
    into = first.enrol_member(MemberProfile(name="Li Lei", phone=OTHER))
    alias = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE, card="C1"))
    push(server, first)
    merge = server.services.merging.merge(alias, into, verified=Verified.OFFICE)
    second.change_member(alias, phone="", approvals=APPROVED)
    push(server, second)
    new = second.enrol_member(MemberProfile(name="Han Meimei", phone=PHONE))
    assert push(server, second) == []
    server.services.merging.unmerge(merge)
    assert found_by(server, first, PHONE) == [new]


def test_a_second_enrolment_under_ones_number_changes_nothing(server, tills):
    first, second = tills
    member = first.enrol_member(MemberProfile(name="Li Lei", phone=PHONE))
    push(server, first)
    second.enrol_member(MemberProfile(name="Thief", phone=OTHER), member)
    assert push(server, second) == [Rule.ENROLLED_TWICE]
    assert row(server, member).name == "Li Lei"
    assert found_by(server, first, OTHER) == []


def test_a_withdrawal_holds_until_a_grant_that_has_seen_it(server, tills):
    first, second = tills
    member = first.enrol_member()
    push(server, first)
    assert not agrees(server, member)
    decide(first, member, True)
    push(server, first)
    assert agrees(server, member)
    withdrawn = decide(second, member, False)
    second.clock.advance(hours=-1)
    push(server, second)
    assert not agrees(server, member)
    # Later, and without knowing of it: the withdrawal holds.
    first.clock.advance(hours=1)
    decide(first, member, True, first.entries[1].id)
    push(server, first)
    assert not agrees(server, member)
    stand = [one.decision for one in row(server, member).consents]
    assert withdrawn in stand
    decide(first, member, True, *map(EntryId, stand))
    push(server, first)
    assert agrees(server, member)
    assert len(row(server, member).consents) == 1


def test_a_withdrawal_of_an_alias_is_one_of_the_person_and_leaves_with_it(server, tills):
    first, _second = tills
    into, alias = first.enrol_member(), first.enrol_member(MemberProfile(name="x", card="C1"))
    decide(first, into, True)
    decide(first, alias, False)
    push(server, first)
    assert agrees(server, into)
    merge = server.services.merging.merge(alias, into, verified=Verified.OFFICE)
    assert not agrees(server, into)
    server.services.merging.unmerge(merge)
    assert agrees(server, into)


def test_a_late_change_brings_nobody_back(server, tills):
    first, second = tills
    member = first.enrol_member()
    push(server, first)
    second.change_member(
        member, ConsentDecided(consent=SMS, is_granted=True), name="Back", phone=OTHER
    )
    server.services.erasure.erase(member, reason="request")
    push(server, second)
    server.line.push(second)
    with server.services.database.reading() as snapshot:
        kept = snapshot.connection.execute(select(schema.members)).one()
        assert (kept.name, kept.phone, kept.changed_hlc, kept.gone) == ("", "", "", True)
        for table in (schema.attachments, schema.consents, schema.key_claims, schema.member_keys):
            assert snapshot.connection.execute(select(table)).all() == []
        assert audit(snapshot).flaws == []


def test_a_fact_that_answers_twice_waits_in_quarantine(server, tills):
    first, _second = tills
    member = first.enrol_member()
    twice = [ConsentDecided(consent=SMS, is_granted=one) for one in (True, False)]
    with pytest.raises(ValueError, match="decided twice"):
        first.change_member(member, *twice)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("phone", "12", "bad-phone"),
        ("name", "x" * 61, "name-too-long"),
        ("birthday", "1990-02-30", "bad-birthday"),
        ("email", "nobody", "bad-email"),
        ("language", "de", "bad-language"),
        ("card", "x" * 300, "bad-card"),
    ],
)
def test_head_office_is_told_what_is_wrong(server, tills, field, text, code):
    member = tills[0].enrol_member()
    push(server, tills[0])
    with pytest.raises(DomainError) as caught:
        server.services.profiles.change(member, {field: text})
    assert caught.value.code == code


def test_a_member_keeps_a_phone_or_a_card(server, tills):
    member = tills[0].enrol_member()
    push(server, tills[0])
    with pytest.raises(DomainError, match="member-needs-phone-or-card"):
        server.services.profiles.change(member, {"phone": ""})
