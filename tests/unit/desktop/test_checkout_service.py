"""Ringing up and paying through the services, on a real file."""

from dataclasses import replace

import msgspec
import pytest

from desktop.bootstrap import Counter
from desktop.reckoning.file import read_till
from desktop.services.kept_basket import keep, read, take_up
from shared.catalogue.codes import receipt_code
from shared.errors import DomainError
from shared.ids import LotId
from shared.journal.entry import ENTRY_BYTES_MAX
from shared.loyalty.conditions import Paying
from shared.loyalty.coupon_code import new_coupon_code
from shared.loyalty.effects import AmountOff
from shared.loyalty.programme import CashRounding
from shared.loyalty.wallet import Wallet
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import HandDiscount
from shared.trade.fact import LotDraw, Tender, TenderKind
from tests.pricing_builders import goods, offer, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk
from tests.support.enrolled_till import APPLES, BISCUITS, CASHIER, MANAGER, PINS, WATER


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


def entries_of(desk: Desk, kind: str) -> list[dict]:
    kept = read_till(desk.till.store.folder.database)
    return [entry.told for entry in kept.entries() if entry.told["kind"] == kind]


def test_one_action_takes_exactly_what_is_due_in_cash(desk):
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()

    assert sale.fact.tenders == (Tender(tender=TenderKind.CASH, amount=1250, given=1250),)
    assert sale.change == 0
    assert desk.counter.checkout.basket.state.is_empty
    assert [told["id"] for told in entries_of(desk, "sale_completed")] == [sale.entry_id]


def test_more_cash_than_due_gives_change_and_a_part_leaves_the_rest_due(desk):
    desk.scan(BISCUIT_CODE)
    checkout = desk.counter.checkout
    checkout.tender_cash(500)
    assert checkout.due().amount == 750
    assert refused(desk.finish).fields == {"due": 750}
    tender = checkout.tender_cash(10_00)

    assert (tender.amount, tender.change) == (750, 250)
    assert desk.finish().change == 250


def test_cash_rounding_is_a_line_of_its_own_and_belongs_to_no_goods(desk):
    desk.counter.checkout.basket.add(APPLES, grams=333)  # 4.32234 → 4.32
    checkout = desk.counter.checkout
    assert (checkout.due().amount, checkout.due().in_cash) == (432, 430)
    checkout.tender_cash()
    fact = desk.finish().fact

    assert (fact.total, fact.rounding, fact.lines[0].amount) == (432, -2, 432)
    kept = read_till(desk.till.store.folder.database)
    assert kept.imbalance() == 0


def test_no_rounding_where_a_card_pays_to_the_cent(desk):
    desk.counter.checkout.basket.add(APPLES, grams=333)
    desk.counter.checkout.tender(TenderKind.CARD, 432)
    assert desk.finish().fact.rounding == 0


def test_points_card_and_cash_share_one_sale(desk):
    member = desk.enrol()
    for _ in range(10):
        desk.sell(*[BISCUIT_CODE] * 7, member=member)
    member = desk.member(member)
    assert member.points > 200
    checkout = desk.counter.checkout
    checkout.basket.attach(member)
    desk.scan(BISCUIT_CODE, BISCUIT_CODE)
    points = checkout.tender_points(200)
    checkout.tender(TenderKind.CARD, 15_00)
    checkout.tender_cash()
    fact = desk.finish().fact

    assert [(t.tender, t.amount) for t in fact.tenders] == [
        (TenderKind.POINTS, 200),
        (TenderKind.CARD, 1500),
        (TenderKind.CASH, 800),
    ]
    assert points.points == 200
    assert fact.member is not None
    # 23.00 in money earns; what points paid earns nothing.
    assert (fact.member.points.earned, fact.member.points.spent) == (23, 200)
    assert desk.member(member).points == member.points - 200 + 23


@pytest.mark.parametrize("amount", [0, -1, 1251, AMOUNT_MINOR_MAX + 1])
def test_only_cash_can_be_more_than_is_due(desk, amount):
    desk.scan(BISCUIT_CODE)
    error = refused(desk.counter.checkout.tender, TenderKind.CARD, amount)
    assert (error.code, error.fields) == ("tender-exceeds-due", {"amount": amount, "due": 1250})
    assert desk.counter.checkout.tenders == ()


