"""What a programme gives beside the price, at the till: gifts, rewards, add-ons, coupons."""

from typing import Any

from PySide6.QtCore import Qt

from desktop.presenters.view import Choices
from shared.catalogue.codes import CouponCode, classify
from shared.ids import EntryId
from shared.ledger.account import AccountKind
from shared.ledger.booking_ticket import post_sale
from shared.loyalty.accounts import TenderRule
from shared.loyalty.conditions import Paying, Spend
from shared.loyalty.effects import AmountOff, FixedPrice, FurtherUnits, Gift, IssueCoupon
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import Redemption, Treatment
from shared.receipt.document import Barcode
from shared.trade.fact import TenderKind
from tests.pricing_builders import names, offer, only
from tests.support.till_errands import (
    CARD,
    by,
    enrol,
    enrol_and_come_back,
    last_entry,
    last_sale,
    paper,
    pay,
    sell,
    take_back,
    tiles,
)
from tests.support.till_fixture import CHIPS, RICE, WATER
from tests.support.till_hands import Hands

Key = Qt.Key


GIFT = offer(
    "gift", Gift(choices=("W1", "C1")), conditions=(Spend(minimum_minor=60_00, goods=only("R1")),)
)
MIXED = offer("gift", Gift(choices=("W1", "C1"), units=2, mixed=True), only("R1"))
FURTHER = offer("further", FurtherUnits(per_units=3), only("W1"))
REWARD = offer("ten", AmountOff(off_minor=10_00), costs_points=50)
ADD_ON = offer("add-on", FixedPrice(price_minor=1_00), only("C1"), claimed=True, by_hand=True)
ISSUING = offer("issuing", IssueCoupon(coupon="five", per_minor=50_00), only("R1"))
FIVE = offer("five", AmountOff(off_minor=5_00), claimed=True)
FIVE_COUPON = Coupon(
    id="five", version=1, names=names("5.00 off"), offer="five", valid_days=30, per_sale=2
)


def coupon_codes(hands: Hands, entry: EntryId) -> list[str]:
    """The codes on the receipt of an entry."""
    codes = [block.digits for block in paper(hands, entry).blocks if isinstance(block, Barcode)]
    return [code for code in codes if isinstance(classify(code), CouponCode)]


@by(FURTHER)
def test_further_units_are_on_the_screen_on_paper_and_come_back(selling: Hands) -> None:
    for _ in range(3):
        selling.scan(WATER.barcodes[0])
    rung_up, given = selling.sale.lines
    assert (rung_up.quantity, rung_up.amount, given.quantity, given.amount) == (3, 6_00, 1, 2_00)
    assert [one.minor for one in given.discounts] == [2_00]
    assert (selling.sale.total, selling.sale.saved) == (6_00, 2_00)

    sale = pay(selling)
    assert [(line.goods_id, line.amount, line.given_by) for line in sale.lines] == [
        ("W1", 6_00, ""),
        ("W1", 0, "further"),
    ]
    assert sale.total == 6_00
    assert sum(posting.amount for posting in post_sale(EntryId("sale"), sale)) == 0

    assert take_back(selling, sale) == 6_00


