"""A scan goes where it belongs, whatever has the focus, also with an input method on."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit

from desktop.presenters.intent import Act
from desktop.presenters.view import Page
from shared.catalogue.codes import member_code
from tests.support.till_fixture import CHIPS, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
OVERLAYS = {
    "nothing": None,
    "help": Key.Key_F1,
    "goods search": Key.Key_F2,
    "members": Key.Key_F3,
    "return": Key.Key_F5,
    "coupons": Key.Key_F6,
    "price": Key.Key_F8,
    "drawer": Key.Key_F9,
    "menu": Key.Key_F10,
    "tender panel": Key.Key_F11,
}


def amounts(hands: Hands) -> list[int]:
    return [line.amount for line in hands.sale.lines]


@pytest.mark.parametrize("overlay", OVERLAYS.values(), ids=OVERLAYS.keys())
@pytest.mark.parametrize("by_keyboard", [False, True], ids=["serial", "wedge"])
def test_goods_are_added_over_every_overlay(
    selling: Hands, overlay: Qt.Key | None, by_keyboard: bool
) -> None:
    selling.scan(WATER.barcodes[0])
    if overlay is not None:
        selling.key(overlay)
    (selling.wedge if by_keyboard else selling.scan)(CHIPS.barcodes[0])
    assert amounts(selling) == [200, 750]


def test_a_wedge_scan_leaves_no_trace_in_the_text_field_with_the_focus(selling: Hands) -> None:
    selling.key(Key.Key_F3)
    selling.type("138")
    selling.wedge(CHIPS.barcodes[0])
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == "138"
    assert amounts(selling) == [750]


def test_a_wedge_scan_goes_past_an_open_drop_down_list(selling: Hands) -> None:
    selling.key(Key.Key_F9)
    selling.station.window.post(Act("kind", "paid-out"))
    selling.settle()
    box = selling.station.window.findChild(QComboBox)
    assert box is not None
    box.showPopup()
    selling.settle()
    assert QApplication.activePopupWidget() is not None
    selling.wedge(CHIPS.barcodes[0])
    assert QApplication.activePopupWidget() is None
    assert amounts(selling) == [750]


def test_a_scan_that_an_input_method_ate_is_taken_back_and_told(selling: Hands) -> None:
    selling.key(Key.Key_F2)
    for character in CHIPS.barcodes[0][:5]:
        selling.press(Key(ord(character)))
        selling.clock.advance(seconds=0.01)
    selling.compose("你好")
    for character in CHIPS.barcodes[0][5:]:
        selling.press(Key(ord(character)))
        selling.clock.advance(seconds=0.01)
    selling.key(Key.Key_Return)
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == ""
    assert selling.told == "error.damaged-code"
    assert selling.sale.lines == ()


def test_chinese_that_somebody_types_stays(selling: Hands) -> None:
    selling.key(Key.Key_F2)
    selling.compose("薯片")
    selling.clock.advance(seconds=1)
    selling.station.window.router.tick()
    selling.settle()
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == "薯片"
    selling.key(Key.Key_Return)
    assert amounts(selling) == [750]


def test_a_text_field_keeps_delete_plus_and_asterisk(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F2)
    selling.type("a+b*")
    selling.key(Key.Key_Home)
    selling.key(Key.Key_Delete)
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == "+b*"
    assert len(selling.sale.lines) == 1
    assert selling.receipts() == 0


def test_nobody_sells_before_the_sign_in(hands: Hands) -> None:
    hands.scan(WATER.barcodes[0])
    assert hands.view.page is Page.SIGN_IN
    assert hands.told == "error.sign-in-first"


def test_scans_while_a_shift_is_opened_are_told_and_type_nothing(hands: Hands) -> None:
    hands.sign_in()
    hands.wedge(WATER.barcodes[0])
    assert hands.told == "error.no-shift"
    field = hands.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == ""


def test_an_unknown_card_opens_enrolment_which_never_blocks_the_sale(selling: Hands) -> None:
    card = member_code("1234567890123")
    selling.scan(card)
    assert selling.overlay.kind.startswith("enrolment")
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    assert selling.receipts() == 1


def test_an_enrolled_customer_is_priced_as_a_member_at_once(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.scan(member_code("1234567890123"))
    selling.compose("王小明")
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_Return)
    selling.type("13800138000")
    selling.key(Key.Key_Return)
    selling.key(Key.Key_Return)
    assert selling.told == "till.sale.member-found"
    assert selling.sale.member is not None
    assert selling.sale.member.name == "王小明"
    assert selling.sale.member.tail == "1232"


def test_a_receipts_code_opens_its_return(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    assert selling.sale.change is not None
    selling.scan(selling.sale.change.receipt_no)
    assert selling.overlay.kind.startswith("return-")
    selling.station.window.post(Act("units", "1:1"))
    selling.settle()
    selling.key(Key.Key_F12)
    assert selling.told == "till.return.done"
    assert selling.receipts() == 2