@pytest.mark.parametrize("given", [-1, AMOUNT_MINOR_MAX + 1])
def test_absurd_cash_is_refused_and_the_basket_stays(desk, given):
    desk.scan(BISCUIT_CODE)
    assert refused(desk.counter.checkout.tender_cash, given).code == "bad-cash-amount"
    assert len(desk.counter.checkout.basket.state.lines) == 1


def test_points_spent_elsewhere_meanwhile_are_given_back_and_the_balance_shown_anew(desk):
    member = desk.enrol()
    desk.sell(*[BISCUIT_CODE] * 12, member=member)
    opening = desk.member(member).points
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    checkout.tender_points(100)
    checkout.tender_cash()
    other = Counter(desk.till)
    other.checkout.basket.attach(desk.member(member))
    other.scanning.scan(BISCUIT_CODE)
    other.checkout.tender_points(opening // 100 * 100)
    other.checkout.tender_cash()
    other.checkout.finish(desk.shift, CASHIER)

    assert refused(desk.finish).code == "balance-changed"
    assert [t.tender for t in checkout.tenders] == [TenderKind.CASH]
    assert checkout.basket.state.member is not None
    assert checkout.basket.state.member.points < 100
    assert len(entries_of(desk, "sale_completed")) == 2
    checkout.tender_cash()
    assert desk.finish().fact.total == 1250


def test_points_need_a_member_come_once_and_before_other_payments(desk):
    checkout = desk.counter.checkout
    desk.scan(BISCUIT_CODE)
    assert refused(checkout.tender_points, 100).code == "points-need-member"
    checkout.tender_cash()
    desk.finish()
    member = desk.enrol()
    desk.sell(*[BISCUIT_CODE] * 30, member=member)
    checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    checkout.tender(TenderKind.CARD, 12_00)
    assert refused(checkout.tender_points, 200).code == "points-too-late"
    checkout.withdraw(0)
    checkout.tender_points(100)
    assert refused(checkout.tender_points, 100).code == "points-tendered-already"


def test_a_sale_of_nothing_but_a_gift_is_written_with_zero(desk):
    checkout = desk.counter.checkout
    desk.scan(BISCUIT_CODE)
    line = checkout.basket.state.lines[0].id
    checkout.basket.discount(line, HandDiscount(basis_points=10_000), desk.approval("discount"))
    assert checkout.due().in_cash == 0
    checkout.tender_cash()
    fact = desk.finish().fact

    assert (fact.total, fact.tenders[0].amount) == (0, 0)
    assert fact.approvals[0].action == "discount"
    assert read_till(desk.till.store.folder.database).imbalance() == 0


def test_a_basket_beyond_64_kib_is_refused_before_money_and_its_halves_go_through(desk):
    checkout = desk.counter.checkout
    long_names = [goods(f"L{n}", 100, name_zh="名" * 100, name_en="n" * 100) for n in range(160)]
    for article in long_names:
        checkout.basket.add(article, units=1)
    error = refused(checkout.tender_cash)
    assert (error.code, error.fields) == ("basket-too-large", {"lines": 160})
    assert checkout.tenders == ()

    for half in (long_names[:80], long_names[80:]):
        checkout.clear()
        for article in half:
            checkout.basket.add(article, units=1)
        checkout.tender_cash()
        desk.finish()
    kept = read_till(desk.till.store.folder.database)
    sizes = [len(entry.encoded) for entry in kept.entries()]
    assert max(sizes) <= ENTRY_BYTES_MAX
    assert len(entries_of(desk, "sale_completed")) == 2


def test_an_entry_over_64_kib_writes_nothing_at_all(desk):
    desk.scan(BISCUIT_CODE)
    checkout = desk.counter.checkout
    checkout.tender(TenderKind.CARD, 1250, reference="r" * ENTRY_BYTES_MAX)
    error = refused(desk.finish)
    assert error.code == "entry-too-large"
    assert set(error.fields) == {"size", "limit"}
    assert entries_of(desk, "sale_completed") == []
    assert len(checkout.basket.state.lines) == 1
    checkout.withdraw(0)
    checkout.tender_cash()
    desk.finish()
    assert len(entries_of(desk, "sale_completed")) == 1


def test_an_empty_basket_and_an_absurd_total_are_no_sale(desk):
    assert refused(desk.counter.checkout.tender_cash).code == "basket-empty"
    basket = desk.counter.checkout.basket
    for sku in ("X1", "X2"):
        basket.add(goods(sku, AMOUNT_MINOR_MAX, no_discount=True), units=1)
    assert refused(desk.counter.checkout.tender_cash).code == "amount-too-large"


@pytest.mark.parametrize("units", [0, -1, 100_001, 10**18])
def test_impossible_quantities_leave_the_basket_as_it_was(desk, units):
    basket = desk.counter.checkout.basket
    desk.scan(BISCUIT_CODE, BISCUIT_CODE, BISCUIT_CODE)
    before = basket.state
    assert refused(desk.counter.scanning.scan, BISCUIT_CODE, quantity=units).code == "bad-quantity"
    assert refused(desk.counter.scanning.scan, WATER_CODE, quantity=units).code == "bad-quantity"
    assert refused(basket.set_quantity, before.lines[0].id, units).code == "bad-quantity"
    assert basket.state == before
    assert refused(basket.add, APPLES, grams=min(units, 0)).code == "bad-quantity"


@pytest.mark.parametrize("price", [-1, AMOUNT_MINOR_MAX + 1])
def test_impossible_hand_prices_leave_no_mark(desk, price):
    desk.scan(BISCUIT_CODE)
    line = desk.counter.checkout.basket.state.lines[0].id
    error = refused(
        desk.counter.holding.override_price,
        line,
        price,
        desk.approval("price"),
        desk.shift,
        CASHIER,
    )
    assert error.code == "bad-amount-on-line"
    assert entries_of(desk, "price_overridden") == []


def test_lines_that_are_not_there_cannot_be_changed(desk):
    assert refused(desk.counter.checkout.basket.void, "9").code == "no-such-line"


def test_a_charged_payment_that_is_taken_off_names_what_is_to_be_reversed(desk):
    desk.scan(BISCUIT_CODE)
    checkout = desk.counter.checkout
    checkout.tender(TenderKind.WALLET, 1250, provider="wallet", attempt_id="a1")
    assert checkout.withdraw(0).attempt_id == "a1"
    assert (checkout.tenders, checkout.due().amount) == ((), 1250)


def test_units_of_the_same_goods_join_one_line_and_price_changes_open_another(desk):
    desk.scan(WATER_CODE, BISCUIT_CODE, WATER_CODE)
    basket = desk.counter.checkout.basket
    assert [(line.goods.sku, line.units) for line in basket.state.lines] == [("B1", 1), ("A1", 2)]
    basket.add(replace(WATER, list_price_minor=250), units=1)
    assert len(basket.state.lines) == 3
    assert basket.barcode_of(basket.state.lines[1].id) == WATER_CODE


def test_receipt_numbers_name_till_epoch_and_place_and_pass_their_own_check(desk):
    first, second = desk.sell(WATER_CODE), desk.sell(WATER_CODE)
    assert first.fact.receipt_no == receipt_code(till_number=1, epoch=1, number=2)
    assert second.fact.receipt_no == receipt_code(till_number=1, epoch=1, number=3)


def test_every_sale_tells_the_lot_it_earned_and_draws_oldest_first(desk):
    member = desk.enrol()
    lots = []
    for _ in range(2):
        lots.append(desk.sell(*[BISCUIT_CODE] * 5, member=member).entry_id)  # 62.50
        desk.clock.advance(days=1)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    spent = checkout.tender_points(100)
    assert spent.lots == (
        LotDraw(lot=LotId(lots[0]), points=62, last_day="2027-12-31"),
        LotDraw(lot=LotId(lots[1]), points=38, last_day="2027-12-31"),
    )


def test_a_coupon_lowers_one_sale_and_is_used_up_with_it(desk):
    key = desk.till.identity.lookup_key
    code = new_coupon_code(key, "ten-off-fifty", lambda n: bytes(range(n)))
    desk.scan(*[BISCUIT_CODE] * 5, code)  # 62.50
    assert desk.counter.checkout.due().amount == 5250
    assert refused(desk.counter.scanning.scan, code).code == "coupon-claimed-already"
    desk.counter.checkout.tender_cash()
    desk.finish()
    desk.scan(*[BISCUIT_CODE] * 5)
    assert refused(desk.counter.scanning.scan, code).code == "coupon-used"
    assert desk.counter.checkout.due().amount == 6250


def test_a_programme_of_tomorrow_prices_the_next_sale_not_the_running_one(make_desk):
    from shared.loyalty.effects import PercentOff  # noqa: PLC0415 - told where it matters

    desk = make_desk(programme(offer("half", PercentOff(basis_points_off=5000))))
    desk.scan(BISCUIT_CODE)
    assert desk.counter.checkout.due().amount == 625
    other = msgspec.structs.replace(desk.counter.checkout.basket.pricing.programme, offers=())
    desk.counter.checkout.clear(replace(desk.counter.checkout.basket.pricing, programme=other))
    desk.scan(BISCUIT_CODE)
    assert desk.counter.checkout.due().amount == BISCUITS.list_price_minor


@pytest.mark.parametrize("first", [1, 3, 507, 833, 1249])
def test_cash_in_two_parts_is_rounded_once_and_settles(desk, first):
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.basket.override_price("1", 1338, desk.approval("price-override"))
    checkout = desk.counter.checkout
    checkout.tender_cash(first)
    checkout.tender_cash()
    sale = desk.finish().fact
    assert (sale.total, sale.rounding) == (1338, -8)
    assert sum(tender.amount for tender in sale.tenders) == 1330


BY_CARD = offer("by-card", AmountOff(off_minor=3_00), conditions=(Paying(tenders=("card",)),))


def test_what_a_tender_saved_goes_when_something_else_pays_too(make_desk):
    desk = make_desk(programme(BY_CARD, cash_rounding=CashRounding(step_minor=1)))
    checkout = desk.counter.checkout
    desk.scan(BISCUIT_CODE)
    checkout.plan(TenderKind.CARD)
    checkout.tender(TenderKind.CARD, 9_50)
    assert checkout.can_finish
    desk.scan(WATER_CODE)
    assert checkout.due().amount == 2_00
    checkout.tender_cash(1_00)
    assert checkout.due().amount == 4_00


def test_a_plan_to_pay_outlives_the_till_with_the_money_that_was_taken(make_desk):
    desk = make_desk(programme(BY_CARD, cash_rounding=CashRounding(step_minor=1)))
    checkout = desk.counter.checkout
    desk.scan(BISCUIT_CODE)
    checkout.plan(TenderKind.CARD)
    checkout.tender(TenderKind.CARD, 9_50)
    kept = read(keep(checkout.basket.state, checkout.tenders))
    found = take_up(kept, desk.till.members.by_id, lambda _goods: None)
    checkout.clear()
    checkout.restore(found.state, found.tenders)
    assert checkout.can_finish
    assert desk.finish().fact.total == 9_50


def test_cash_goes_out_for_what_comes_in_only_with_an_approval_of_that_amount(desk):
    desk.counter.scanning.scan(WATER_CODE, comes_in=True)
    checkout = desk.counter.checkout
    checkout.basket.approve(desk.approval("cash-out"))
    with pytest.raises(DomainError, match="approval-needed"):
        checkout.tender_cash()
    allowed = desk.till.operators.approve(MANAGER, PINS[MANAGER], action="cash-out", amount=2_00)
    checkout.basket.approve(allowed)
    assert checkout.tender_cash().amount == -2_00
    assert desk.finish().fact.total == -2_00


def test_stored_value_that_a_copied_disk_overdrew_pays_nothing(desk):
    member = replace(desk.member(desk.enrol()), wallet=Wallet(principal=-13_77))
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.basket.attach(member)
    assert desk.counter.checkout.value_offered() == 0
