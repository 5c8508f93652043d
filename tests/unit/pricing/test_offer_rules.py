"""What each kind of offer does, and what it says when it does nothing."""

from dataclasses import replace
from datetime import date, datetime, time

import pytest

from shared.loyalty.bundle import template
from shared.loyalty.conditions import (
    Dates,
    Members,
    MonthDays,
    Not,
    Quantity,
    Spend,
    Stores,
    Weekly,
)
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import AmountOff, FixedPrice, Gift, Ladder, NthItem, PercentOff, Step
from shared.loyalty.offers import Group, GroupMode
from shared.loyalty.programme import Redemption, Treatment
from shared.pricing.basket import HandDiscount, MemberContext, PointsOff, RewardClaim
from shared.pricing.effects import ladder_off
from shared.pricing.engine import price
from shared.pricing.quote import Reason
from tests.pricing_builders import (
    basket,
    goods,
    line,
    offer,
    only,
    programme,
    tax_class,
    weighed,
)

STEPS = (
    Step(threshold_minor=100_00, off_minor=20_00),
    Step(threshold_minor=200_00, off_minor=50_00),
)
HALF = 50_00


def told(quote, reason):
    return [one for one in quote.explanations if one.reason is reason]


@pytest.mark.parametrize(
    ("amount", "once", "repeating", "at_most_twice"),
    [
        (99_99, 0, 0, 0),
        (100_00, 20_00, 20_00, 20_00),
        (199_99, 20_00, 20_00, 20_00),
        (200_00, 50_00, 50_00, 50_00),
        (300_00, 50_00, 70_00, 70_00),
        (500_00, 50_00, 120_00, 100_00),
    ],
)
def test_a_ladder_takes_the_highest_step_and_repeats_when_told_to(
    amount, once, repeating, at_most_twice
):
    assert ladder_off(Ladder(steps=STEPS), amount) == once
    assert ladder_off(Ladder(steps=STEPS, repeats=True), amount) == repeating
    assert ladder_off(Ladder(steps=STEPS, repeats=True, repeat_limit=2), amount) == at_most_twice


def test_the_next_step_says_what_is_missing_and_what_it_gains():
    quote = price(basket(line(goods("A", 96_50))), programme(offer("l", Ladder(steps=STEPS))))

    assert quote.total_minor == 96_50
    assert quote.nearest_unlock is not None
    assert (quote.nearest_unlock.missing_minor, quote.nearest_unlock.gain_minor) == (3_50, 20_00)


def test_an_applied_ladder_still_shows_its_next_step():
    quote = price(basket(line(goods("A", 150_00))), programme(offer("l", Ladder(steps=STEPS))))

    assert [one.amount_minor for one in told(quote, Reason.APPLIED)] == [20_00]
    (unlock,) = told(quote, Reason.MISSING_SPEND)
    assert (unlock.missing_minor, unlock.gain_minor) == (50_00, 30_00)


def test_every_second_unit_is_halved_the_cheaper_one_of_each_pair():
    second = offer("half", NthItem(nth=2, basis_points_off=HALF), GoodsSet(categories=("tea",)))
    dear, cheap = goods("D", 9_00, category="tea/green"), goods("C", 5_00, category="tea")
    other = goods("O", 20_00, category="teapots")

    quote = price(basket(line(dear, 1), line(cheap, 2), line(other, 2)), programme(second))

    # 9.00 with 5.00 is a pair; the other 5.00 waits for a partner.
    assert quote.saved_minor == 2_50
    assert [[d.units for d in one.discounts] for one in quote.lines] == [[1], [1], []]
    # The saving is spread by price over the units of the pair: 9 : 5 of 2.50.
    assert [[d.amount_minor for d in one.discounts] for one in quote.lines] == [[1_61], [89], []]
    assert [one.missing_units for one in told(quote, Reason.MISSING_UNITS)] == [1]