@by(GIFT)
def test_paying_asks_which_gift_and_goes_on_when_one_is_chosen(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert selling.overlay.kind == "choose-gift"
    assert tiles(selling, "gift") == ["gift\nW1", "gift\nC1", "gift\n"]
    selling.type("7")
    assert selling.overlay.kind == "choose-gift"
    selling.type("2")
    assert selling.view.overlay is None
    assert [line.amount for line in selling.sale.lines] == [69_90, 7_50]
    sale = pay(selling)
    assert [(line.goods_id, line.given_by) for line in sale.lines] == [("R1", ""), ("C1", "gift")]


def mix(sale: Any) -> list[tuple[str, int]]:
    return [(line.goods_id, line.quantity) for line in sale.lines if line.given_by]


@by(MIXED)
def test_units_of_a_gift_are_chosen_one_by_one(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F11)
    selling.type("1")
    assert selling.overlay.kind == "choose-gift"
    selling.type("2")
    assert selling.view.overlay is None
    sale = pay(selling)
    assert mix(sale) == [("C1", 1), ("W1", 1)]


@by(MIXED)
def test_fewer_units_may_be_wanted_and_the_mix_be_changed(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F6)
    for tile in ("W1", "W1", "C1", "", ""):
        selling.tap("gift", f"gift\n{tile}")
    selling.tap("gift", "gift\nC1")
    selling.tap("gift", "gift\n")
    selling.key(Key.Key_Escape)
    assert mix(pay(selling)) == [("C1", 1)]


@by(GIFT)
def test_a_gift_that_nobody_wants_is_not_given(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F11)
    selling.tap("gift", "gift\n")
    sale = pay(selling)
    assert [line.goods_id for line in sale.lines] == ["R1"]


@by(GIFT)
def test_a_gift_is_changed_on_the_sheet_of_coupons(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F6)
    selling.tap("gift", "gift\nW1")
    selling.tap("gift", "gift\nC1")
    selling.key(Key.Key_Escape)
    assert [line.goods_id for line in pay(selling).lines] == ["R1", "C1"]


@by(REWARD)
def test_a_reward_takes_points_and_gives_them_back_with_the_goods(selling: Hands) -> None:
    enrol_and_come_back(selling, RICE)
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F6)
    assert tiles(selling, "reward") == ["ten"]
    selling.tap("reward", "ten")
    assert selling.sale.total == 59_90
    selling.tap("reward", "ten")
    assert selling.sale.total == 69_90
    selling.tap("reward", "ten")
    selling.key(Key.Key_Escape)
    sale = pay(selling)
    assert sale.member is not None
    points = sale.member.points
    assert (points.opening, points.earned, points.spent, points.closing) == (69, 59, 50, 78)
    (reward,) = [one for one in sale.tenders if one.tender is TenderKind.POINTS]
    assert (reward.amount, reward.points) == (0, 50)

    assert take_back(selling, sale) == 59_90
    selling.scan(CARD)
    member = selling.station.till.members.by_card(CARD)
    assert member is not None
    assert member.points == 69


@by(REWARD)
def test_a_reward_without_enough_points_says_so_and_costs_nothing(selling: Hands) -> None:
    enrol(selling)
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F6)
    selling.tap("reward", "ten")
    parts = [part for part in selling.overlay.parts if isinstance(part, Choices)]
    (row,) = next(part for part in parts if part.name == "reward").items
    assert row.detail != ""
    selling.key(Key.Key_Escape)
    assert pay(selling).total == 7_50


