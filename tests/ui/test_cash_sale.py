"""The sale of every minute: scan, one key, next."""

from PySide6.QtCore import Qt

from desktop.presenters.view import Page
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
KEYPAD = Qt.KeyboardModifier.KeypadModifier


def test_a_cash_sale_is_one_key(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    before = selling.events
    selling.key(Key.Key_F12)
    assert selling.events - before == 1
    assert selling.receipts() == 1
    assert selling.sale.lines == ()
    assert selling.sale.change is not None
    assert selling.sale.change.total == 950


def test_the_number_pads_plus_does_the_same_with_an_empty_entry_line(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_Plus, KEYPAD)
    assert selling.receipts() == 1


def test_the_number_pads_plus_does_nothing_while_something_is_typed(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.type("12")
    selling.key(Key.Key_Plus, KEYPAD)
    assert selling.receipts() == 0


def test_digits_before_the_finish_key_are_the_amount_given(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.type("100")
    selling.key(Key.Key_F12)
    assert selling.sale.change is not None
    assert selling.sale.change.change == 10000 - 6990


def test_the_next_scan_starts_the_next_sale(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F12)
    selling.scan(CHIPS.barcodes[0])
    assert [line.amount for line in selling.sale.lines] == [750]
    assert selling.sale.change is None


def test_a_second_press_right_after_a_finish_finishes_nothing(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.press(Key.Key_F12)
    selling.settle()
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    assert selling.receipts() == 1
    assert selling.told == "till.sale.too-soon"
    selling.clock.advance(seconds=0.3)
    selling.key(Key.Key_F12)
    assert selling.receipts() == 2


def test_scans_that_follow_the_finish_key_at_once_are_the_next_sale(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.press(Key.Key_F12)
    for _ in range(5):
        selling.scanner.scan(CHIPS.barcodes[0])
    selling.settle()
    assert selling.receipts() == 1
    assert [line.quantity for line in selling.sale.lines] == [5]


def test_a_key_that_is_held_down_acts_once(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    for key in (Key.Key_F12, Key.Key_Delete, Key.Key_F4, Key.Key_Return):
        selling.repeat(key)
    assert selling.receipts() == 0
    assert len(selling.sale.lines) == 2


def test_escape_never_drops_lines(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.type("77")
    for key in (Key.Key_F11, Key.Key_F3, Key.Key_F10):
        selling.key(key)
        for _ in range(4):
            selling.key(Key.Key_Escape)
    assert len(selling.sale.lines) == 1
    assert selling.view.page is Page.SALE
    assert selling.view.overlay is None


def test_delete_drops_the_selected_line(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_Up)
    selling.key(Key.Key_Delete)
    assert [line.amount for line in selling.sale.lines] == [750]


def test_digits_and_asterisk_are_the_quantity_of_the_next_scan(selling: Hands) -> None:
    selling.type("6")
    selling.key(Key.Key_Asterisk)
    selling.scan(CHIPS.barcodes[0])
    assert [line.quantity for line in selling.sale.lines] == [6]


def test_digits_and_enter_are_a_code(selling: Hands) -> None:
    selling.type(CHIPS.barcodes[0])
    selling.key(Key.Key_Return)
    assert [line.amount for line in selling.sale.lines] == [750]


def test_an_unknown_code_is_told_and_the_basket_stays(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.scan("4006381333931")
    assert selling.told == "error.unknown-barcode"
    assert len(selling.sale.lines) == 1


def test_a_held_basket_comes_back_with_the_same_key(selling: Hands) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F4)
    assert selling.sale.lines == ()
    selling.key(Key.Key_F4)
    assert len(selling.sale.lines) == 1


def test_undoing_the_last_sale_needs_a_manager_and_returns_it_whole(selling: Hands) -> None:
    from desktop.presenters.intent import Act  # noqa: PLC0415 - a tap on the strip's button

    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F12)
    selling.station.window.post(Act("undo"))
    selling.settle()
    assert selling.overlay.kind == "approval"
    selling.type("9876")
    selling.key(Key.Key_Return)
    assert selling.told == "till.sale.undone"
    assert selling.receipts() == 2
