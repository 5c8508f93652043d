"""What a sale's lines say of points: those that were spent and those that were earned."""

from dataclasses import replace
from datetime import date

from shared.ids import LotId
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Redemption
from shared.pricing.engine import price
from shared.pricing.redemption import redeem
from shared.pricing.sale_lines import sale_lines
from tests.pricing_builders import basket, earning, goods, line, programme

RULES = programme(
    earning=earning(), redemption=Redemption(points_per_block=3, value_per_block_minor=100)
)
LOTS = [Lot(lot=LotId("l"), points=30, earned_on=date(2026, 1, 1))]


def test_lines_carry_points_spent_money_they_paid_and_what_is_earned_on_the_rest():
    shopping = basket(line(goods("A", 6_00)), line(goods("B", 4_00)))
    quote = price(shopping, RULES)
    payment = redeem(shopping, quote, 15, RULES, LOTS)
    lines = sale_lines(shopping, quote, payment=payment)

    assert [(one.points_paid, one.points_spent) for one in lines] == [(3_00, 9), (2_00, 6)]
    assert [one.points for one in lines] == [3, 2]
    assert [one.points for one in sale_lines(shopping, quote)] == [6, 4]


def test_what_the_customer_hands_in_takes_no_points_away():
    rules = programme(earning=earning(points_tender_counts=True))
    empties = replace(line(goods("E", 1_00), 5), comes_in=True)
    quote = price(basket(line(goods("A", 10_00)), empties), rules)
    assert (quote.total_minor, quote.earning.points_total, quote.earning.line_points) == (
        5_00,
        10,
        (10, 0),
    )
    assert quote.earning.spend_minor == 10_00
