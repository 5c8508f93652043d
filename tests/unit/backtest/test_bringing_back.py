"""Goods that come back in a backtest give and take what a till would: prices, gifts, points."""

import msgspec

from shared.loyalty.conditions import Quantity
from shared.loyalty.effects import Gift, Ladder, PercentOff, Step
from shared.loyalty.offers import Limits
from shared.loyalty.programme import Redemption, ReturnPolicy, Returns
from tests.backtest_builders import bought, came_back, played
from tests.pricing_builders import earning, goods, line, offer, only, programme

A = goods("A", 12_50, cost_minor=5_00)
MUG = goods("MUG", 8_00, cost_minor=3_00)
FIVE_OFF = offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),)))
AGAIN = Returns(policy=ReturnPolicy.RE_PRICE)


def test_what_is_kept_is_priced_again_where_the_programme_says_so():
    """Three for 32.50; without the 5.00 the two that stay cost 25.00, and 7.50 go back."""
    events = (bought("1", "m", 0, line(A, 3)), came_back("1", 1))
    by_shares = played(programme(FIVE_OFF, earning=earning()), *events)
    again = played(programme(FIVE_OFF, earning=earning(), returns=AGAIN), *events)
    assert by_shares.figures.revenue_minor == 32_50 - 10_83
    assert (again.figures.revenue_minor, again.figures.gross_minor) == (25_00, 25_00)
    assert (again.figures.discount_minor, again.offers["ladder"].discount_minor) == (0, 0)
    assert again.figures.cost_minor == 10_00
    # 32 were earned; two for 25.00 would have earned 25.
    assert again.figures.points_taken_back == 7


def test_everything_back_leaves_nothing_under_both_policies():
    for returns in (Returns(), AGAIN):
        events = [bought("1", "m", 0, line(A, 3)), *(came_back("1", day) for day in (1, 2, 3))]
        figures = played(programme(FIVE_OFF, earning=earning(), returns=returns), *events).figures
        told = msgspec.to_builtins(figures)
        left = {name for name, value in told.items() if value}
        assert left == {
            "baskets",
            "member_baskets",
            "lines",
            "returns",
            "points_issued",
            "points_taken_back",
        }
        assert figures.points_issued == figures.points_taken_back == 32


def test_a_gift_comes_back_with_what_gave_it():
    gift = offer("mug", Gift(choices=("MUG",)), only("A"), conditions=(Quantity(minimum=2),))
    events = (bought("1", "m", 0, line(A, 3)), came_back("1", 1))
    given = {"MUG": MUG}
    kept = played(programme(gift), *events, given=given)
    assert (kept.figures.added_units, kept.figures.revenue_minor) == (1, 25_00)
    gone = played(programme(gift), *events, came_back("1", 2), given=given)
    assert (gone.figures.added_units, gone.figures.revenue_minor) == (0, 12_50)
    assert (gone.figures.added_value_minor, gone.figures.added_cost_minor) == (0, 0)


def test_a_use_that_came_back_is_there_again():
    once = offer("once", PercentOff(basis_points_off=1_000), limits=Limits(in_total=1))
    first, back = bought("1", "m", 0, line(A)), came_back("1", 1)
    again, third = bought("2", "m", 2, line(A)), bought("3", "m", 3, line(A))
    assert played(programme(once), first, back, again, third).figures.revenue_minor == 11_25 + 12_50


def test_points_of_the_sale_itself_that_paid_for_it_come_back():
    """12 earned by the sale pay 0.12 of it; with the goods they go, and none are left."""
    pays = Redemption(points_per_block=1, value_per_block_minor=1, running_sale=True)
    rules = programme(earning=earning(), redemption=pays)
    events = (bought("1", "m", 0, line(A)), came_back("1", 1))
    figures = played(rules, *events, spenders_percent=100).figures
    assert (figures.points_live, figures.points_spent, figures.points_paid_minor) == (0, 0, 0)
    assert figures.points_issued == figures.points_taken_back == 12
