"""Points, uses and gifts as time goes on: each sale meets what the sales before it left."""

import pickle

import pytest

from shared.backtest.player import has_shared_limits
from shared.errors import DomainError
from shared.loyalty.conditions import FirstSale, Members, NthVisit, Stores
from shared.loyalty.effects import AmountOff, FurtherUnits, Gift, PercentOff
from shared.loyalty.offers import Limits
from shared.loyalty.programme import Expiry, Floor, Programme, Redemption, Returns
from shared.pricing.basket import PlannedTender
from tests.backtest_builders import bought, came_back, played
from tests.pricing_builders import earning, goods, line, offer, programme

TEA = goods("TEA", 10_00)


def paying_points(**more) -> Programme:
    rule = Redemption(points_per_block=1, value_per_block_minor=1, minimum_points=100)
    return programme(earning=earning(points=10), redemption=rule, expiry=None, **more)


def test_a_spender_pays_with_all_points_once_the_minimum_is_held():
    days = [bought(str(day), "one", day, line(TEA, 9)) for day in range(3)]
    figures = played(paying_points(), *days, spenders_percent=100).figures
    # 90.00 give 900 points; they pay 9.00 of the next 90.00, of which 81.00 earn 810; those pay
    # 8.10, and 81.90 earn 819.
    assert figures.points_issued == 900 + 810 + 819
    assert figures.points_spent == 900 + 810
    assert figures.points_paid_minor == 9_00 + 8_10
    assert figures.points_live == 819
    assert figures.revenue_minor == 270_00


def test_below_the_minimum_nobody_pays_with_points():
    days = [bought(str(day), "one", day, line(goods("GUM", 9_00))) for day in range(2)]
    figures = played(paying_points(), *days, spenders_percent=100).figures
    assert (figures.points_spent, figures.points_live) == (0, 180)


def test_the_share_of_spenders_is_kept_and_the_same_members_spend_under_any_programme():
    members = [f"m{number}" for number in range(400)]
    days = [
        bought(f"{day}-{member}", member, day, line(TEA, 9)) for day in (0, 1) for member in members
    ]
    spent = {
        percent: {
            one.member
            for one in played(paying_points(), *days, spenders_percent=percent).members
            if one.points_live < 1800
        }
        for percent in (0, 30, 60, 100)
    }
    assert (len(spent[0]), len(spent[100])) == (0, 400)
    assert 90 <= len(spent[30]) <= 150
    assert spent[30] < spent[60]


def test_a_return_gives_spent_points_back_and_takes_earned_ones():
    days = [
        bought("1", "one", 0, line(TEA, 9)),
        bought("2", "one", 1, line(TEA, 9)),
        came_back("2", 2, quantity=9),
    ]
    done = played(paying_points(), *days, spenders_percent=100)
    figures = done.figures
    assert (figures.points_issued, figures.points_taken_back) == (900 + 810, 810)
    assert (figures.points_spent, figures.points_paid_minor) == (0, 0)
    assert figures.points_live == done.members[0].points_live == done.members[0].points_kept == 900
    assert (figures.revenue_minor, figures.lines) == (90_00, 2)


def test_points_taken_back_after_they_were_spent_are_owed_and_paid_by_later_earnings():
    days = [
        bought("1", "one", 0, line(TEA, 9)),
        bought("2", "one", 1, line(TEA, 1)),
        came_back("1", 2, quantity=9),
    ]
    figures = played(paying_points(), *days, spenders_percent=100).figures
    # 900 points, of which 10.00 of tea took all; 1.00 was left to pay and earned 10.
    assert (figures.points_spent, figures.points_issued) == (900, 910)
    assert (figures.points_taken_back, figures.points_owed, figures.points_live) == (900, 890, 0)
    later = [*days, bought("3", "one", 3, line(TEA, 10))]
    figures = played(paying_points(), *later, spenders_percent=100).figures
    assert (figures.points_owed, figures.points_live) == (0, 110)


def test_a_programme_that_stops_at_zero_forgives_what_was_spent():
    forgiving = paying_points(returns=Returns(points_floor=Floor.ZERO))
    days = [
        bought("1", "one", 0, line(TEA, 9)),
        bought("2", "one", 1, line(TEA, 1)),
        came_back("1", 2, quantity=9),
    ]
    figures = played(forgiving, *days, spenders_percent=100).figures
    assert (figures.points_taken_back, figures.points_owed, figures.points_live) == (10, 0, 0)


def test_points_lapse_after_their_last_day_and_not_on_it():
    lapsing = programme(earning=earning(), expiry=Expiry(days=10), redemption=None)
    sale = bought("1", "one", 0, line(TEA))
    on_it, after = (played(lapsing, sale, until=day).figures for day in (10, 11))
    assert (on_it.points_live, on_it.points_expired) == (10, 0)
    assert (after.points_live, after.points_expired) == (0, 10)


def test_points_that_come_back_to_a_lapsed_lot_live_for_thirty_days():
    rule = Redemption(points_per_block=1, value_per_block_minor=1)
    lapsing = programme(earning=earning(10), expiry=Expiry(days=5), redemption=rule)
    days = [
        bought("1", "one", 0, line(TEA, 9)),
        bought("2", "one", 1, line(TEA, 9)),
        came_back("2", 20, quantity=9),
    ]
    figures = [
        played(lapsing, *days, until=day, spenders_percent=100).figures for day in (20, 50, 51)
    ]
    # The 810 points of the second sale had lapsed when it came back: they are owed.
    assert [one.points_expired for one in figures] == [810, 810, 810 + 90]
    assert [one.points_live for one in figures] == [90, 90, 0]
    for one in figures:
        rest = one.points_issued - one.points_taken_back - one.points_spent - one.points_expired
        assert rest == one.points_live - one.points_owed


