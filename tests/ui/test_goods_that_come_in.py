"""What customers hand in, such as empty bottles, through the window."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from desktop.bootstrap import OpenStore
from desktop.presenters.text import Say
from desktop.presenters.view import Steps
from shared.catalogue.goods import Goods
from shared.ids import EntryId, GoodsId
from shared.ledger.account import AccountKind
from shared.ledger.booking_ticket import post_sale
from shared.loyalty.conditions import Spend
from shared.loyalty.document import EVERYTHING
from shared.loyalty.effects import AmountOff
from shared.loyalty.offers import Offer
from shared.loyalty.programme import CashRounding, Levy, Programme, ReturnPolicy, Returns
from shared.money import Rounding
from shared.trade.fact import TenderKind
from shared.trade.ticket import SaleReturned
from shared.trade.till import BasketHeld, LineVoided
from tests.pricing_builders import names, offer, programme, rate, tax_class
from tests.support.till_errands import (
    allow,
    audited,
    enrol,
    facts,
    last_sale,
    open_return,
    pay,
    receipt,
    refunded,
    sell,
    take_back,
    weigh,
)
from tests.support.till_fixture import CHIPS, GOODS, WATER, enrol_here
from tests.support.till_hands import Hands
from tests.ui.test_basket_discount import give

Key = Qt.Key
DEPOSIT = Levy(id="deposit", names=names("deposit"), amount_minor=25)
BOTTLED = tax_class("bottle", rate(130_000, included=True), DEPOSIT)
COLA = Goods(
    sku=GoodsId("Cola"),
    name_zh="可乐",
    name_en="Cola",
    tax_class="bottle",
    list_price_minor=3_00,
    barcodes=("6900000000205",),
)
EMPTY = Goods(
    sku=GoodsId("Empty"),
    name_zh="空瓶",
    name_en="Empty bottle",
    tax_class="bottle",
    list_price_minor=0,
    barcodes=("6900000000212",),
)
TENTH_OFF = offer("ten", AmountOff(off_minor=5_00))
NINE_SPENT = (Spend(minimum_minor=9_00, goods=EVERYTHING),)
OVER_NINE = offer("over", AmountOff(off_minor=2_00), conditions=NINE_SPENT)
CLASSES = (*programme().tax_classes, BOTTLED)


def rules(*offers, **more: object) -> Programme:
    return programme(*offers, tax_classes=CLASSES, **more)


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Programme:
    """The programme of a test."""
    return getattr(request, "param", None) or rules()


@pytest.fixture
def store(tmp_path: Path, asked: Programme) -> OpenStore:
    """The files of a till that sells bottles."""
    return enrol_here(tmp_path, programme=asked, goods=(*GOODS, COLA, EMPTY))


def by(*offers: Offer, **more: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("asked", [rules(*offers, **more)], indirect=True)


def bring(hands: Hands, goods: Goods, units: int = 1) -> None:
    """The key, then the goods."""
    hands.key(Key.Key_Minus)
    assert hands.told == "till.sale.comes-in-next"
    if units > 1:
        hands.type(str(units))
        hands.key(Key.Key_Asterisk)
    hands.scan(goods.barcodes[0])


def test_empties_count_against_the_total_and_stand_on_the_receipt(selling: Hands) -> None:
    selling.scan(COLA.barcodes[0])
    selling.scan(COLA.barcodes[0])
    assert selling.sale.total == 6_50
    bring(selling, EMPTY, 4)
    assert not selling.sale.comes_in
    assert [line.amount for line in selling.sale.lines] == [6_50, -1_00]
    assert (selling.sale.total, selling.sale.items) == (5_50, 2)
    name = selling.sale.lines[1].name
    assert isinstance(name, Say)
    assert name.key == "till.sale.comes-in-line"

    sale = pay(selling)
    sold, came = sale.lines
    assert (came.comes_in, came.quantity, came.amount, came.levy) == (True, 4, -1_00, -1_00)
    assert (sold.comes_in, sale.total) == (False, 5_50)
    assert sum(posting.amount for posting in post_sale(EntryId("sale"), sale)) == 0
    assert audited(selling) == []
    text = receipt(selling)
    assert "handed in" in text
    assert "2 items" in text
    assert "顾客交回" in receipt(selling, "zh_CN")


@by(TENTH_OFF)
def test_goods_with_a_price_come_in_at_it_and_offers_leave_them_alone(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    bring(selling, WATER)
    selling.scan(WATER.barcodes[0])
    assert [line.amount for line in selling.sale.lines] == [7_50, -2_00, 2_00]
    assert selling.sale.total == 2_50
    sale = pay(selling)
    assert (sale.total, sale.lines[1].gross, sale.lines[1].discounts) == (2_50, -2_00, ())
    assert audited(selling) == []


def test_the_key_is_for_one_article_and_escape_takes_it_back(selling: Hands) -> None:
    selling.key(Key.Key_Minus)
    assert selling.sale.comes_in
    selling.key(Key.Key_Escape)
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_Minus)
    selling.key(Key.Key_Minus)
    selling.scan(WATER.barcodes[0])
    assert [line.amount for line in selling.sale.lines] == [4_00]
    bring(selling, WATER)
    bring(selling, WATER)
    assert [line.amount for line in selling.sale.lines] == [4_00, -4_00]


def test_what_nobody_knows_leaves_the_key_as_it_was(selling: Hands) -> None:
    selling.key(Key.Key_Minus)
    selling.scan("6900000009994")
    assert selling.told == "error.unknown-barcode"
    assert selling.sale.comes_in
    selling.scan(WATER.barcodes[0])
    assert selling.sale.total == -2_00


def test_a_minus_inside_a_code_is_typed(selling: Hands) -> None:
    selling.type("Wine-8c")
    assert (selling.sale.entry, selling.sale.comes_in) == ("Wine-8c", False)


def test_weighed_goods_come_in_from_the_menu(selling: Hands) -> None:
    selling.key(Key.Key_F10)
    selling.tap("menu", "comes-in")
    weigh(selling, "0.5")
    assert [line.amount for line in selling.sale.lines] == [-6_40]


def test_what_comes_in_is_held_and_recalled_and_taken_off(selling: Hands) -> None:
    selling.scan(COLA.barcodes[0])
    bring(selling, WATER)
    selling.key(Key.Key_F4)
    assert selling.sale.lines == ()
    selling.key(Key.Key_F4)
    assert [line.amount for line in selling.sale.lines] == [3_25, -2_00]
    selling.key(Key.Key_Delete)
    assert selling.sale.total == 3_25
    held, voided = facts(selling, BasketHeld), facts(selling, LineVoided)
    assert [line.amount for line in held[0].lines] == [3_00, -2_00]
    assert voided[0].line.amount == -2_00


@by(cash_rounding=CashRounding(step_minor=10, rounding=Rounding.DOWN))
def test_what_is_more_than_the_goods_goes_out_in_cash(selling: Hands) -> None:
    bring(selling, EMPTY, 9)
    assert selling.sale.total == -2_25
    selling.key(Key.Key_F11)
    assert selling.sale.tender is not None
    assert (selling.sale.tender.due, selling.sale.tender.due_in_cash) == (-2_25, -2_20)
    selling.key(Key.Key_F6)
    assert selling.told == "error.paid-out-in-cash"
    selling.type("5")
    selling.key(Key.Key_Return)
    assert selling.told == "error.paid-out-in-cash"
    selling.key(Key.Key_Escape)

    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert (selling.receipts(), selling.overlay.kind) == (0, "approval")
    allow(selling)
    sale = last_sale(selling)
    assert [(one.action, one.amount) for one in sale.approvals] == [("cash-out", 2_20)]
    assert selling.sale.change is not None
    strip = selling.sale.change
    assert (strip.total, strip.given, strip.change) == (-2_20, 0, 2_20)
    (cash,) = sale.tenders
    assert (cash.tender, cash.amount, cash.change) == (TenderKind.CASH, -2_20, 2_20)
    assert (sale.total, sale.rounding) == (-2_25, 5)
    posted = list(post_sale(EntryId("sale"), sale))
    drawer = [one.amount for one in posted if one.account.kind is AccountKind.DRAWER]
    assert (sum(one.amount for one in posted), drawer) == (0, [-2_20])
    assert audited(selling) == []
    text = receipt(selling)
    assert "Paid out in cash" in text
    figures = selling.station.till.counter().shifts.figures()
    assert figures.expected_cash == 500_00 - 2_20


def test_goods_come_back_in_full_and_what_came_in_stays(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    bring(selling, WATER)
    sale = pay(selling)
    assert sale.total == 5_50
    open_return(selling, sale.receipt_no)
    steps = next(part for part in selling.overlay.parts if isinstance(part, Steps))
    assert [row.most for row in steps.rows] == [1]
    selling.key(Key.Key_Escape)
    selling.key(Key.Key_Escape)
    assert take_back(selling, sale) == 7_50


@by(OVER_NINE, returns=Returns(policy=ReturnPolicy.RE_PRICE))
def test_what_is_kept_is_priced_without_what_came_in(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.scan(WATER.barcodes[0])
    bring(selling, EMPTY, 2)
    sale = pay(selling)
    assert sale.total == 7_00
    assert take_back(selling, sale, 2) == 0
    assert take_back(selling, sale) == 7_50


def test_undoing_gives_back_what_was_bought_and_keeps_what_came_in(selling: Hands) -> None:
    bring(selling, WATER)
    sell(selling, CHIPS)
    selling.tap("undo")
    allow(selling)
    assert selling.told == "till.sale.undone"
    (undone,) = facts(selling, SaleReturned)
    assert (undone.total, undone.approvals[0].amount) == (7_50, 7_50)
    bring(selling, WATER)
    selling.key(Key.Key_F12)
    allow(selling)
    selling.tap("undo")
    assert selling.told == "error.nothing-to-return"


def test_without_a_receipt_it_is_not_taken_for_what_comes_in(selling: Hands) -> None:
    bring(selling, WATER)
    selling.key(Key.Key_F5)
    selling.tap("without")
    selling.tap("go")
    allow(selling)
    assert refunded(selling) == 2_00


def test_a_discount_on_the_whole_is_off_what_is_bought(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    bring(selling, WATER)
    give(selling, percent="10")
    assert selling.sale.total == 4_75
    assert pay(selling).total == 4_75
    assert audited(selling) == []


def test_what_comes_in_earns_nothing_and_is_no_gift(selling: Hands) -> None:
    enrol(selling)
    bring(selling, WATER)
    sale = sell(selling, CHIPS)
    assert sale.member is not None
    assert (sale.total, sale.member.points.earned, sale.member.spend) == (5_50, 7, 7_50)
