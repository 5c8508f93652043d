"""A discount typed by hand on the whole basket, through the window."""

from PySide6.QtCore import Qt

from shared.ids import EntryId
from shared.ledger.booking_ticket import post_sale
from shared.loyalty.effects import PercentOff
from tests.pricing_builders import offer, only
from tests.support.till_errands import allow, audited, by, pay, receipt, sell, take_back
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key
TENTH_OFF_RICE = offer("rice", PercentOff(basis_points_off=1000), only("R1"))


def open_sheet(hands: Hands) -> None:
    hands.key(Key.Key_F10)
    hands.tap("menu", "discount")


def ask(hands: Hands, *, percent: str = "", amount: str = "") -> None:
    """A percentage in the first field, or an amount in the second."""
    open_sheet(hands)
    hands.type(percent)
    hands.key(Key.Key_Return)
    hands.type(amount)
    hands.key(Key.Key_Return)


def give(hands: Hands, *, percent: str = "", amount: str = "") -> None:
    ask(hands, percent=percent, amount=amount)
    allow(hands)
    assert hands.told == "till.discount.done"


@by(TENTH_OFF_RICE)
def test_a_percentage_off_the_whole_comes_after_the_offers_and_is_shared(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    assert selling.sale.total == 70_41
    give(selling, percent="10")
    assert (selling.sale.total, selling.sale.saved) == (63_37, 14_03)
    shares = [[one.minor for one in line.discounts] for line in selling.sale.lines]
    assert shares == [[6_99, 6_29], [75]]
    selling.scan(WATER.barcodes[0])
    assert selling.sale.total == 65_17

    sale = pay(selling)
    assert sale.total == 65_17
    assert sale.discount is not None
    assert (sale.discount.basis_points, sale.discount.taken) == (1000, 7_24)
    (approval,) = sale.approvals
    assert (approval.action, approval.amount) == ("basket-discount", 7_04)
    assert sale.discount.approval_id == approval.approval_id
    shares = [[(one.offer_id, one.amount) for one in line.discounts] for line in sale.lines]
    assert shares == [
        [("rice", 6_99), ("manual-basket", 6_29)],
        [("manual-basket", 75)],
        [("manual-basket", 20)],
    ]
    assert sum(posting.amount for posting in post_sale(EntryId("sale"), sale)) == 0
    assert audited(selling) == []
    text = receipt(selling)
    assert "Discount on the whole" in text
    assert "-7.24" in text
    assert "整单手动优惠" in receipt(selling, "zh_CN")


def test_an_amount_off_the_whole_never_takes_more_than_there_is(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    give(selling, amount="100")
    assert selling.sale.total == 0
    sale = pay(selling)
    assert sale.discount is not None
    assert (sale.total, sale.discount.amount, sale.discount.taken) == (0, 100_00, 7_50)
    assert audited(selling) == []


def test_without_the_managers_pin_nothing_is_taken_off(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    ask(selling, percent="50")
    assert selling.overlay.kind == "approval"
    selling.type("0000")
    selling.key(Key.Key_Return)
    selling.key(Key.Key_Escape)
    selling.key(Key.Key_Escape)
    assert selling.sale.total == 7_50
    assert pay(selling).discount is None


def test_what_is_no_discount_is_refused(selling: Hands) -> None:
    open_sheet(selling)
    assert selling.told == "error.basket-empty"
    selling.scan(CHIPS.barcodes[0])
    for percent, amount, told in (
        ("", "", "discount-one-of-both"),
        ("0", "", "discount-one-of-both"),
        ("5", "1", "discount-one-of-both"),
        ("101", "", "bad-percent"),
        ("x", "", "bad-percent"),
    ):
        ask(selling, percent=percent, amount=amount)
        assert selling.told == f"error.{told}"
        selling.key(Key.Key_Escape)
    assert selling.sale.total == 7_50


def test_it_is_taken_off_again_and_its_approval_with_it(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    give(selling, percent="10")
    give(selling, percent="20")
    assert selling.sale.total == 6_00
    open_sheet(selling)
    selling.tap("off")
    assert selling.told == "till.discount.gone"
    assert selling.sale.total == 7_50
    sale = pay(selling)
    assert (sale.discount, sale.approvals) == (None, ())


def test_it_is_held_and_recalled_with_its_basket(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    give(selling, percent="10")
    selling.key(Key.Key_F4)
    selling.clock.advance(seconds=1)
    selling.scan(RICE.barcodes[0])
    assert selling.sale.total == 69_90
    selling.key(Key.Key_F4)
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F4)
    selling.key(Key.Key_Return)
    assert selling.sale.total == 6_75
    sale = pay(selling)
    assert [one.action for one in sale.approvals] == ["basket-discount"]


def test_it_goes_with_the_last_line(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    give(selling, percent="10")
    selling.key(Key.Key_Delete)
    assert sell(selling, CHIPS).total == 7_50


def test_it_is_not_for_the_next_customer(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    give(selling, percent="10")
    assert pay(selling).total == 6_75
    assert sell(selling, CHIPS).total == 7_50


def test_nothing_is_given_once_money_was_taken(selling: Hands) -> None:
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("5")
    selling.key(Key.Key_F6)
    open_sheet(selling)
    assert selling.told == "error.tenders-first"


@by()
def test_what_it_took_off_stays_off_what_comes_back(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    give(selling, percent="20")
    sale = pay(selling)
    assert take_back(selling, sale, 2) == 6_00
    assert take_back(selling, sale) == 55_90  # 55.92, rounded down in cash
