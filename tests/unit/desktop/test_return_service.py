"""Goods that come back, through the services and the file."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from desktop.reckoning.file import read_till
from desktop.services.returns import WITHOUT_GOODS
from shared.catalogue.codes import receipt_code
from shared.errors import DomainError
from shared.loyalty.bundle import template
from shared.loyalty.effects import Ladder, Step
from shared.loyalty.programme import CashRounding, Floor, Returns
from shared.pricing.basket import BasketLine
from shared.trade.fact import TenderKind
from tests.pricing_builders import goods, offer, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk
from tests.support.enrolled_till import BISCUITS, CASHIER, WATER

TO_THE_CENT = CashRounding(step_minor=1)
FIVE_OFF_THIRTY = programme(
    offer("满30减5", Ladder(steps=(Step(threshold_minor=3000, off_minor=500),))),
    cash_rounding=TO_THE_CENT,
)
NO_OFFERS = programme(cash_rounding=TO_THE_CENT)


def refused(call, *arguments, **named) -> DomainError:
    with pytest.raises(DomainError) as caught:
        call(*arguments, **named)
    return caught.value


def sell(desk: Desk, price: int, member) -> object:
    """One article at a price, for cash."""
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods(f"P{price}", price), units=1)
    checkout.tender_cash()
    return desk.finish()


def test_three_single_returns_give_back_exactly_the_sale_and_its_points(make_desk):
    desk = make_desk(FIVE_OFF_THIRTY)
    member = desk.enrol()
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=member)
    assert (sale.fact.total, desk.member(member).points) == (3250, 32)

    backs = [desk.take_back(sale, (1, 1)).fact for _ in range(3)]

    assert [back.total for back in backs] == [1083, 1084, 1083]
    assert [back.refunds[0].amount for back in backs] == [1083, 1084, 1083]
    assert [back.lines[0].points for back in backs] == [11, 10, 11]
    assert [sum(draw.points for draw in back.points_taken) for back in backs] == [11, 10, 11]
    assert sum(back.taxes[0].tax for back in backs) == sale.fact.taxes[0].tax
    assert desk.member(member).points == 0
    error = refused(desk.take_back, sale, (1, 1))
    assert (error.code, error.fields) == (
        "return-exceeds-sale",
        {"quantity": 1, "left": 0, "line": 1},
    )
    kept = read_till(desk.till.store.folder.database)
    assert (kept.imbalance(), kept.broken_chains()) == (0, [])


@pytest.mark.parametrize("wanted", [[(1, 4)], [(1, 2), (1, 2)], [(1, 0)], [(1, -1)]])
def test_never_more_than_was_sold_in_one_return_or_several(make_desk, wanted):
    desk = make_desk(FIVE_OFF_THIRTY)
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    assert refused(desk.take_back, sale, *wanted).code == "return-exceeds-sale"
    assert not [
        entry
        for entry in read_till(desk.till.store.folder.database).entries()
        if entry.told["kind"] == "sale_returned"
    ]
    assert desk.take_back(sale, (1, 3)).fact.total == 3250


def test_a_return_decided_on_old_knowledge_counts_what_came_back_meanwhile(make_desk):
    desk = make_desk(FIVE_OFF_THIRTY)
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    stale = desk.till.returns.by_receipt(sale.fact.receipt_no)
    desk.take_back(sale, (1, 2))
    from shared.returning.lines import Wanted  # noqa: PLC0415 - one test speaks of it

    pricing = desk.till.pricing()
    by = desk.returned_by()
    error = refused(desk.till.returns.take_back, pricing, stale, [Wanted(1, 2)], by)
    assert error.code == "return-exceeds-sale"
    assert desk.till.returns.take_back(pricing, stale, [Wanted(1, 1)], by).fact.total == 1083


def test_half_of_a_sale_paid_with_points_and_cash_goes_back_in_both(make_desk):
    rules = msgspec.structs.replace(
        NO_OFFERS,
        redemption=msgspec.structs.replace(
            template("default").redemption, points_per_block=1, value_per_block_minor=100
        ),
    )
    desk = make_desk(rules)
    member = desk.enrol()
    sell(desk, 100_00, member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("T", 50_00), units=2)
    checkout.tender_points(30)
    checkout.tender_cash()
    sale = desk.finish()
    assert [t.amount for t in sale.fact.tenders] == [3000, 7000]
    before = desk.member(member).points

    back = desk.take_back(sale, (1, 1)).fact

    refunds = {t.tender: t.amount for t in back.refunds}
    assert refunds == {TenderKind.CASH: 3500, TenderKind.POINTS: 1500}
    given = sum(draw.points for t in back.refunds for draw in t.lots)
    assert given == 15
    assert back.member is not None
    assert desk.member(member).points == before + 15 - 35 == back.member.points.closing


def test_money_goes_back_to_the_card_first_and_to_cash_last(make_desk):
    desk = make_desk(NO_OFFERS)
    desk.scan(*[BISCUIT_CODE] * 2)
    desk.counter.checkout.tender(TenderKind.CARD, 1500)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    first, second = desk.take_back(sale, (1, 1)).fact, desk.take_back(sale, (1, 1)).fact
    assert [(t.tender, t.amount) for t in first.refunds] == [(TenderKind.CARD, 1250)]
    assert [(t.tender, t.amount) for t in second.refunds] == [
        (TenderKind.CARD, 250),
        (TenderKind.CASH, 1000),
    ]


def test_a_return_moves_the_tier_at_once(make_desk):
    desk = make_desk(NO_OFFERS)
    member = desk.enrol()
    sell(desk, 200_00, member)
    assert desk.member(member).tier == "silver"
    desk.clock.advance(days=1)
    sell(desk, 799_00, member)
    last = sell(desk, 1_00, member)
    assert desk.member(member).tier == "gold"
    back = desk.take_back(last, (1, 1)).fact
    assert back.member is not None
    assert (back.member.tier, back.member.tier_after) == ("gold", "silver")
    assert desk.member(member).tier == "silver"


def test_gold_by_total_alone_falls_with_the_yuan_that_reached_it(make_desk):
    desk = make_desk(msgspec.structs.replace(NO_OFFERS, returns=Returns(days=0)))
    member = desk.enrol()
    for price in (700_00, 700_00):
        sell(desk, price, member)
        desk.clock.at += timedelta(days=400)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("BIG", 599_00), units=1)
    checkout.basket.add(goods("ONE", 1_00), units=1)
    checkout.tender_cash()
    sale = desk.finish()
    assert desk.member(member).tier == "gold"
    desk.take_back(sale, (2, 1))
    assert desk.member(member).tier == "silver"


def test_points_that_were_spent_already_become_a_debt_that_later_points_pay(make_desk):
    rules = msgspec.structs.replace(NO_OFFERS)
    desk = make_desk(rules)
    member = desk.enrol()
    sale = sell(desk, 300_00, member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("T", 3_00), units=1)
    checkout.tender_points(300)
    checkout.tender_cash(0)
    desk.finish()
    assert desk.member(member).points == 0
    desk.take_back(sale, (1, 1))
    assert desk.member(member).points == -300


def test_points_that_stop_at_zero_are_remembered_for_their_sale(make_desk):
    returns = msgspec.structs.replace(NO_OFFERS.returns, points_floor=Floor.ZERO)
    desk = make_desk(msgspec.structs.replace(NO_OFFERS, returns=returns))
    member = desk.enrol()
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("H", 150_00), units=2)
    checkout.tender_cash()
    sale = desk.finish()
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("T", 3_00), units=1)
    checkout.tender_points(300)
    checkout.tender_cash(0)
    desk.finish()
    desk.take_back(sale, (1, 1))
    assert desk.member(member).points == 0
    sell(desk, 200_00, member)
    back = desk.take_back(sale, (1, 1)).fact
    assert sum(draw.points for draw in back.points_taken) == 200
    assert desk.member(member).points == 0


def test_a_receipt_of_nowhere_and_one_too_old(make_desk):
    desk = make_desk(NO_OFFERS)
    number = receipt_code(till_number=9, epoch=1, number=1)
    error = refused(desk.till.returns.by_receipt, number)
    assert (error.code, error.fields) == ("unknown-receipt", {"receipt_no": number})
    desk = make_desk()
    sale = desk.sell(BISCUIT_CODE)
    desk.clock.advance(days=31)
    assert refused(desk.take_back, sale, (1, 1)).code == "return-too-late"
    assert refused(desk.take_back, sale).code == "nothing-to-return"
    assert refused(desk.take_back, sale, (9, 1)).code in {"no-such-line", "return-too-late"}


def test_without_a_receipt_a_manager_must_allow_it_and_the_programme_sets_the_limit(make_desk):
    desk = make_desk(
        msgspec.structs.replace(NO_OFFERS, returns=Returns(without_receipt_minor=2000))
    )
    pricing = desk.till.pricing()
    take = desk.till.returns.take_back_without_receipt
    one = [BasketLine(id="1", goods=BISCUITS, units=1)]
    allowed = desk.returned_by(desk.approval("return-without-receipt"))
    assert refused(take, pricing, one, desk.returned_by()).code == "approval-needed"
    assert refused(take, pricing, [], allowed).code == "nothing-to-return"
    two = [BasketLine(id="1", goods=BISCUITS, units=2)]
    error = refused(take, pricing, two, allowed)
    assert (error.code, error.fields) == ("return-needs-receipt", {"limit": 2000})

    back = take(pricing, one, allowed).fact
    assert (back.original, back.lines[0].of_line, back.total) == (None, 0, 1250)
    assert [(t.tender, t.amount) for t in back.refunds] == [(TenderKind.CASH, 1250)]
    assert back.approvals == allowed.approvals
    assert read_till(desk.till.store.folder.database).imbalance() == 0


def test_without_receipts_a_till_gives_back_so_much_in_a_business_day(make_desk):
    returns = Returns(without_receipt_minor=2000, without_receipt_per_day_minor=2500)
    desk = make_desk(msgspec.structs.replace(NO_OFFERS, returns=returns))
    take, pricing = desk.till.returns.take_back_without_receipt, desk.till.pricing()
    one = [BasketLine(id="1", goods=BISCUITS, units=1)]
    allowed = desk.returned_by(desk.approval("return-without-receipt"))
    take(pricing, one, allowed)
    # What comes back of a known sale is no part of it.
    desk.take_back(desk.sell(BISCUIT_CODE), (1, 1))
    take(pricing, one, allowed)
    error = refused(take, pricing, one, allowed)
    assert (error.code, error.fields) == (
        "returns-without-receipt-today",
        {"limit": 2500, "left": 0},
    )
    shift = replace(allowed.shift, business_date=allowed.shift.business_date + timedelta(1))
    assert take(pricing, one, replace(allowed, shift=shift)).fact.total == 1250


def test_a_member_erased_meanwhile_gets_money_for_what_points_had_paid(make_desk):
    from desktop.store.members import put_member  # noqa: PLC0415 - the erasure of one test
    from shared.protocol.message import MemberRow  # noqa: PLC0415

    desk = make_desk(NO_OFFERS)
    member = desk.enrol()
    sell(desk, 300_00, member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    checkout.basket.add(goods("T", 10_00), units=1)
    checkout.tender_points(300)
    checkout.tender_cash()
    sale = desk.finish()
    gone = MemberRow(member_id=member.member_id, gone=True)
    desk.till.books.change(
        lambda transaction: put_member(
            transaction.connection, gone, epoch=1, applied_through=0, as_of=""
        )
    )

    back = desk.take_back(sale, (1, 1)).fact
    assert back.member is None
    assert [(t.tender, t.amount) for t in back.refunds] == [(TenderKind.CASH, 1000)]
    assert read_till(desk.till.store.folder.database).imbalance() == 0


def test_weighed_goods_come_back_by_the_gram(make_desk):
    from tests.support.enrolled_till import APPLES  # noqa: PLC0415

    desk = make_desk(NO_OFFERS)
    desk.counter.checkout.basket.add(APPLES, grams=1000)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    backs = [desk.take_back(sale, (1, grams)).fact.total for grams in (333, 333, 334)]
    assert sum(backs) == sale.fact.total == 1298


def test_an_abandoned_return_leaves_the_till_selling(desk):
    sale = desk.sell(WATER_CODE)
    refused(desk.take_back, sale, (1, 2))
    assert desk.sell(WATER_CODE).fact.total == WATER.list_price_minor
    assert desk.counter.shifts.figures().sales == 2
    assert desk.counter.shifts.current().operator_id == CASHIER


def test_two_cards_get_back_what_they_took_and_no_cash_is_given_for_it(desk):
    desk.scan(*[BISCUIT_CODE] * 3)  # 37.50
    desk.counter.checkout.tender(TenderKind.CARD, 3000)
    desk.counter.checkout.tender(TenderKind.CARD, 750)
    sale = desk.finish()
    refunds = [desk.take_back(sale, (1, 1)).fact.refunds for _ in range(3)]
    assert {one.tender for refund in refunds for one in refund} == {TenderKind.CARD}
    assert sum(one.amount for refund in refunds for one in refund) == 3750


def test_vouchers_that_can_be_told_apart_are_kept_apart(desk):
    desk.scan(*[BISCUIT_CODE] * 2)  # 25.00
    desk.counter.checkout.tender(TenderKind.VOUCHER, 1500, provider="meal", reference="V1")
    desk.counter.checkout.tender(TenderKind.VOUCHER, 1000, provider="meal", reference="V2")
    sale = desk.finish()
    first, second = (desk.take_back(sale, (1, 1)).fact.refunds for _ in range(2))
    assert [(one.reference, one.amount) for one in first] == [("V1", 1250)]
    assert [(one.reference, one.amount) for one in second] == [("V1", 250), ("V2", 1000)]


def test_an_approval_of_something_else_allows_no_return_without_receipt(desk):
    desk.scan(BISCUIT_CODE)
    lines = desk.counter.checkout.basket.state.lines
    by = desk.returned_by(desk.approval("price-override"))
    error = refused(desk.till.returns.take_back_without_receipt, desk.till.pricing(), lines, by)
    assert error.code == "approval-needed"


def test_a_return_made_offline_says_so(desk):
    member = desk.enrol()
    sale = desk.sell(BISCUIT_CODE, member=member)
    back = desk.take_back(sale, (1, 1))
    assert back.fact.member.points.offline  # nobody has reached a server yet


def test_parts_of_a_sale_in_cash_never_pay_out_a_step_too_much(make_desk):
    desk = make_desk(programme(cash_rounding=CashRounding(step_minor=10)))
    desk.counter.checkout.basket.add(goods("P15", 15), units=2)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    backs = [desk.take_back(sale, (1, 1)).fact for _ in range(2)]
    assert [[one.amount for one in back.refunds] for back in backs] == [[20], [10]]
    assert [back.rounding for back in backs] == [5, -5]
    assert read_till(desk.till.store.folder.database).imbalance() == 0


def refund(desk, sale, amount, action=WITHOUT_GOODS):
    return desk.till.returns.refund_amount(
        desk.till.pricing(),
        desk.till.returns.by_receipt(sale.fact.receipt_no),
        amount,
        desk.returned_by(desk.approval(action)),
    ).fact


def test_money_goes_back_without_goods_and_points_go_with_it(make_desk):
    desk = make_desk(NO_OFFERS)
    member = desk.enrol()
    sale = desk.sell(*[BISCUIT_CODE] * 4, member=member)  # 50.00, 50 points
    back = refund(desk, sale, 10_01)
    assert (back.total, [(one.tender, one.amount) for one in back.refunds]) == (
        10_01,
        [(TenderKind.CASH, 10_01)],
    )
    # 10.01 of 50.00 is 10.01 of 50 points, rounded down.
    assert (back.member.points.earned, desk.member(member).points) == (-10, 40)
    assert all(not line.quantity for line in back.lines)
    # The goods that come back later bring what is left of both.
    rest = desk.take_back(sale, (1, 4)).fact
    assert (back.total + rest.total, desk.member(member).points) == (50_00, 0)
    with pytest.raises(DomainError, match="refund-exceeds-sale"):
        refund(desk, sale, 1)


def test_money_without_goods_needs_its_own_approval_and_no_more_than_was_paid(make_desk):
    desk = make_desk(NO_OFFERS)
    sale = desk.sell(BISCUIT_CODE)
    with pytest.raises(DomainError, match="approval-needed"):
        refund(desk, sale, 1_00, action="return-without-receipt")
    for amount in (0, 12_51):
        with pytest.raises(DomainError, match="refund-exceeds-sale"):
            refund(desk, sale, amount)
    assert refund(desk, sale, 12_50).total == 12_50
