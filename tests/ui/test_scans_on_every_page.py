"""A scan on every page and sheet, in every text field and open list, in both languages.

The inventory at the end reads the presenters: a sheet that nobody opens here fails it.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from desktop.presenters.view import Page, SaleView
from shared.catalogue.codes import member_code
from shared.language import Language
from tests.support.till_fixture import APPLES, CHIPS, MANAGER_PIN, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
Open = Callable[[Hands], None]
CARD = member_code("1234567890123")
NEW_CARD = member_code("9234567890123")
PRESENTERS = Path(__file__).parents[2] / "desktop" / "presenters"
KINDS = re.compile(r'kind=f?"([a-z-]+)["{]')


def by_key(key: Qt.Key) -> Open:
    return lambda hands: hands.key(key)


def from_menu(name: str) -> Open:
    def go(hands: Hands) -> None:
        hands.key(Key.Key_F10)
        hands.tap("menu", name)

    return go


def drawer(kind: str) -> Open:
    def go(hands: Hands) -> None:
        hands.key(Key.Key_F9)
        hands.tap("kind", kind)

    return go


def hold_two(hands: Hands) -> None:
    for goods in (WATER, RICE):
        hands.scan(goods.barcodes[0])
        hands.key(Key.Key_F4)
        hands.clock.advance(seconds=1)
    hands.key(Key.Key_F4)


def weigh(hands: Hands) -> None:
    hands.type(APPLES.sku)
    hands.key(Key.Key_Return)


def price(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F8)


def approve(hands: Hands) -> None:
    price(hands)
    hands.type("1")
    hands.key(Key.Key_Return)


def tender(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F11)


def return_of_a_receipt(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    weigh(hands)
    hands.type("0.5")
    hands.key(Key.Key_Return)
    hands.key(Key.Key_F12)
    hands.clock.advance(seconds=1)
    assert hands.sale.change is not None
    hands.scan(hands.sale.change.receipt_no)


def return_without(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    hands.key(Key.Key_F5)
    hands.tap("without")


def close_shift(hands: Hands) -> None:
    from_menu("close-shift")(hands)


def difference(hands: Hands) -> None:
    close_shift(hands)
    hands.type("1")
    until_kind(hands, "close-difference")


def closed(hands: Hands) -> None:
    difference(hands)
    until_kind(hands, "closed")


def close_day(hands: Hands) -> None:
    closed(hands)
    hands.key(Key.Key_Return)


def day_closed(hands: Hands) -> None:
    close_day(hands)
    hands.key(Key.Key_Return)


def until_kind(hands: Hands, kind: str) -> None:
    """Enter goes through the fields, then on."""
    for _ in range(20):
        if getattr(hands.view.body, "kind", "") == kind:
            return
        hands.key(Key.Key_Return)
    raise AssertionError(kind)


SELLING: dict[str, Open] = {
    "sale": lambda _hands: None,
    "tender": tender,
    "help": by_key(Key.Key_F1),
    "goods-search": by_key(Key.Key_F2),
    "member-search": by_key(Key.Key_F3),
    "holds": hold_two,
    "return-start": by_key(Key.Key_F5),
    "coupons-": by_key(Key.Key_F6),
    "price": price,
    "approval": approve,
    "drawer": by_key(Key.Key_F9),
    "drawer-no-sale": drawer("no-sale"),
    "drawer-paid-in": drawer("paid-in"),
    "drawer-paid-out": drawer("paid-out"),
    "drawer-drop": drawer("drop"),
    "menu": by_key(Key.Key_F10),
    "figures": from_menu("figures"),
    "receipts": from_menu("receipts"),
    "payments": from_menu("payments"),
    "papers": from_menu("papers"),
    "sync": from_menu("sync"),
    "enrolment-": lambda hands: hands.scan(NEW_CARD),
    "weight": weigh,
    "return-": return_of_a_receipt,
    "return-without": return_without,
}
"""Where goods can be rung up, by the kind of the sheet in front."""

CLOSED: dict[str, tuple[Open, str]] = {
    "close-shift-": (close_shift, "error.counting-now"),
    "close-difference": (difference, "error.counting-now"),
    "closed": (closed, "error.counting-now"),
    "close-day": (close_day, "error.no-shift"),
    "day-closed": (day_closed, "error.no-shift"),
}
"""Where a sale cannot begin, and what the scan is answered."""

ELSEWHERE = {"sign-in", "open-shift", "first-run", "fault"}
"""Opened by tests of their own, below and in test_first_run.py."""


def kind_in_front(hands: Hands) -> str:
    sheet = hands.view.overlay or hands.view.body
    if isinstance(sheet, SaleView):
        return "tender" if sheet.tender is not None else "sale"
    return sheet.kind


def boxes(hands: Hands) -> list[QLineEdit | QComboBox]:
    window = hands.station.window
    found = [*window.findChildren(QLineEdit), *window.findChildren(QComboBox)]
    return [one for one in found if one.isVisible() and one.isEnabled()]


def stops(hands: Hands) -> Iterator[QLineEdit | QComboBox | None]:
    """Everything that can have the focus: the window itself, each field, each open list."""
    yield None
    for number in range(len(boxes(hands))):
        box = boxes(hands)[number]
        box.setFocus()
        if isinstance(box, QComboBox):
            box.showPopup()
            hands.settle()
            assert QApplication.activePopupWidget() is not None
        else:
            box.setText("1")
            box.setCursorPosition(1)
        yield box


def speak(hands: Hands, language: Language) -> None:
    hands.tap("language", language.value)
    assert hands.view.language is language


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", SELLING)
def test_goods_are_rung_up_wherever_the_focus_is(
    selling: Hands, kind: str, language: Language
) -> None:
    speak(selling, language)
    SELLING[kind](selling)
    assert kind_in_front(selling).startswith(kind)
    before, front = selling.sale.items, kind_in_front(selling)
    for count, box in enumerate(stops(selling), start=1):
        selling.wedge(CHIPS.barcodes[0])
        assert selling.sale.items == before + count, box
        assert QApplication.activePopupWidget() is None
        if isinstance(box, QLineEdit) and box.isVisible():
            assert box.text() == "1"
        assert kind_in_front(selling) == front


@pytest.mark.parametrize("kind", SELLING)
def test_a_member_is_attached_wherever_the_focus_is(selling: Hands, kind: str) -> None:
    till = selling.station.till
    operator = till.operators.all()[0].operator_id
    till.members.enrol(name="李雷", card=CARD, operator_id=operator, tier="member")
    SELLING[kind](selling)
    for _box in stops(selling):
        selling.wedge(CARD)
        assert selling.sale.member is not None, selling.told
        assert selling.sale.member.name == "李雷"
        selling.tap("member-off")


@pytest.mark.parametrize("first", [0, 5])
@pytest.mark.parametrize("kind", SELLING)
def test_what_an_input_method_ate_is_taken_back_in_every_field(
    selling: Hands, kind: str, first: int
) -> None:
    SELLING[kind](selling)
    before = selling.sale.items
    for box in stops(selling):
        if not isinstance(box, QLineEdit):
            popup = QApplication.activePopupWidget()
            if popup is not None:
                popup.close()
            continue
        eaten_by_an_input_method(selling, first)
        assert selling.told == "error.damaged-code"
        assert (box.text(), selling.sale.items) == ("1", before)


def eaten_by_an_input_method(hands: Hands, first: int) -> None:
    """A composition begins after the ``first`` characters of a scan, is shown, and is committed."""
    code = CHIPS.barcodes[0]
    for character in code[:first]:
        hands.press(Key(ord(character)))
        hands.clock.advance(seconds=0.01)
    shown = QInputMethodEvent("ni hao", [])
    QApplication.sendEvent(hands.station.window.focusWidget(), shown)
    hands.compose("你好")
    for character in code[max(first, 2) :]:
        hands.press(Key(ord(character)))
        hands.clock.advance(seconds=0.01)
    hands.key(Key.Key_Return)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", CLOSED)
def test_where_no_sale_can_begin_the_scan_is_answered_and_types_nothing(
    selling: Hands, kind: str, language: Language
) -> None:
    speak(selling, language)
    go, answer = CLOSED[kind]
    go(selling)
    assert kind_in_front(selling).startswith(kind)
    for box in stops(selling):
        selling.wedge(CHIPS.barcodes[0])
        assert selling.told == answer
        if isinstance(box, QLineEdit):
            assert box.text() == "1"
    assert selling.receipts() == 0


@pytest.mark.parametrize("language", list(Language))
def test_before_a_shift_the_scan_is_answered_in_every_field(
    hands: Hands, language: Language
) -> None:
    speak(hands, language)
    hands.wedge(CHIPS.barcodes[0])
    assert (hands.view.page, hands.told) == (Page.SIGN_IN, "error.sign-in-first")
    hands.sign_in()
    for box in stops(hands):
        hands.wedge(CHIPS.barcodes[0])
        assert hands.told == "error.no-shift"
        if isinstance(box, QLineEdit):
            assert box.text() == "1"


def test_an_approvers_card_is_heard_in_the_middle_of_an_approval(selling: Hands) -> None:
    approve(selling)
    selling.wedge(CHIPS.barcodes[0])
    assert kind_in_front(selling) == "approval"
    selling.type(MANAGER_PIN)
    selling.key(Key.Key_Return)
    assert selling.told == "till.price.done"


def test_every_sheet_there_is_was_scanned_at() -> None:
    there_are = {
        kind
        for file in PRESENTERS.glob("*.py")
        for kind in KINDS.findall(file.read_text(encoding="utf-8"))
    }
    assert there_are == ({*SELLING, *CLOSED, *ELSEWHERE} - {"sale", "tender"} - DRAWERS) | {
        "drawer-"
    }


DRAWERS = {kind for kind in SELLING if kind.startswith("drawer-")}
