"""Goods come back where the programme prices again what is kept: through the file, on paper."""

from datetime import time

from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.loyalty.conditions import NthVisit, Weekly
from shared.loyalty.coupon_code import new_coupon_code
from shared.loyalty.effects import FurtherUnits, Ladder, PercentOff, Step
from shared.loyalty.programme import CashRounding, Redemption, ReturnPolicy, Returns
from shared.receipt.layout import Grid, plain_text
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


def test_a_programme_that_asks_for_visits_gives_line_shares(make_desk):
    visits = offer(
        "visits", PercentOff(basis_points_off=100), conditions=(NthVisit(minimum=9, every=9),)
    )
    desk = make_desk(programme(FIVE_OFF_THIRTY, visits, cash_rounding=EXACT, returns=RE_PRICE))
    sale = desk.sell(*[BISCUIT_CODE] * 3)
    assert desk.take_back(sale, (1, 1)).fact.total == 1083


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