def test_pairs_of_the_same_article_do_not_mix_articles():
    second = offer("half", NthItem(nth=2, basis_points_off=HALF, same_goods=True))
    quote = price(basket(line(goods("A", 9_00)), line(goods("B", 5_00), 3)), programme(second))
    assert quote.saved_minor == 2_50


def test_a_unit_used_by_one_multi_buy_is_not_used_by_another():
    half = offer("half", NthItem(nth=2, basis_points_off=HALF))
    third_free = offer("third", NthItem(nth=3, basis_points_off=100_00))
    quote = price(basket(line(goods("A", 10_00), 3)), programme(half, third_free))
    assert quote.saved_minor == 10_00
    assert [one.instead for one in told(quote, Reason.BETTER_WITHOUT)] == ["third"]


def test_weighed_goods_take_no_part_in_multi_buy_but_in_percentages():
    apples = weighed("W", 8_00)
    half = offer("half", NthItem(nth=2, basis_points_off=HALF))
    tenth = offer("tenth", PercentOff(basis_points_off=10_00))
    quote = price(basket(line(apples, grams=1234)), programme(half, tenth))
    assert quote.lines[0].gross_minor == 9_87
    assert quote.saved_minor == 99


def test_only_one_percentage_on_the_whole_basket_applies_by_default():
    five = offer("five", PercentOff(basis_points_off=5_00))
    ten = offer("ten", PercentOff(basis_points_off=10_00))
    quote = price(basket(line(goods("A", 100_00))), programme(five, ten))
    assert [one.offer for one in quote.offers] == ["ten"]
    assert [(one.offer, one.instead) for one in told(quote, Reason.BETTER_WITHOUT)] == [
        ("five", "ten")
    ]


def test_percentages_that_add_up_never_pass_the_whole():
    group = Group(id="sum", mode=GroupMode.ADD)
    offers = [offer(f"p{n}", PercentOff(basis_points_off=40_00), group="sum") for n in range(3)]
    quote = price(
        basket(line(goods("A", 9_99)), line(goods("B", 1))), programme(*offers, groups=(group,))
    )
    assert quote.total_minor == 0
    assert all(one.pay_minor == 0 for one in quote.lines)


def test_an_offer_is_skipped_where_it_would_spoil_a_better_one():
    # 10% off A first leaves 99.00, below the ladder; skipping it is 19.00 cheaper.
    item = offer("item", PercentOff(basis_points_off=10_00), only("A"))
    quote = price(
        basket(line(goods("A", 10_00)), line(goods("B", 90_00))),
        programme(item, offer("ladder", Ladder(steps=STEPS))),
    )
    assert quote.total_minor == 80_00
    assert [one.instead for one in told(quote, Reason.BETTER_WITHOUT)] == ["ladder"]


def test_an_amount_off_each_unit_and_a_cap():
    each = offer("each", AmountOff(off_minor=3_00, each_unit=True), at_most_minor=7_00)
    quote = price(basket(line(goods("A", 10_00), 2), line(goods("B", 2_00))), programme(each))
    assert quote.saved_minor == 7_00


def test_a_coupon_works_only_when_claimed_and_over_its_minimum():
    rules = template("default")
    dear, cheap = line(goods("A", 60_00)), line(goods("A", 45_00))
    assert price(basket(dear), rules).total_minor == 60_00

    used = price(basket(dear, coupons=("ten-off-fifty",)), rules)
    assert used.total_minor == 50_00
    assert used.coupons_used == ("ten-off-fifty/0",)

    back = price(basket(cheap, coupons=("ten-off-fifty",)), rules)
    assert back.coupons_used == ()
    assert [one.missing_minor for one in told(back, Reason.MISSING_SPEND) if one.coupon] == [5_00]


def test_a_second_coupon_of_a_kind_and_an_unknown_one_are_given_back():
    coupons = ("ten-off-fifty", "ten-off-fifty", "nothing")
    quote = price(basket(line(goods("A", 60_00)), coupons=coupons), template("default"))
    assert len(quote.coupons_used) == 1
    assert [one.coupon for one in told(quote, Reason.TOO_MANY)] == ["ten-off-fifty/1"]
    assert [one.coupon for one in told(quote, Reason.UNKNOWN_COUPON)] == ["nothing/2"]


