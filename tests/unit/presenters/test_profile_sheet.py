"""A member's profile changed under the cashier's hands, by keys alone."""

from desktop.presenters.intent import Edit, Key
from desktop.presenters.text import key_of
from desktop.presenters.view import Fields
from tests.support.till_fixture import MANAGER_PIN


def enrol(selling) -> None:
    selling.press(Key.F3)
    selling.act("enrol")
    selling.press(Key.ENTER, name="王小明", phone="13800138000")


def open_sheet(selling) -> dict[str, str]:
    """F3 and F8 for whoever the sale is for; what the fields show."""
    selling.press(Key.F3)
    selling.press(Key.F8)
    (fields,) = (part for part in selling.view.overlay.parts if isinstance(part, Fields))
    return {one.name: one.value for one in fields.fields}


def test_a_name_a_birthday_and_a_consent_are_changed_by_keys(selling):
    enrol(selling)
    shown = open_sheet(selling)
    assert shown == {
        "name": "王小明",
        "phone": "",
        "card": "",
        "birthday": "",
        "language": "",
        "news-by-sms": "no",
        "news-by-email": "no",
        "purchases": "no",
    }
    wanted = {"name": "王晓明", "birthday": "0517", "language": "zh_CN", "news-by-sms": "yes"}
    selling.press(Key.ENTER, **shown | wanted)
    assert selling.told.key == "till.profile.saved"
    assert selling.view.overlay is None
    assert selling.sale.member.name == "王晓明"
    assert open_sheet(selling) == shown | wanted | {"birthday": "05-17"}


def test_another_birthday_asks_for_a_manager(selling):
    enrol(selling)
    open_sheet(selling)
    selling.press(Key.ENTER, birthday="0517")
    open_sheet(selling)
    selling.press(Key.ENTER, birthday="0618")
    assert selling.view.overlay.kind == "approval"
    selling.type(MANAGER_PIN)
    selling.press(Key.ENTER)
    assert selling.told.key == "till.profile.saved"
    assert open_sheet(selling)["birthday"] == "06-18"


def test_the_manager_says_no(selling):
    enrol(selling)
    open_sheet(selling)
    selling.press(Key.ENTER, phone="13900139000")
    selling.press(Key.ESC)
    selling.press(Key.ESC)
    assert selling.till.members.by_phone("13900139000") == []
    assert len(selling.till.members.by_phone("13800138000")) == 1


def test_what_is_wrong_is_told_and_the_sheet_stays(selling):
    enrol(selling)
    open_sheet(selling)
    selling.press(Key.ENTER, birthday="3.17.1990")
    assert selling.told.key == "error.bad-birthday"
    assert key_of(selling.view.overlay.title) == "till.profile.title"


def test_the_one_who_is_selected_in_the_search_is_changed(selling):
    enrol(selling)
    selling.press(Key.F3)
    selling.act("enrol")
    selling.press(Key.ENTER, name="李雷", phone="13700137000")
    selling.press(Key.F3)
    selling.do(Edit("text", "小明"))
    selling.press(Key.F8)
    (fields,) = (part for part in selling.view.overlay.parts if isinstance(part, Fields))
    assert fields.fields[0].value == "王小明"


def test_there_is_nothing_to_change_where_nobody_was_found(selling):
    enrol(selling)
    selling.press(Key.F3)
    assert "F8" in [one.key for one in selling.view.overlay.buttons]
    selling.do(Edit("text", "nobody"))
    assert "F8" not in [one.key for one in selling.view.overlay.buttons]
