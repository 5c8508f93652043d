"""Goods come back where the programme prices again what is kept: through the file, on paper."""

from desktop.services.paper import Papers
from desktop.store.print_jobs import JobState, PrintJob
from shared.loyalty.conditions import NthVisit
from shared.loyalty.effects import Ladder, PercentOff, Step
from shared.loyalty.programme import CashRounding, ReturnPolicy, Returns
from shared.receipt.layout import Grid, plain_text
from tests.pricing_builders import offer, programme
from tests.support.desk import BISCUIT_CODE, WATER_CODE

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
