"""The basket may change after points were taken: goods, member, a line voided."""

from shared.trade.fact import TenderKind
from tests.support.desk import BISCUIT_CODE, WATER_CODE


def with_points(desk):
    member = desk.enrol()
    desk.sell(*[BISCUIT_CODE] * 40, member=member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    return checkout


def test_points_are_spread_anew_when_more_goods_are_scanned(desk):
    checkout = with_points(desk)
    desk.scan(BISCUIT_CODE)
    checkout.tender_points(200)
    desk.scan(WATER_CODE, WATER_CODE)
    checkout.tender_cash()
    fact = desk.finish().fact

    assert (fact.tenders[0].tender, fact.tenders[0].points) == (TenderKind.POINTS, 200)
    assert sum(line.points_paid for line in fact.lines) == 200
    assert sum(line.points_spent for line in fact.lines) == 200
    assert sum(t.amount for t in fact.tenders) == fact.total + fact.rounding


def test_no_more_points_are_taken_than_a_smaller_basket_needs(desk):
    checkout = with_points(desk)
    line = checkout.basket.add(desk.counter.scanning.find(BISCUIT_CODE), units=1)
    desk.scan(WATER_CODE)
    checkout.tender_points(300)
    checkout.basket.void(line)
    assert checkout.due().amount >= 0
    checkout.tender_cash()
    fact = desk.finish().fact

    spent = fact.tenders[0]
    assert spent.tender is TenderKind.POINTS
    assert spent.points < 300
    assert spent.amount <= fact.total


def test_points_are_given_back_when_their_member_leaves(desk):
    checkout = with_points(desk)
    desk.scan(BISCUIT_CODE)
    checkout.tender_points(200)
    checkout.basket.attach(None)
    assert checkout.due().amount == 1250
    assert checkout.tenders == ()


def test_points_are_given_back_where_a_card_leaves_too_little_for_them(desk):
    checkout = with_points(desk)
    desk.scan(BISCUIT_CODE)
    water = checkout.basket.add(desk.counter.scanning.find(WATER_CODE), units=1)
    total = checkout.due().amount
    checkout.tender_points(300)
    checkout.tender(TenderKind.CARD, total - 300)
    checkout.basket.void(water)
    assert checkout.due().amount >= 0
    assert [t.tender for t in checkout.tenders] == [TenderKind.CARD]
    checkout.tender_cash()
    fact = desk.finish().fact
    assert sum(t.amount for t in fact.tenders) == fact.total + fact.rounding
