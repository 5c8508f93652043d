"""Members found by card, phone, last digits and name; enrolled without any network."""

import pytest

from desktop.reckoning.file import read_till
from desktop.services.scanning import MemberAttached, MemberUnknown
from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import member_code, own_digits
from shared.errors import DomainError
from shared.trade.profile import NAME_LENGTH_MAX
from tests.support.desk import BISCUIT_CODE, open_desk

CARD = member_code("4" * own_digits(CodeKind.MEMBER))
OTHER_CARD = member_code("5" * own_digits(CodeKind.MEMBER))


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [CARD, "13800138000", "+86 138-0013-8000", "0086 13800138000", "8000", "韩梅梅", "梅梅", "韩"],
)
def test_a_member_is_found_by_whatever_they_have_at_hand(desk, text):
    member = desk.enrol("韩梅梅", "138 0013 8000", CARD)
    desk.enrol("李雷", "13911112222", OTHER_CARD)
    assert [found.member_id for found in desk.till.members.search(text)] == [member.member_id]


@pytest.mark.parametrize("text", ["", "  ", "138001", "9999", "王", "%", "_", "' OR 1=1 --"])
def test_nobody_is_found_by_nothing_by_too_little_or_by_tricks(desk, text):
    desk.enrol("韩梅梅", "13800138000", CARD)
    assert desk.till.members.search(text) == []


def test_names_are_found_without_regard_to_case_and_from_any_place(desk):
    member = desk.enrol("Ana María de la Cruz", "", CARD)
    for text in ("ana", "MARÍA", "la cruz", "z"):
        assert [found.member_id for found in desk.till.members.search(text)] == [member.member_id]


def test_a_member_made_offline_buys_at_once_and_is_there_after_a_restart(folder):
    desk = open_desk(folder)
    member = desk.enrol(card=CARD)
    assert member.points == 0
    desk.sell(*[BISCUIT_CODE] * 2, member=member)
    assert desk.member(member).points == 25
    desk.till.close()
    desk = open_desk(folder)
    assert desk.till.members.by_card(CARD).points == 25
    desk.till.close()


def test_the_card_attaches_its_member_and_a_strange_one_offers_enrolment(desk):
    member = desk.enrol(card=CARD)
    assert desk.counter.scanning.scan(CARD) == MemberAttached(member)
    assert desk.counter.scanning.scan(OTHER_CARD) == MemberUnknown(OTHER_CARD)
    assert desk.counter.checkout.basket.state.member == member


SECRETS = ("梅梅", "13800138000", "8000138", CARD, "--02-29")


def test_the_entry_tells_nothing_of_the_person(desk):
    desk.enrol("韩梅梅", "13800138000", CARD, "0229")
    entries = list(read_till(desk.till.store.folder.database).entries())
    for entry in entries:
        text = entry.encoded.decode()
        assert not any(
            secret in text for secret in ("梅梅", "13800138000", "8000138", CARD, "02-29", "0229")
        )


@pytest.mark.parametrize(
    ("name", "phone", "card", "code", "fields"),
    [
        ("李雷", "", "", "member-needs-phone-or-card", {}),
        ("李雷", "  ", " ", "member-needs-phone-or-card", {}),
        ("李雷", "1234", "", "bad-phone", {}),
        ("李雷", "1" * 16, "", "bad-phone", {}),
        ("李雷", "abc", "", "bad-phone", {}),
        ("名" * (NAME_LENGTH_MAX + 1), "13800138000", "", "name-too-long", {"limit": 60}),
        ("别人", "13800138001", "", "member-exists", {}),
        ("别人", "86 138 0013 8001", "", "member-exists", {}),
        ("别人", "", CARD, "member-exists", {}),
        ("别人", "13800138002", "", "bad-birthday", {}),
    ],
)
def test_who_cannot_be_enrolled_and_why(desk, name, phone, card, code, fields):
    desk.enrol("某人", "13800138001", CARD)
    before = len(list(read_till(desk.till.store.folder.database).entries()))
    birthday = "1332" if code == "bad-birthday" else ""
    error = refused(desk.enrol, name, phone, card, birthday)
    assert (error.code, error.fields) == (code, fields)
    assert len(list(read_till(desk.till.store.folder.database).entries())) == before