def test_marked_goods_and_hand_typed_prices_are_left_alone():
    tenth = offer("tenth", PercentOff(basis_points_off=10_00))
    tobacco = line(goods("T", 30_00, no_discount=True))
    typed = line(goods("P", 30_00), price_minor=20_00, price_approval="a1")
    by_hand = line(goods("H", 10_00), discount=HandDiscount(basis_points=50_00, approval="a2"))

    quote = price(basket(tobacco, typed, by_hand), programme(tenth))

    assert [one.pay_minor for one in quote.lines] == [30_00, 20_00, 5_00]
    assert quote.offers == ()


SUNDAY_NOON = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - the time on the store's wall


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (Dates(first=date(2026, 11, 22), last=date(2026, 11, 22)), True),
        (Dates(first=date(2026, 11, 23), last=date(2026, 11, 30)), False),
        (Weekly(weekdays=(7,)), True),
        (Weekly(weekdays=(1,)), False),
        (Weekly(start=time(12), end=time(13)), True),
        (Weekly(start=time(9), end=time(12)), False),
        (MonthDays(days=(22,)), True),
        (MonthDays(days=(8, 18, 28)), False),
        (Stores(stores=("s1",)), True),
        (Stores(stores=("s2",)), False),
        (Members(), True),
        (Members(tiers=("member", "gold")), True),
        (Members(tiers=("gold",)), False),
        (Spend(minimum_minor=100_00), True),
        (Spend(minimum_minor=100_01), False),
        (Spend(minimum_minor=1, goods=only("B")), False),
    ],
)
def test_an_offer_applies_when_its_condition_holds(condition, holds):
    tenth = offer("tenth", PercentOff(basis_points_off=10_00), conditions=(condition,))
    quote = price(basket(line(goods("A", 100_00)), at=SUNDAY_NOON), programme(tenth))
    assert bool(quote.offers) is holds


def test_without_a_member_nothing_is_earned_and_member_offers_say_so():
    tenth = offer("tenth", PercentOff(basis_points_off=10_00), conditions=(Members(),))
    quote = price(basket(line(goods("A", 100_00)), member=None), programme(tenth))
    assert quote.earning.points_total == 0
    assert [one.offer for one in told(quote, Reason.MEMBERS_ONLY)] == ["tenth"]


def test_an_empty_basket_costs_nothing():
    quote = price(basket(), template("default"))
    assert (quote.total_minor, quote.lines, quote.taxes) == (0, (), ())


def test_the_rival_that_is_named_is_the_one_of_the_same_group():
    quote = price(
        basket(line(goods("A", 100_00))),
        programme(
            offer("first", FixedPrice(price_minor=90_00), only("A")),
            offer("loser", PercentOff(basis_points_off=1_000), group="g"),
            offer("winner", PercentOff(basis_points_off=2_000), group="g"),
            groups=(Group(id="g", mode=GroupMode.ONE),),
        ),
    )
    (rival,) = told(quote, Reason.BETTER_WITHOUT)
    assert (rival.offer, rival.instead) == ("loser", "winner")


def test_a_capped_offer_asks_for_no_further_purchase():
    ladder = Ladder(steps=STEPS[:1], repeats=True)
    shopping = basket(line(goods("A", 150_00)))
    quote = price(shopping, programme(offer("l", ladder)))
    assert [one.missing_minor for one in told(quote, Reason.MISSING_SPEND)] == [50_00]
    quote = price(shopping, programme(offer("l", ladder, at_most_minor=20_00)))
    assert told(quote, Reason.MISSING_SPEND) == []
    assert quote.total_minor == 130_00


def test_what_no_purchase_opens_asks_for_none():
    shut = Not(of=(Spend(minimum_minor=1_00),))
    quote = price(
        basket(line(goods("A", 50_00))),
        programme(
            offer(
                "o",
                PercentOff(basis_points_off=1_000),
                conditions=(Spend(minimum_minor=99_00), shut),
            )
        ),
    )
    assert [(one.reason, one.missing_minor) for one in quote.explanations] == [(Reason.NO_GOODS, 0)]


