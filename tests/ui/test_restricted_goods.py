"""Goods that are not sold to everybody, or not as many as one likes."""

from PySide6.QtCore import Qt

from shared.loyalty.accounts import Restriction
from shared.loyalty.conditions import Spend
from shared.loyalty.effects import Gift
from tests.pricing_builders import names, offer, only
from tests.support.till_errands import CARD, by, enrol, last_sale, pay, sell, take_back, weigh
from tests.support.till_fixture import APPLES, RICE, WATER
from tests.support.till_hands import Hands
from tests.ui.places import day_closed

Key = Qt.Key
ALCOHOL = Restriction(
    id="adults", names=names("Adults"), goods=only("R1"), minimum_age=18, units_per_sale=2
)


@by(restrictions=(ALCOHOL,))
def test_restricted_goods_are_looked_at_once_before_paying(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.overlay.kind == "looked-at"
    assert selling.receipts() == 0
    selling.key(Key.Key_Return)
    assert selling.view.overlay is None
    assert pay(selling).seen == ("adults/age",)


@by(restrictions=(ALCOHOL,))
def test_no_more_of_restricted_goods_than_one_sale_may_have(selling: Hands) -> None:
    for _ in range(3):
        selling.scan(RICE.barcodes[0])
    assert selling.told == "error.too-many-units"
    (line,) = selling.sale.lines
    assert line.quantity == 2


@by(restrictions=(ALCOHOL,))
def test_what_has_to_be_looked_at_is_asked_for_goods_that_came_while_paying(
    selling: Hands,
) -> None:
    selling.scan(WATER.barcodes[0])
    selling.key(Key.Key_F11)
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F6)
    assert selling.overlay.kind == "looked-at"
    selling.key(Key.Key_Return)
    selling.key(Key.Key_F6)
    assert last_sale(selling).seen == ("adults/age",)


THREE_A_DAY = Restriction(
    id="day", names=names("Three a day"), goods=only("W1", APPLES.sku), units_per_day=3
)


@by(restrictions=(THREE_A_DAY,))
def test_a_member_buys_no_more_a_day_than_is_allowed_whatever_came_before(selling: Hands) -> None:
    enrol(selling)
    selling.key(Key.Key_Minus)
    selling.scan(WATER.barcodes[0])
    first = sell(selling, WATER, WATER)
    selling.scan(CARD)
    selling.scan(WATER.barcodes[0])
    selling.scan(WATER.barcodes[0])
    assert selling.told == "error.too-many-units"
    assert [line.quantity for line in selling.sale.lines] == [1]
    pay(selling)
    selling.scan(CARD)
    weigh(selling, "0.5")
    assert selling.told == "error.too-many-units"
    selling.key(Key.Key_Escape)

    assert take_back(selling, first, 2) == 2_00
    weigh(selling, "0.5")
    assert [line.quantity for line in selling.sale.lines] == [500]
    selling.scan(WATER.barcodes[0])
    assert selling.told == "error.too-many-units"
    pay(selling)

    assert take_back(selling, first, 2) == 2_00
    selling.scan(CARD)
    assert sell(selling, WATER).total == 2_00


@by(restrictions=(THREE_A_DAY,))
def test_the_days_units_are_the_members_own_and_of_one_business_day(selling: Hands) -> None:
    assert sell(selling, WATER, WATER, WATER).total == 6_00
    enrol(selling)
    sell(selling, WATER, WATER, WATER)
    selling.scan(WATER.barcodes[0])
    selling.scan(CARD)
    assert selling.told == "error.too-many-units"
    assert selling.sale.member is None
    assert pay(selling).member is None
    selling.clock.advance(seconds=20 * 3600)
    selling.scan(CARD)
    selling.scan(WATER.barcodes[0])
    assert selling.told == "error.too-many-units"
    selling.tap("member-off")
    day_closed(selling)
    selling.key(Key.Key_Return)
    selling.sign_in()
    selling.open_shift()
    selling.scan(CARD)
    assert sell(selling, WATER, WATER, WATER).member is not None


WINE = Restriction(id="wine", names=names("Wine"), goods=only("W1"), minimum_age=18)
RICE_BOUGHT = (Spend(minimum_minor=60_00, goods=only("R1")),)
WINE_OR_CHIPS = offer("gift", Gift(choices=("W1", "C1")), conditions=RICE_BOUGHT)
WINE_ON_TOP = offer("gift", Gift(choices=("W1",)), conditions=RICE_BOUGHT)


@by(WINE_ON_TOP, restrictions=(WINE,))
def test_a_restricted_gift_is_looked_at_like_goods_that_were_scanned(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.overlay.kind == "looked-at"
    assert selling.receipts() == 0
    selling.key(Key.Key_Return)
    assert pay(selling).seen == ("wine/age",)


@by(WINE_OR_CHIPS, restrictions=(WINE,))
def test_a_restricted_gift_is_looked_at_when_it_is_chosen(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    selling.type("1")
    assert selling.overlay.kind == "looked-at"
    selling.key(Key.Key_Return)
    assert pay(selling).seen == ("wine/age",)


@by(WINE_OR_CHIPS, restrictions=(WINE,))
def test_a_gift_that_was_not_chosen_asks_for_nothing(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    selling.type("2")
    assert selling.view.overlay is None
    assert pay(selling).seen == ()
