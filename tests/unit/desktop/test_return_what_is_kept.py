"""Goods come back where the programme prices again what is kept: through the file, on paper."""

from dataclasses import replace
from datetime import time

import msgspec
import pytest

from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.loyalty.conditions import Around, Birthday, FirstSale, NthVisit, Segments, Weekly
from shared.loyalty.coupon_code import new_coupon_code
from shared.loyalty.effects import FurtherUnits, Ladder, PercentOff, Step
from shared.loyalty.offers import Limits
from shared.loyalty.programme import CashRounding, Redemption, ReturnPolicy, Returns
from shared.receipt.layout import Grid, plain_text
from shared.returning.lines import Wanted
from tests.pricing_builders import earning, offer, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE
from tests.support.enrolled_till import LOOKUP_KEY

FIVE_OFF_THIRTY = offer("五元", Ladder(steps=(Step(threshold_minor=3000, off_minor=500),)))
EXACT = CashRounding(step_minor=1)
RE_PRICE = Returns(policy=ReturnPolicy.RE_PRICE)
RULES = programme(FIVE_OFF_THIRTY, cash_rounding=EXACT, returns=RE_PRICE)


def test_one_of_three_gives_back_what_the_kept_two_do_not_cost(make_desk):
    desk = make_desk(RULES)
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    backs = [desk.take_back(sale, (1, 1)).fact for _ in range(3)]
    assert [back.total for back in backs] == [750, 1250, 1250]
    assert sum(back.taxes[0].tax for back in backs) == sale.fact.taxes[0].tax


def test_kept_goods_that_are_dearer_now_have_a_line_and_a_word_of_their_own(make_desk):
    desk = make_desk(RULES)
    sale = desk.sell(*[BISCUIT_CODE] * 2, *[WATER_CODE] * 3)
    back = desk.take_back(sale, (1, 2))
    returned, kept = back.fact.lines
    assert (returned.quantity, returned.amount) == (2, 2500 - 403)
    assert (kept.goods_id, kept.quantity, kept.amount) == ("A1", 0, -97)
    assert back.fact.total == 2000
    till = desk.till
    job = PrintJob("job", back.entry_id, copy=0, language="en", state=JobState.QUEUED, reason="")
    paper = plain_text(Papers(till.books, till.shop()).document(job), Grid(42))
    assert "kept, priced again" in paper
    rest = desk.take_back(sale, (2, 3)).fact
    assert rest.total == sale.fact.total - 2000
    assert [line.amount for line in rest.lines] == [600]


ASKING = (
    NthVisit(minimum=1),
    FirstSale(),
    Birthday(within=Around.MONTH),
    Segments(segments=("friends",)),
)


@pytest.mark.parametrize("condition", ASKING, ids=[type(one).__name__ for one in ASKING])
def test_offers_for_visits_birthdays_and_segments_hold_for_what_is_kept_as_well(
    make_desk, condition
):
    """Half of 32.50; the two that are kept cost half of 25.00. By shares it would be 5.42."""
    half = offer("half", PercentOff(basis_points_off=5_000), conditions=(condition,))
    desk = make_desk(programme(half, FIVE_OFF_THIRTY, cash_rounding=EXACT, returns=RE_PRICE))
    member = desk.enrol(birthday="0317")
    desk.put_in_segments(member, "friends")
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=member)
    assert sale.fact.total == 3250 // 2
    desk.sell(BISCUIT_CODE, member=member)  # another visit, no first sale
    backs = [desk.take_back(sale, (1, 1)).fact.total for _ in range(3)]
    assert backs == [375, 625, 625]


