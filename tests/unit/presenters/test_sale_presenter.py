"""The entry line and its keys: codes, quantities, amounts given, and the guard after a finish."""

import pytest

from desktop.presenters.intent import Key
from desktop.presenters.sale import FINISH_PAUSE_S
from tests.support.till_fixture import APPLES, CHIPS, RICE, WATER

CODE = CHIPS.barcodes[0]


def change(till):
    assert till.sale.change is not None
    return till.sale.change


def test_digits_and_enter_are_a_code(selling):
    selling.type(CODE)
    assert selling.sale.entry == CODE
    selling.press(Key.ENTER)
    assert (selling.amounts, selling.sale.entry) == ([750], "")


def test_a_code_that_nobody_knows_leaves_the_basket_and_an_empty_entry(selling):
    selling.scan(CODE)
    selling.type("4006381333931")
    selling.press(Key.ENTER)
    assert selling.told.key == "error.unknown-barcode"
    assert (selling.amounts, selling.sale.entry) == ([750], "")


def test_enter_alone_does_nothing(selling):
    selling.scan(CODE)
    selling.press(Key.ENTER)
    assert (selling.amounts, selling.tickets, selling.told.key) == ([750], 0, "")


def test_digits_and_times_are_the_quantity_of_the_next_goods_only(selling):
    selling.type("6")
    selling.press(Key.TIMES)
    assert (selling.sale.quantity, selling.sale.entry) == (6, "")
    selling.scan(CODE)
    assert selling.sale.quantity == 0
    selling.scan(WATER.barcodes[0])
    assert [line.quantity for line in selling.sale.lines] == [6, 1]


def test_a_quantity_and_enter_change_the_chosen_line(selling):
    selling.scan(CODE, WATER.barcodes[0])
    selling.press(Key.UP)
    selling.type("3")
    selling.press(Key.TIMES, Key.ENTER)
    assert [line.quantity for line in selling.sale.lines] == [3, 1]


@pytest.mark.parametrize("text", ["0", "00", "1.5"])
def test_what_is_no_quantity_is_refused(selling, text):
    selling.type(text)
    selling.press(Key.TIMES)
    assert selling.told.key == "error.bad-quantity"
    assert selling.sale.quantity == 0


def test_times_alone_is_nothing(selling):
    selling.press(Key.TIMES)
    assert (selling.told.key, selling.sale.quantity) == ("", 0)


def test_digits_and_pay_are_the_amount_given(selling):
    selling.scan(RICE.barcodes[0])
    selling.type("100")
    selling.press(Key.F12)
    assert (change(selling).given, change(selling).change) == (10000, 3010)
    assert selling.sale.entry == ""


def test_less_than_is_due_is_a_part_and_the_panel_asks_for_the_rest(selling):
    selling.scan(RICE.barcodes[0])
    selling.type("50")
    selling.press(Key.F12)
    assert selling.tickets == 0
    assert selling.sale.tender is not None
    assert selling.sale.tender.due == 1990
    selling.press(Key.F12)
    assert selling.tickets == 1


def test_an_amount_that_is_none_is_refused_and_takes_nothing(selling):
    selling.scan(RICE.barcodes[0])
    selling.type("1.2.3")
    selling.press(Key.F12)
    assert selling.told.key.startswith("error.")
    assert (selling.tickets, selling.amounts) == (0, [6990])


def test_an_empty_basket_is_not_paid(selling):
    selling.press(Key.F12)
    assert selling.told.key == "error.basket-empty"
    assert selling.tickets == 0


def test_plus_pays_while_the_entry_is_empty(selling):
    selling.scan(CODE)
    selling.press(Key.PLUS)
    assert selling.tickets == 1


def test_plus_does_nothing_while_something_is_typed(selling):
    selling.scan(CODE)
    selling.type("5")
    selling.press(Key.PLUS)
    assert (selling.tickets, selling.sale.entry) == (0, "5")
    selling.press(Key.BACKSPACE, Key.PLUS)
    assert selling.tickets == 1


@pytest.mark.parametrize("key", [Key.F12, Key.PLUS])
@pytest.mark.parametrize(("after_s", "tickets"), [(0.0, 1), (0.29, 1), (0.31, 2)])
def test_a_finish_key_right_after_a_finish_is_a_bounce(selling, key, after_s, tickets):
    assert FINISH_PAUSE_S == 0.3
    selling.scan(CODE)
    selling.press(key)
    selling.scan(WATER.barcodes[0])
    selling.clock.advance(seconds=after_s)
    selling.press(key)
    assert selling.tickets == tickets
    assert selling.told.key == ("till.sale.too-soon" if tickets == 1 else "")
    assert selling.amounts == ([200] if tickets == 1 else [])


def test_a_bounce_on_an_empty_basket_is_not_even_told(selling):
    selling.scan(CODE)
    selling.press(Key.F12, Key.F12)
    assert (selling.tickets, selling.told.key) == (1, "")


def test_the_strip_of_the_last_sale_stays_until_the_next_goods(selling):
    selling.scan(CODE)
    selling.press(Key.F12)
    assert change(selling).total == 750
    selling.type("1")
    assert selling.sale.change is not None
    selling.scan(CODE)
    assert selling.sale.change is None


def test_weighed_goods_ask_for_their_weight(selling):
    selling.type(APPLES.sku)
    selling.press(Key.ENTER)
    assert selling.view.overlay is not None
    assert selling.view.overlay.kind.startswith("weight")
    selling.press(Key.ENTER, kilograms="0.45")
    assert [(line.quantity, line.amount) for line in selling.sale.lines] == [(450, 576)]


@pytest.mark.parametrize("weight", ["", "0", "1,2", "-1", "0.0001", "1000000"])
def test_what_is_no_weight_adds_nothing(selling, weight):
    selling.type(APPLES.sku)
    selling.press(Key.ENTER)
    selling.press(Key.ENTER, kilograms=weight)
    assert selling.told.key == "error.bad-weight"
    assert selling.amounts == []
