"""Offers that use up units, ladders of percentages, prices, rewards, and what is given on top."""

from dataclasses import replace
from datetime import time

import pytest

from shared.loyalty.conditions import Weekly
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    BundlePart,
    FixedPrice,
    FreeUnits,
    FurtherUnits,
    Gift,
    NthItem,
    PercentLadder,
    PercentOff,
    PercentStep,
    SetPrice,
)
from shared.loyalty.offers import Group, GroupMode, Limits
from shared.loyalty.programme import PriceList
from shared.pricing.basket import MemberContext, OfferUse, RewardClaim
from shared.pricing.engine import price
from shared.pricing.quote import Reason
from tests.pricing_builders import NOON, basket, goods, line, names, offer, only, programme, weighed

TEA, COFFEE, CAKE = goods("T", 10_00), goods("C", 7_00), goods("K", 4_00)


def quoted(bought, *offers, **more):
    return price(basket(*bought, **more), programme(*offers))


def paid(quote):
    return [one.pay_minor for one in quote.lines]


def reasons(quote):
    return {told.offer: told.reason for told in quote.explanations}


def test_three_for_the_price_of_two_frees_the_cheapest_and_spreads_its_saving():
    free = offer("3for2", NthItem(nth=3, basis_points_off=10_000))
    quote = quoted([line(TEA), line(COFFEE), line(CAKE)], free)
    assert quote.saved_minor == 4_00
    # 4.00 by 10 : 7 : 4
    assert paid(quote) == [10_00 - 1_91, 7_00 - 1_33, 4_00 - 76]


def test_the_two_cheapest_of_five_are_free():
    free = offer("5for3", NthItem(nth=5, basis_points_off=10_000, cheaper=2))
    quote = quoted([line(TEA, 3), line(COFFEE), line(CAKE)], free)
    assert quote.saved_minor == 11_00


@pytest.mark.parametrize(("units", "total"), [(2, 20_00), (3, 25_00), (4, 35_00), (6, 50_00)])
def test_any_three_for_a_price(units, total):
    three = offer("3@25", SetPrice(units=3, price_minor=25_00))
    assert quoted([line(TEA, units)], three).total_minor == total


def test_a_set_price_is_no_bargain_where_the_units_are_cheaper():
    three = offer("3@25", SetPrice(units=3, price_minor=25_00))
    quote = quoted([line(TEA, 3), line(CAKE, 3)], three)
    assert quote.total_minor == 25_00 + 12_00


def test_a_set_price_of_one_article_each_and_only_twice():
    three = offer("2@9", SetPrice(units=2, price_minor=9_00, same_goods=True, sets_limit=2))
    quote = quoted([line(TEA, 5), line(COFFEE)], three)
    assert quote.total_minor == 2 * 9_00 + 10_00 + 7_00


def test_a_bundle_takes_the_dearest_of_each_choice():
    meal = Bundle(
        parts=(BundlePart(goods=only("T", "C")), BundlePart(goods=only("K"), units=2)),
        price_minor=12_00,
    )
    quote = quoted([line(TEA), line(COFFEE), line(CAKE, 3)], offer("meal", meal))
    # Tea and two cakes are 18.00 and cost 12.00; coffee has only one cake left.
    assert quote.total_minor == 12_00 + 7_00 + 4_00
    assert sum(d.units for one in quote.lines for d in one.discounts) == 3


@pytest.mark.parametrize(
    ("reward", "saved"),
    [
        ({"off_minor": 3_00}, 6_00),
        ({"basis_points_off": 1_000}, 2 * 1_40),
        ({"price_minor": 20_00}, 0),
    ],
)
def test_what_a_bundle_may_give(reward, saved):
    pair = Bundle(parts=(BundlePart(goods=only("T")), BundlePart(goods=only("K"))), **reward)
    assert quoted([line(TEA, 2), line(CAKE, 2)], offer("pair", pair)).saved_minor == saved


