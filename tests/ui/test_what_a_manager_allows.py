"""A price by hand, a return without a receipt, the last sale undone: one PIN each, at the till."""

import pytest
from PySide6.QtCore import Qt

from tests.support.till_fixture import CASHIER_PIN, CHIPS, MANAGER_PIN, WATER
from tests.support.till_hands import Hands

Key = Qt.Key


def start_price(hands: Hands) -> None:
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F8)
    hands.type("5")
    hands.key(Key.Key_Return)


def start_return(hands: Hands) -> None:
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F5)
    hands.tap("without")
    hands.key(Key.Key_F12)


def start_undo(hands: Hands) -> None:
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F12)
    hands.tap("undo")


def start_paid_out(hands: Hands) -> None:
    hands.key(Key.Key_F9)
    hands.tap("kind", "paid-out")
    hands.type("7")
    while hands.overlay.kind != "approval":  # Enter goes through the fields, then does it
        hands.key(Key.Key_Return)


STARTS = {
    "price": start_price,
    "return": start_return,
    "undo": start_undo,
    "paid out": start_paid_out,
}
DONE = {
    "price": "till.price.done",
    "return": "till.return.done",
    "undo": "till.sale.undone",
    "paid out": "till.drawer.moved",
}


def what_stands(hands: Hands) -> tuple[list[int], int]:
    return [line.amount for line in hands.sale.lines], hands.receipts()


@pytest.mark.parametrize("what", STARTS)
def test_a_wrong_pin_changes_nothing_and_asks_again(selling: Hands, what: str) -> None:
    STARTS[what](selling)
    before = what_stands(selling)
    selling.type(CASHIER_PIN)
    selling.key(Key.Key_Return)
    assert selling.told == "error.wrong-pin"
    assert selling.overlay.kind == "approval"
    assert what_stands(selling) == before
    selling.type(MANAGER_PIN)
    selling.key(Key.Key_Return)
    assert selling.told == DONE[what]
    assert selling.view.overlay is None


@pytest.mark.parametrize("what", STARTS)
def test_going_back_leaves_everything_as_it_was(selling: Hands, what: str) -> None:
    STARTS[what](selling)
    before = what_stands(selling)
    selling.key(Key.Key_Escape)
    assert selling.view.overlay is None or selling.overlay.kind != "approval"
    assert what_stands(selling) == before


def approve(hands: Hands) -> None:
    hands.type(MANAGER_PIN)
    hands.key(Key.Key_Return)


def test_the_price_typed_is_the_price_paid(selling: Hands) -> None:
    start_price(selling)
    approve(selling)
    assert [(line.amount, line.is_manual) for line in selling.sale.lines] == [(500, True)]
    selling.key(Key.Key_F12)
    assert selling.sale.change is not None
    assert selling.sale.change.total == 500


def test_scanning_the_same_again_is_a_line_at_the_old_price(selling: Hands) -> None:
    start_price(selling)
    approve(selling)
    selling.scan(CHIPS.barcodes[0])
    assert [line.amount for line in selling.sale.lines] == [500, 750]


def test_what_came_back_without_a_receipt_leaves_an_empty_basket(selling: Hands) -> None:
    start_return(selling)
    approve(selling)
    assert what_stands(selling) == ([], 1)


def test_a_sale_is_undone_once(selling: Hands) -> None:
    start_undo(selling)
    approve(selling)
    assert selling.receipts() == 2
    assert selling.sale.change is None
    selling.tap("undo")
    assert selling.view.overlay is None


def test_scanning_goes_on_under_an_approval(selling: Hands) -> None:
    start_price(selling)
    selling.scan(WATER.barcodes[0])
    approve(selling)
    assert [line.amount for line in selling.sale.lines] == [500, 200]