def test_a_limited_offer_holds_for_what_is_kept_though_it_is_used_up_by_now(make_desk):
    once = offer(
        "once",
        Ladder(steps=(Step(threshold_minor=2000, off_minor=400),)),
        limits=Limits(in_total=1),
    )
    desk = make_desk(programme(once, cash_rounding=EXACT, returns=RE_PRICE))
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    assert sale.fact.total == 3750 - 400
    second = desk.sell(*[BISCUIT_CODE] * 3)
    assert second.fact.total == 3750
    assert second.fact.known.uses[0].in_total == 1
    assert [desk.take_back(sale, (1, 1)).fact.total for _ in range(3)] == [1250, 850, 1250]
    assert desk.take_back(second, (1, 1)).fact.total == 1250


def test_a_sale_of_a_release_that_did_not_tell_comes_back_by_line_shares(make_desk):
    first = offer("first", PercentOff(basis_points_off=100), conditions=(FirstSale(),))
    desk = make_desk(programme(FIVE_OFF_THIRTY, first, cash_rounding=EXACT, returns=RE_PRICE))
    member = desk.enrol()
    desk.sell(BISCUIT_CODE, member=member)
    sale = desk.sell(*[BISCUIT_CODE] * 3, member=member)
    sold = desk.till.returns.by_receipt(sale.fact.receipt_no)
    older = replace(sold, sale=msgspec.structs.replace(sold.sale, known=None))
    taken = [
        desk.till.returns.take_back(desk.till.pricing(), one, [Wanted(1, 1)], desk.returned_by())
        for one in (older, sold)
    ]
    assert taken[0].fact.total == 1083
    assert taken[1].fact.total == 3250 - 1083 - 1250


def test_an_hour_that_has_passed_while_paying_is_not_taken_for_a_dearer_sale(make_desk):
    """Half price until 09:01: rung up before, paid after; the shares are those of the sale."""
    early = offer("early", PercentOff(basis_points_off=5_000), conditions=(Weekly(end=time(9, 1)),))
    desk = make_desk(programme(early, cash_rounding=EXACT, returns=RE_PRICE))
    desk.scan(*[BISCUIT_CODE] * 4)
    assert desk.counter.checkout.basket.quote.total_minor == 2500
    desk.clock.advance(seconds=120)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert [desk.take_back(sale, (1, 1)).fact.total for _ in range(4)] == [625] * 4


def test_points_are_taken_back_where_points_had_paid_a_part(make_desk):
    rules = programme(
        earning=earning(),
        redemption=Redemption(points_per_block=1, value_per_block_minor=100),
        cash_rounding=EXACT,
        returns=RE_PRICE,
    )
    desk = make_desk(rules)
    member = desk.enrol()
    desk.sell(*[BISCUIT_CODE] * 2, member=member)
    checkout = desk.counter.checkout
    checkout.basket.attach(desk.member(member))
    desk.scan(*[BISCUIT_CODE] * 4)
    checkout.tender_points(25)
    checkout.tender_cash()
    sale = desk.finish()
    assert sale.fact.member.points.earned == 25
    back = desk.take_back(sale, (1, 2)).fact
    assert sum(line.points for line in back.lines) in (12, 13)
    desk.take_back(sale, (1, 2))
    assert desk.member(member).points == 25


def test_a_coupon_that_gave_several_articles_is_used_once_and_given_back_once(make_desk):
    free = offer("free", FurtherUnits(per_units=1), claimed=True)
    desk = make_desk(programme(free, cash_rounding=EXACT))
    code = new_coupon_code(LOOKUP_KEY, "free")
    desk.scan(BISCUIT_CODE, WATER_CODE, code)
    desk.counter.checkout.tender_cash()
    sale = desk.finish()
    assert [one.coupon_id is not None for one in sale.fact.offers] == [True]
    first = desk.take_back(sale, (1, 1), (2, 1)).fact
    assert len(first.coupons_given_back) == 1
    gifts = desk.take_back(sale, (3, 1), (4, 1)).fact
    assert gifts.coupons_given_back == ()
    desk.scan(BISCUIT_CODE, code)
    assert desk.counter.checkout.basket.quote.coupons_used