def test_a_bundle_without_one_of_its_parts_is_not_looked_at():
    pair = Bundle(parts=(BundlePart(goods=only("T")), BundlePart(goods=only("X"))), off_minor=1_00)
    quote = quoted([line(TEA, 2)], offer("pair", pair))
    assert (quote.saved_minor, reasons(quote)) == (0, {})


def test_free_units_are_the_cheapest_and_leave_the_others_to_other_offers():
    free = offer("free", FreeUnits(units=2), rank=0)
    half = offer("half", NthItem(nth=2, basis_points_off=5_000), rank=1)
    quote = quoted([line(TEA, 2), line(CAKE), line(COFFEE)], free, half)
    assert quote.saved_minor == 4_00 + 7_00 + 5_00


def test_a_percentage_that_spares_multi_buy_leaves_used_units_out():
    three = offer("3@25", SetPrice(units=3, price_minor=25_00))
    tenth = offer("tenth", PercentOff(basis_points_off=1_000, spares_multi_buy=True))
    quote = quoted([line(TEA, 4)], three, tenth)
    # One of four units was not used, and costs its 10.00.
    assert quote.total_minor == 35_00 - 1_00


def test_percentages_that_are_added_spare_used_units_as_single_ones_do():
    three = offer("3@25", SetPrice(units=3, price_minor=25_00))
    spared = PercentOff(basis_points_off=1_000, spares_multi_buy=True)
    plain = PercentOff(basis_points_off=2_000)
    quote = price(
        basket(line(TEA, 4)),
        programme(
            three,
            offer("plain", plain, group="sum"),
            offer("spared", spared, group="sum"),
            groups=(Group(id="sum", mode=GroupMode.ADD),),
        ),
    )
    # 20% of 35.00 and 10% of the one unit at 10.00.
    assert quote.total_minor == 35_00 - 7_00 - 1_00
    assert {one.offer: one.amount_minor for one in quote.offers}["spared"] == 1_00


def test_free_units_leave_nothing_to_pay_where_a_unit_costs_no_whole_cent():
    quote = quoted([line(TEA, 3, label_minor=29_99)], offer("free", FreeUnits(units=3)))
    assert quote.total_minor == 0


def test_half_a_cent_of_a_set_is_rounded_up_where_a_unit_costs_no_whole_cent():
    part = BundlePart(goods=only("T"), units=3)
    half = offer("half", Bundle(parts=(part,), basis_points_off=5_000))
    assert quoted([line(TEA, 3, label_minor=10_01)], half).saved_minor == 5_01


@pytest.mark.parametrize(("units", "total"), [(1, 10_00), (2, 18_00), (5, 40_00)])
def test_a_ladder_of_percentages_takes_its_best_step(units, total):
    steps = ((20_00, 1_000), (50_00, 2_000))
    ladder = PercentLadder(
        steps=tuple(PercentStep(threshold_minor=t, basis_points_off=b) for t, b in steps)
    )
    quote = quoted([line(TEA, units)], offer("more", ladder))
    assert quote.total_minor == total


def test_the_next_step_of_percentages_is_an_unlock():
    ladder = PercentLadder(steps=(PercentStep(threshold_minor=25_00, basis_points_off=1_000),))
    quote = quoted([line(TEA, 2)], offer("more", ladder))
    assert quote.nearest_unlock.missing_minor == 5_00


def test_a_fixed_price_holds_per_piece_and_kilogram_and_never_raises_one():
    apples = weighed("A", 12_00)
    cheap = offer("cheap", FixedPrice(price_minor=8_00), only("T", "A", "K"))
    quote = quoted([line(TEA, 2), line(apples, grams=500), line(CAKE)], cheap)
    assert paid(quote) == [16_00, 4_00, 4_00]


def test_further_units_are_whole_and_change_no_price():
    further = offer("more", FurtherUnits(per_units=5, units=2), only("T"))
    quote = quoted([line(TEA, 7), line(CAKE, 9)], further)
    assert quote.total_minor == 70_00 + 36_00
    assert [(one.goods, one.units) for one in quote.added] == [("T", 2)]
    assert reasons(quote) == {"more": Reason.APPLIED}