def test_conditions_on_visits_and_tiers_follow_the_members_own_history():
    first = offer("first", AmountOff(off_minor=1_00), conditions=(FirstSale(),))
    third = offer("third", AmountOff(off_minor=3_00), conditions=(NthVisit(minimum=3),))
    silver = offer("silver", AmountOff(off_minor=5_00), conditions=(Members(tiers=("silver",)),))
    days = [bought(str(day), "one", day, line(TEA, 20)) for day in range(4)]
    done = played(programme(first, third, silver), *days)
    assert {name: tally.times for name, tally in done.offers.items()} == {
        "first": 1,
        "third": 2,
        # 199.00 of the first sale are short of 200.00 in one; the second sale makes Silver.
        "silver": 2,
    }


def test_limits_per_member_and_per_day_hold_over_all_sales():
    once = offer("once", AmountOff(off_minor=1_00), limits=Limits(per_member=1))
    daily = offer("daily", AmountOff(off_minor=2_00), limits=Limits(per_member_and_day=1))
    sales = [
        bought(f"{day}-{turn}-{member}", member, day, line(TEA))
        for day in range(2)
        for turn in range(2)
        for member in ("one", "two")
    ]
    done = played(programme(once, daily), *sales)
    assert (done.offers["once"].times, done.offers["once"].members) == (2, 2)
    assert (done.offers["daily"].times, done.offers["daily"].members) == (4, 2)


def test_a_limit_in_total_is_used_up_by_whoever_comes_first():
    first_three = offer("first-three", AmountOff(off_minor=1_00), limits=Limits(in_total=3))
    scarce = programme(first_three)
    sales = [bought(str(n), member, n, line(TEA)) for n, member in enumerate("abcdef")]
    done = played(scarce, *sales)
    assert has_shared_limits(scarce)
    assert not has_shared_limits(programme())
    assert {one.member for one in done.members if one.discount_minor} == {"a", "b", "c"}


def test_what_is_given_on_top_counts_at_its_list_price_and_cost():
    fan = goods("FAN", 25_00, cost_minor=7_00)
    gift = offer("fan", Gift(choices=("FAN",)))
    tin = offer("tin", Gift(choices=("TIN",)))
    more = offer("more", FurtherUnits(per_units=5))
    sale = bought("1", "one", 0, line(TEA, 10))
    done = played(programme(gift, tin, more), sale, given={"FAN": fan})
    figures = done.figures
    # One fan, one tin nobody knows the price of, and two tea.
    assert (figures.added_units, figures.added_value_minor) == (4, 25_00 + 20_00)
    assert figures.added_cost_minor == 7_00
    assert done.members[0].added_value_minor == 45_00
    assert done.offers["more"].added_value_minor == 20_00


def test_offers_for_a_store_or_a_tender_look_at_where_and_how_it_was():
    here = offer("here", AmountOff(off_minor=1_00), conditions=(Stores(stores=("s2",)),))
    done = played(
        programme(here),
        bought("1", "", 0, line(TEA)),
        bought("2", "", 1, line(TEA), store="s2", paying=(PlannedTender(tender="card"),)),
    )
    assert done.figures.discount_minor == 1_00


def test_goods_without_a_tax_class_have_the_programmes_first_one():
    done = played(programme(), bought("1", "", 0, line(goods("TEA", 11_30, tax=""))))
    assert done.figures.tax_minor == 1_30
    with pytest.raises(DomainError) as refused:
        played(programme(), bought("1", "", 0, line(goods("TEA", 11_30, tax="other"))))
    # Errors of a process of its own arrive as they were.
    again = pickle.loads(pickle.dumps(refused.value))
    assert (type(again), again.code, again.fields) == (
        DomainError,
        "unknown-tax-class",
        {"tax_class": "other"},
    )


def test_returns_in_parts_end_where_one_return_ends():
    odd = programme(
        offer("third", PercentOff(basis_points_off=3333)),
        offer("seven", AmountOff(off_minor=7)),
        earning=earning(),
    )
    sale = bought("1", "one", 0, line(goods("ODD", 3_33, cost_minor=1_01), 7))
    parts = [came_back("1", day, quantity=count) for day, count in ((1, 2), (2, 1), (3, 4))]
    at_once = played(odd, sale, came_back("1", 3, quantity=7)).figures
    in_parts = played(odd, sale, *parts).figures
    at_once.returns = in_parts.returns = 0
    assert at_once == in_parts
    assert in_parts.gross_minor == in_parts.discount_minor == in_parts.revenue_minor == 0
    assert in_parts.cost_minor == in_parts.points_live == 0


def test_spent_points_that_come_back_pay_what_is_owed():
    days = [
        bought("1", "one", 0, line(TEA, 9)),
        bought("2", "one", 1, line(TEA, 1)),
        came_back("1", 2, quantity=9),
        came_back("2", 3, quantity=1),
    ]
    done = played(paying_points(), *days, spenders_percent=100)
    figures = done.figures
    # Everything came back: 900 points were owed less 10 that were left, and 900 came back.
    assert (figures.points_owed, figures.points_live, figures.points_spent) == (0, 0, 0)
    assert figures.points_issued == figures.points_taken_back == 910
