"""Split payments, held baskets, returns by receipt, and going back one step at a time."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit

from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.receipt.layout import Grid, plain_text
from shared.trade.ticket import SaleReturned
from tests.support.till_errands import (
    CARD,
    allow,
    enrol,
    enrol_and_come_back,
    facts,
    last_sale,
    open_return,
    refunded,
    sell,
    take_back,
    weigh,
    written,
)
from tests.support.till_fixture import APPLES, CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key


def test_points_card_and_cash_pay_one_sale(selling: Hands) -> None:
    enrol_and_come_back(selling, RICE)
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F7)
    selling.type("20")
    selling.key(Key.Key_F6)
    assert selling.sale.tender is not None
    assert selling.sale.tender.due == 6990 - 69 - 2000
    selling.key(Key.Key_F12)
    paid = [(tender.tender.value, tender.amount) for tender in last_sale(selling).tenders]
    assert paid == [("points", 69), ("card", 2000), ("cash", 4920)]


def test_a_payment_that_was_taken_keeps_the_panel_and_the_basket(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("20")
    selling.key(Key.Key_F6)
    selling.key(Key.Key_Escape)
    assert selling.told == "till.tender.taken-first"
    selling.key(Key.Key_F4)
    assert selling.told == "error.tenders-first"
    selling.key(Key.Key_Delete)
    assert selling.sale.tender is not None
    assert (selling.sale.tender.tenders, len(selling.sale.lines)) == ((), 1)
    selling.key(Key.Key_Escape)
    assert selling.sale.tender is None


def test_of_several_held_baskets_the_cashier_chooses(selling: Hands) -> None:
    for goods in (WATER, CHIPS):
        selling.scan(goods.barcodes[0])
        selling.key(Key.Key_F4)
        selling.clock.advance(seconds=1)
    selling.key(Key.Key_F4)
    assert selling.overlay.kind == "holds"
    selling.key(Key.Key_Down)
    selling.key(Key.Key_Return)
    assert [line.amount for line in selling.sale.lines] == [750]
    selling.key(Key.Key_F12)
    selling.key(Key.Key_F4)
    assert [line.amount for line in selling.sale.lines] == [200]


def test_a_held_basket_keeps_its_member(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    enrol(selling)
    selling.key(Key.Key_F4)
    assert selling.sale.member is None
    selling.key(Key.Key_F4)
    assert selling.sale.member is not None


def test_part_of_a_receipt_comes_back_and_the_rest_later(selling: Hands) -> None:
    sale = sell(selling, CHIPS, CHIPS, CHIPS, WATER)
    assert take_back(selling, sale, 1) == 750
    assert take_back(selling, sale) == 2 * 750 + 200


def test_nothing_picked_is_nothing_returned(selling: Hands) -> None:
    open_return(selling, sell(selling, CHIPS).receipt_no)
    selling.key(Key.Key_F12)
    assert selling.told == "error.nothing-to-return"
    assert selling.receipts() == 1


def test_part_of_weighed_goods_comes_back_by_the_kilogram(selling: Hands) -> None:
    weigh(selling, "0.5")
    number = sell(selling, CHIPS).receipt_no
    open_return(selling, number)
    selling.type("0.2")
    selling.key(Key.Key_F12)
    assert refunded(selling) == 250  # 2.56 for 200 g, rounded down in cash
    open_return(selling, number)
    selling.type("0.301")
    selling.key(Key.Key_F12)
    assert selling.told == "error.return-exceeds-sale"
    selling.tap("all")
    selling.key(Key.Key_F12)
    assert refunded(selling) > 750
    assert selling.receipts() == 3


def test_enrolment_keeps_what_was_typed_while_goods_are_scanned(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.scan(CARD)
    selling.compose("王小")
    selling.clock.advance(seconds=1)
    selling.station.window.router.tick()
    selling.scan(WATER.barcodes[0])
    selling.compose("明")
    selling.clock.advance(seconds=1)
    for _ in range(3):
        selling.key(Key.Key_Return)
    assert selling.sale.member is not None
    assert selling.sale.member.name == "王小明"
    assert len(selling.sale.lines) == 2


def test_switching_the_language_keeps_an_open_sheet_with_what_was_typed(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F3)
    selling.type("13")
    selling.tap("language", "en")
    shown = {label.text() for label in selling.station.window.findChildren(QLabel)}
    assert "TOTAL" in shown
    assert "合计" not in shown
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == "13"
    assert len(selling.sale.lines) == 1


def test_escape_goes_back_one_step_at_a_time(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.type("6")
    selling.key(Key.Key_Asterisk)
    selling.type("77")
    selling.key(Key.Key_F8)
    selling.type("5")
    selling.key(Key.Key_Return)
    steps = []
    for _ in range(5):
        overlay = selling.view.overlay.kind if selling.view.overlay else ""
        steps.append((overlay, selling.sale.entry, selling.sale.quantity))
        selling.key(Key.Key_Escape)
    assert steps == [
        ("approval", "77", 6),
        ("price", "77", 6),
        ("", "77", 6),
        ("", "", 6),
        ("", "", 0),
    ]
    assert len(selling.sale.lines) == 1


def test_escape_in_the_tender_panel_takes_the_digits_first(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("5")
    selling.key(Key.Key_Escape)
    assert selling.sale.tender is not None
    assert selling.sale.tender.entry == ""
    selling.key(Key.Key_Escape)
    assert selling.sale.tender is None


def test_what_was_typed_comes_back_when_the_sheet_over_it_goes(selling: Hands) -> None:
    selling.scan(CARD)
    selling.type("Wang")
    selling.scan(APPLES.sku)
    selling.type("0.5")
    selling.key(Key.Key_Return)
    for _ in range(3):
        selling.key(Key.Key_Return)
    assert selling.sale.member is not None
    assert selling.sale.member.name == "Wang"
    assert len(selling.sale.lines) == 1


def test_a_price_typed_for_one_line_is_not_offered_for_another(selling: Hands) -> None:
    for goods in (WATER, CHIPS):
        selling.scan(goods.barcodes[0])
    selling.key(Key.Key_F8)
    selling.type("5")
    selling.tap("line", selling.sale.lines[0].line_id)
    selling.key(Key.Key_F8)
    field = selling.station.window.focusWidget()
    assert isinstance(field, QLineEdit)
    assert field.text() == ""


def test_money_goes_back_though_the_goods_stay(selling: Hands) -> None:
    first = sell(selling, CHIPS)
    open_return(selling, first.receipt_no)
    selling.tap("amount", "amount")
    selling.type("1.50")
    selling.key(Key.Key_Return)
    allow(selling)
    assert selling.told == "till.refund-amount.done"
    (back,) = facts(selling, SaleReturned)
    assert (back.total, [line.quantity for line in back.lines]) == (150, [0])
    assert [one.action for one in back.approvals] == ["refund-amount"]
    till = selling.station.till
    job = PrintJob(
        "j", written(selling, SaleReturned)[-1].envelope.id, 0, "en", JobState.QUEUED, ""
    )
    text = plain_text(Papers(till.books, till.shop()).document(job), Grid(42))
    assert "refunded, goods kept" in text