def test_units_used_by_multi_buy_give_no_further_ones():
    three = offer("3@25", SetPrice(units=3, price_minor=25_00))
    further = offer("more", FurtherUnits(per_units=2), rank=1)
    quote = quoted([line(TEA, 5)], three, further)
    assert [one.units for one in quote.added] == [1]


def test_a_gift_with_one_choice_is_given_and_with_several_is_asked_for():
    single = offer("cup", Gift(choices=("CUP",)), only("T"))
    several = offer("pick", Gift(choices=("CUP", "BAG"), units=2))
    quote = quoted([line(TEA)], single, several)
    assert reasons(quote) == {"cup": Reason.APPLIED, "pick": Reason.CHOICE_OPEN}
    assert {one.offer: one.goods for one in quote.added} == {"cup": "CUP", "pick": ""}
    chosen = quoted([line(TEA)], several, gifts=(("pick", "BAG"),))
    assert [(one.goods, one.units) for one in chosen.added] == [("BAG", 2)]


def reward(key="r", off=5_00, points=100, **more):
    return offer(key, AmountOff(off_minor=off), costs_points=points, **more)


def test_a_reward_costs_its_points_each_time_it_is_claimed():
    sale = replace(
        basket(line(TEA, 3), rewards=(RewardClaim("r", 3),)),
        member=MemberContext(tier="member", points=250),
    )
    quote = price(sale, programme(reward()))
    assert (quote.saved_minor, quote.reward_points) == (10_00, 200)
    missing = [t for t in quote.explanations if t.reason is Reason.POINTS_MISSING]
    assert [told.missing_points for told in missing] == [50]


def test_a_reward_that_nobody_claims_or_that_is_unknown_does_nothing():
    assert quoted([line(TEA)], reward()).saved_minor == 0
    quote = quoted([line(TEA)], reward(), rewards=(RewardClaim("nothing"),))
    assert reasons(quote) == {"nothing": Reason.UNKNOWN_REWARD}


@pytest.mark.parametrize("used", ["by_member", "by_member_today", "in_store", "in_total"])
def test_an_offer_that_was_used_often_enough_rests(used):
    limits = Limits(per_member=2, per_member_and_day=2, per_store=2, in_total=2)
    tenth = offer("tenth", PercentOff(basis_points_off=1_000), limits=limits)
    before = quoted([line(TEA)], tenth, uses=(OfferUse(offer="tenth", **{used: 1}),))
    after = quoted([line(TEA)], tenth, uses=(OfferUse(offer="tenth", **{used: 2}),))
    assert (before.saved_minor, after.saved_minor) == (1_00, 0)
    assert reasons(after) == {"tenth": Reason.USED_UP}


def test_the_first_price_list_that_names_an_article_sets_its_price():
    day = PriceList(id="day", names=names("day"), prices={"T": 9_00, "C": 6_00})
    happy = PriceList(
        id="happy",
        names=names("happy"),
        prices={"T": 5_00},
        conditions=(Weekly(start=time(11)),),
        priority=1,
    )
    rules = programme(price_lists=(day, happy))
    typed = line(goods("T", 10_00), 1, id="typed", price_minor=8_00)
    quote = price(basket(line(TEA), line(COFFEE), line(CAKE), typed), rules)
    assert paid(quote) == [5_00, 6_00, 4_00, 8_00]
    morning = price(basket(line(TEA), at=NOON.replace(hour=9)), rules)
    assert paid(morning) == [9_00]


def test_marks_and_suppliers_name_goods():
    organic = goods("O", 10_00, marks=("organic", "new"), supplier="farm")
    by_mark = offer("m", PercentOff(basis_points_off=1_000), GoodsSet(marks=("organic",)))
    but_new = offer(
        "n",
        PercentOff(basis_points_off=1_000),
        GoodsSet(suppliers=("farm",), except_marks=("new",)),
    )
    quote = quoted([line(organic), line(TEA)], by_mark, but_new)
    assert quote.saved_minor == 1_00