def test_an_offer_on_a_mark_finds_goods_with_several():
    clearance = goods("A", 100_00, marks=("clearance", "organic"))
    for mark in clearance.marks:
        rules = programme(offer("o", PercentOff(basis_points_off=1_000), GoodsSet(marks=(mark,))))
        assert price(basket(line(clearance)), rules).total_minor == 90_00


def test_two_claims_of_a_reward_are_claims_for_both():
    rules = programme(offer("r", AmountOff(off_minor=3_00), costs_points=10))
    member = MemberContext(tier="member", points=100)
    claims = (RewardClaim("r"), RewardClaim("r", 2))
    quote = price(replace(basket(line(goods("A", 50_00))), member=member, rewards=claims), rules)
    assert (quote.total_minor, quote.reward_points) == (41_00, 30)


def test_a_repeating_ladder_is_reached_by_leaving_another_offer_out():
    """1.00 off the item would leave 99.00, just below the step that takes 20.00."""
    rules = programme(
        offer("item", AmountOff(off_minor=1_00), only("A")),
        offer("ladder", Ladder(steps=STEPS[:1], repeats=True)),
    )
    quote = price(basket(line(goods("A", 60_00)), line(goods("B", 40_00))), rules)
    assert quote.total_minor == 80_00
    assert quote.is_best_price


def test_what_offers_may_not_take_is_said_to_be_unproved():
    """Cut off at the empties of its class, an offer may have kept a better one from working."""
    empty = replace(line(goods("E", 40_00, tax="standard")), comes_in=True)
    shopping = basket(
        line(goods("A", 50_00, tax="standard")), line(goods("F", 90_00, tax="food")), empty
    )
    rules = programme(
        offer("much", AmountOff(off_minor=30_00), only("A")),
        tax_classes=(tax_class("standard"), tax_class("food")),
    )
    quote = price(shopping, rules)
    assert [one.pay_minor for one in quote.lines] == [40_00, 90_00, -40_00]
    assert not quote.is_best_price


def test_offers_never_turn_empties_of_another_class_into_money():
    empty = replace(line(goods("E", 40_00, tax="food")), comes_in=True)
    rules = programme(
        offer("much", AmountOff(off_minor=30_00), only("A")),
        tax_classes=(tax_class("standard"), tax_class("food")),
    )
    quote = price(basket(line(goods("A", 50_00, tax="standard")), empty), rules)
    assert quote.total_minor == 0
    assert quote.is_best_price


def test_empties_reach_no_threshold_on_units():
    empties = replace(line(goods("A", 1_00), 5, id="back"), comes_in=True)
    rules = programme(
        offer("o", AmountOff(off_minor=1_00), conditions=(Quantity(minimum=6, goods=only("A")),))
    )
    quote = price(basket(line(goods("A", 10_00), 5), empties), rules)
    assert quote.total_minor == 45_00
    (missing,) = told(quote, Reason.MISSING_UNITS)
    assert missing.missing_units == 1


def test_points_lower_only_goods_that_they_may_pay_for():
    rules = programme(
        redemption=Redemption(
            points_per_block=1,
            value_per_block_minor=1,
            excluded=only("T"),
            treatment=Treatment.PRICE_REDUCTION,
        )
    )
    shopping = basket(line(goods("A", 6_00)), line(goods("T", 4_00)))
    lowered = replace(shopping, points_off=PointsOff("points", 900, 9_00))
    assert [one.pay_minor for one in price(lowered, rules).lines] == [0, 4_00]


def test_a_gift_that_is_no_choice_is_not_given():
    rules = programme(offer("g", Gift(choices=("MUG", "CUP"))))
    quote = price(basket(line(goods("A", 10_00)), gifts=(("g", "BIKE"),)), rules)
    assert [(one.goods, one.choices) for one in quote.added] == [("", ("MUG", "CUP"))]