@by(ADD_ON)
def test_an_add_on_price_is_claimed_by_hand_without_a_member(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    assert selling.sale.total == 77_40
    selling.key(Key.Key_F6)
    selling.tap("reward", "add-on")
    selling.key(Key.Key_Escape)
    assert pay(selling).total == 70_90


@by(ISSUING, FIVE, coupons=(FIVE_COUPON,))
def test_a_sale_prints_coupons_that_work_on_the_next_one_and_once(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    sale = pay(selling)
    entry = last_entry(selling)
    (issued,) = sale.coupons_issued
    assert (issued.offer_id, issued.valid_from, issued.valid_until) == (
        "five",
        "2026-03-02",
        "2026-03-31",
    )
    (code,) = coupon_codes(selling, entry.envelope.id)
    assert code not in str(sale)

    selling.scan(CHIPS.barcodes[0])
    selling.scan(code)
    assert selling.sale.total == 2_50
    pay(selling)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(code)
    assert selling.told == "error.coupon-used"
    assert selling.sale.total == 7_50


@by(tenders=(TenderRule(tender="voucher", goods=only("W1", "C1"), at_most_minor=5_00),))
def test_a_voucher_pays_for_its_goods_only_and_no_more_than_it_may(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    selling.key(Key.Key_F11)
    selling.key(Key.Key_F8)
    assert selling.sale.tender is not None
    assert selling.sale.tender.due == 72_40
    selling.key(Key.Key_F8)
    assert selling.told == "error.tender-may-not-pay"
    assert [one.amount for one in pay(selling).tenders] == [5_00, 72_40]


LOWERING = Redemption(
    points_per_block=1, value_per_block_minor=100, treatment=Treatment.PRICE_REDUCTION
)


@by(redemption=LOWERING)
def test_points_that_lower_the_price_do_so_before_paying(selling: Hands) -> None:
    enrol_and_come_back(selling, CHIPS)
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F7)
    assert selling.sale.total == 62_90
    selling.scan(CHIPS.barcodes[0])
    assert selling.sale.total == 70_40
    sale = pay(selling)
    assert sale.total == 70_40
    assert sale.member is not None
    assert (sale.member.points.spent, sale.member.points.earned) == (7, 70)
    drawn = [
        one for one in post_sale(EntryId("sale"), sale) if one.account.kind is AccountKind.POINTS
    ]
    assert sum(one.amount for one in drawn) == 63


BY_CARD = offer("by-card", AmountOff(off_minor=3_00), conditions=(Paying(tenders=("card",)),))


@by(BY_CARD)
def test_an_offer_for_a_way_of_paying_is_told_applied_and_withdrawn_with_it(
    selling: Hands,
) -> None:
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F11)
    assert selling.sale.tender is not None
    assert (selling.sale.tender.due, len(selling.sale.tender.savings)) == (69_90, 1)
    selling.type("50.00")
    selling.key(Key.Key_F6)
    assert selling.sale.tender.due == 19_90
    selling.key(Key.Key_Delete)
    assert selling.sale.tender.due == 69_90
    selling.key(Key.Key_F6)
    assert [one.amount for one in last_sale(selling).tenders] == [66_90]

    selling.scan(RICE.barcodes[0])
    assert pay(selling).total == 69_90


@by(ISSUING, FIVE, coupons=(FIVE_COUPON,))
def test_coupons_go_the_way_of_the_sale_that_comes_back(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    first = pay(selling)
    entry = last_entry(selling)
    (code,) = coupon_codes(selling, entry.envelope.id)
    selling.scan(CHIPS.barcodes[0])
    selling.scan(code)
    second = pay(selling)
    assert second.total == 2_50

    assert take_back(selling, second) == second.total
    selling.scan(CHIPS.barcodes[0])
    selling.scan(code)
    assert selling.sale.total == 2_50
    selling.tap("member-off")
    selling.key(Key.Key_Delete)

    assert take_back(selling, first) == first.total
    selling.scan(WATER.barcodes[0])
    selling.scan(code)
    assert selling.told == "error.coupon-used"


BY_WALLET = offer("by-wallet", AmountOff(off_minor=3_00), conditions=(Paying(tenders=("wallet",)),))


@by(BY_WALLET, tenders=(TenderRule(tender="wallet", goods=only("C1")),))
def test_a_wallet_is_asked_for_no_more_than_it_may_pay(selling: Hands) -> None:
    selling.scan(RICE.barcodes[0])
    selling.scan(CHIPS.barcodes[0])
    selling.wedge("134567890123456789")
    assert selling.station.loop.wait_for(lambda view: bool(view.body.tender.tenders), 10)
    selling.settle()
    assert selling.sale.tender is not None
    assert [row.minor for row in selling.sale.tender.tenders] == [7_50]
    assert selling.sale.tender.due == 69_90


@by(BY_CARD, redemption=LOWERING)
def test_points_that_lower_the_price_stay_when_a_tender_is_planned(selling: Hands) -> None:
    enrol_and_come_back(selling, CHIPS)
    selling.scan(RICE.barcodes[0])
    selling.key(Key.Key_F7)
    assert selling.sale.total == 62_90
    sale = pay(selling)
    assert (sale.total, sale.member.points.spent if sale.member else 0) == (62_90, 7)


@by(FURTHER)
def test_gifts_can_come_back_after_everything_else(selling: Hands) -> None:
    sale = sell(selling, WATER, WATER, WATER)
    assert take_back(selling, sale, 1, 1, 1) == 4_00
    assert take_back(selling, sale) == 2_00
    assert selling.receipts() == 3
