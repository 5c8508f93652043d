"""Points as payment, and cash rounding."""

from datetime import date

import msgspec
import pytest

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.lots import Lot
from shared.loyalty.programme import CashRounding, Redemption
from shared.money import Rounding
from shared.pricing.cash import cash_rounding
from shared.pricing.engine import price
from shared.pricing.redemption import offered, redeem
from tests.pricing_builders import basket, goods, line, only, programme

LOTS = [Lot(lot=LotId("a"), points=2_000, earned_on=date(2026, 1, 1))]
BASKET = basket(line(goods("A", 12_34)), line(goods("B", 10_00)))


def rule(**changes: object) -> Redemption:
    values = {"points_per_block": 100, "value_per_block_minor": 100}
    return Redemption(**{**values, **changes})


def paying(points, rules, bought=BASKET, lots=LOTS):
    return redeem(bought, price(bought, rules), points, rules, lots)


def test_no_more_points_are_taken_than_needed():
    small = basket(line(goods("A", 3_45)))
    payment = paying(2_000, programme(), small)
    assert (payment.points, payment.value_minor) == (345, 3_45)


def test_a_cut_block_costs_whole_points_rounded_up_and_gives_exactly_what_is_due():
    rules = programme(redemption=rule(points_per_block=33))
    small = basket(line(goods("A", 3_45)))
    payment = paying(2_000, rules, small)
    assert (payment.points, payment.value_minor) == (114, 3_45)


def test_whole_blocks_are_not_cut():
    payment = paying(1_999, programme(redemption=rule(whole_blocks=True)))
    assert (payment.points, payment.value_minor) == (1_900, 19_00)


def test_points_pay_at_most_their_share_of_the_basket_and_no_excluded_goods():
    rules = programme(
        redemption=rule(maximum_share_basis_points=50_00, excluded=only("A")),
    )
    payment = paying(2_000, rules)
    assert payment.value_minor == 10_00
    assert payment.line_values == (0, 10_00)
    assert payment.line_points == (0, 1_000)


def test_what_is_paid_with_points_earns_nothing_by_default():
    rules = programme()
    bought = basket(line(goods("A", 20_00)))
    assert paying(500, rules, bought).earning.points_total == 15
    counts = msgspec.structs.replace(rules.earning, points_tender_counts=True)
    assert paying(500, programme(earning=counts), bought).earning.points_total == 20


def test_the_offer_shows_the_most_that_points_can_pay():
    rules = programme(redemption=rule(minimum_points=2_001))
    quote = price(BASKET, rules)
    assert offered(BASKET, quote, programme(), LOTS).value_minor == 20_00
    assert offered(BASKET, quote, rules, LOTS).points == 0
    assert offered(BASKET, quote, programme(redemption=None), LOTS).points == 0


@pytest.mark.parametrize(
    ("points", "redemption", "code"),
    [
        (2_001, rule(), "points-not-enough"),
        (0, rule(), "points-below-minimum"),
        (99, rule(minimum_points=100), "points-below-minimum"),
        (100, None, "points-not-accepted"),
        (99, rule(whole_blocks=True), "points-not-accepted"),
    ],
)
def test_a_payment_that_breaks_the_rule_is_refused(points, redemption, code):
    with pytest.raises(DomainError, match=code):
        paying(points, programme(redemption=redemption))


@pytest.mark.parametrize(
    ("due", "step", "rounding", "expected"),
    [
        (12_34, 1, Rounding.HALF_UP, 12_34),
        (12_34, 5, Rounding.HALF_UP, 12_35),
        (12_32, 5, Rounding.HALF_UP, 12_30),
        (12_39, 10, Rounding.DOWN, 12_30),
        (12_39, 100, Rounding.DOWN, 12_00),
        (-12_39, 10, Rounding.DOWN, -12_30),
    ],
)
def test_cash_is_rounded_by_the_programme(due, step, rounding, expected):
    rules = programme(cash_rounding=CashRounding(step_minor=step, rounding=rounding))
    found = cash_rounding(due, rules)
    assert (found.due_minor, found.rounding_minor) == (expected, expected - due)
