"""Points while a basket is open: they lapse, and what was planned to pay pays no more alone."""

import msgspec
import pytest

from shared.errors import DomainError
from shared.loyalty.conditions import Paying
from shared.loyalty.effects import AmountOff
from shared.loyalty.programme import Expiry, Redemption, Treatment
from shared.pricing.quote import Reason
from shared.trade.fact import TenderKind
from tests.pricing_builders import earning, offer, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE

UNTIL_TOMORROW = Expiry(days=1)
REWARD = offer("ten", AmountOff(off_minor=10_00), costs_points=50)
PAYING = Redemption(points_per_block=100, value_per_block_minor=100)
LOWERING = Redemption(
    points_per_block=100, value_per_block_minor=100, treatment=Treatment.PRICE_REDUCTION
)
BY_CARD = offer("by-card", AmountOff(off_minor=3_00), conditions=(Paying(tenders=("card",)),))


@pytest.fixture
def next_day(make_desk):
    """Opens a desk where a member comes again with 500 points of yesterday's."""

    def open_with(*offers, **more):
        desk = make_desk(programme(*offers, earning=earning(), **more))
        member = desk.enrol()
        desk.sell(*[BISCUIT_CODE] * 40, member=member)
        desk.clock.advance(days=1)
        desk.counter.checkout.basket.attach(desk.member(member))
        desk.scan(BISCUIT_CODE)
        return desk

    return open_with


def test_a_reward_whose_points_lapse_meanwhile_is_not_given(next_day):
    desk = next_day(REWARD, expiry=UNTIL_TOMORROW)
    checkout = desk.counter.checkout
    checkout.basket.reward("ten", 1)
    checkout.tender_cash()
    assert checkout.due().amount == 0
    desk.clock.advance(days=1)
    with pytest.raises(DomainError, match="balance-changed"):
        desk.finish()

    (told,) = checkout.basket.quote.explanations
    assert (told.reason, told.missing_points) == (Reason.POINTS_MISSING, 50)
    assert [tender.amount for tender in checkout.tenders] == [2_50]
    assert checkout.due().amount == 10_00
    checkout.tender_cash()
    fact = desk.finish().fact
    assert (fact.total, fact.offers, fact.member.points.spent) == (12_50, (), 0)


def test_no_points_are_offered_once_those_of_a_reward_have_lapsed(next_day):
    desk = next_day(REWARD, expiry=UNTIL_TOMORROW, redemption=PAYING)
    checkout = desk.counter.checkout
    checkout.basket.reward("ten", 1)
    assert checkout.points_offered().points == 250
    desk.clock.advance(days=1)
    assert checkout.points_offered().points == 0
    with pytest.raises(DomainError, match="points-not-enough"):
        checkout.tender_points(200)


def test_points_that_lower_the_price_do_so_until_they_lapse(next_day):
    desk = next_day(expiry=UNTIL_TOMORROW, redemption=LOWERING)
    checkout = desk.counter.checkout
    assert checkout.lower_with_points(200)
    assert checkout.due().amount == 10_50
    desk.clock.advance(days=1)
    desk.scan(WATER_CODE)
    assert checkout.due().amount == 14_50
    checkout.tender_cash()
    assert desk.finish().fact.member.points.spent == 0


def test_points_that_are_left_when_others_lapse_still_lower_the_price(next_day):
    desk = next_day(expiry=UNTIL_TOMORROW, redemption=LOWERING)
    checkout = desk.counter.checkout
    checkout.tender_cash()
    member = checkout.basket.state.member
    desk.finish()
    checkout.basket.attach(desk.member(member))
    desk.scan(BISCUIT_CODE)
    assert checkout.lower_with_points(510)
    assert checkout.due().amount == 7_40
    desk.clock.advance(days=1)
    desk.scan(WATER_CODE)
    assert checkout.due().amount == 14_50 - 12


def test_points_that_pay_withdraw_what_a_planned_tender_had_taken_off(next_day):
    desk = next_day(BY_CARD, redemption=PAYING)
    checkout = desk.counter.checkout
    checkout.plan(TenderKind.CARD)
    assert checkout.due().amount == 9_50
    tender = checkout.tender_points(200)
    assert tender.amount == 2_00
    assert checkout.due().amount == 10_50
    checkout.tender(TenderKind.CARD, 10_50)
    fact = desk.finish().fact
    assert (fact.total, fact.offers) == (12_50, ())


def test_as_many_points_pay_as_the_price_without_the_planned_tender_takes(next_day):
    desk = next_day(BY_CARD, redemption=PAYING)
    checkout = desk.counter.checkout
    checkout.plan(TenderKind.CARD)
    assert checkout.tender_points(500).points == 500
    assert checkout.due().amount == 7_50


def test_a_planned_tender_comes_back_when_points_are_withdrawn(next_day):
    desk = next_day(BY_CARD, redemption=PAYING)
    checkout = desk.counter.checkout
    checkout.tender_points(200)
    checkout.plan(TenderKind.CARD)
    assert checkout.due().amount == 10_50
    checkout.withdraw(0)
    checkout.plan(TenderKind.CARD)
    assert checkout.due().amount == 9_50


def test_points_lower_the_price_beside_an_offer_for_a_tender_no_further_than_to_nothing(next_day):
    twice_as_much = msgspec.structs.replace(LOWERING, points_per_block=50)
    desk = next_day(BY_CARD, redemption=twice_as_much)
    checkout = desk.counter.checkout
    assert checkout.lower_with_points(500)
    assert checkout.due().amount == 2_50
    checkout.plan(TenderKind.CARD)
    assert checkout.due().amount == 0
    assert checkout.basket.quote.offers[-1].points == 475
    checkout.plan(None)
    checkout.tender(TenderKind.CARD, 1_00)
    assert checkout.due().amount == 1_50


def test_the_ticket_says_what_is_left_after_what_it_spent_and_earned(next_day):
    """500 less 250 that pay 2.50, and 10 for the 10.00 in cash."""
    desk = next_day(redemption=PAYING)
    checkout = desk.counter.checkout
    member = checkout.basket.state.member
    checkout.tender_points(250)
    checkout.tender_cash()
    told = desk.finish().fact.member.points
    assert (told.opening, told.spent, told.earned, told.closing) == (500, 250, 10, 260)
    assert desk.member(member).points == told.closing
