"""Long baskets where many offers interact: proved, quick to price again, the same answer."""

import random
from dataclasses import replace

import pytest

from shared.ids import CouponId
from shared.loyalty.conditions import Measured, Quantity, Spend
from shared.loyalty.effects import (
    AmountOff,
    FreeUnits,
    Gift,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    PercentStep,
    Step,
)
from shared.loyalty.offers import Coupon, Group, GroupMode, Phase
from shared.money import divide_rounded
from shared.pricing.basket import CouponClaim, MemberContext, RewardClaim
from shared.pricing.engine import price
from shared.pricing.nodes import Solved
from shared.pricing.search import SearchMemory
from tests.bench.pricing import a_basket, a_programme, scan
from tests.pricing_builders import basket, goods, line, names, offer, only, programme

OTHERS = line(goods("C", 30_00))
"""What has all lines of a basket is not looked up in the memory."""


def test_fifty_interacting_offers_on_a_hundred_lines_are_proved_to_be_best():
    rules, draw = a_programme(200), random.Random(3)
    offers = {one.id: one for one in rules.offers}
    for _ in range(5):
        shopping = a_basket(draw, 100)
        quote = price(shopping, rules)
        assert quote.is_best_price
        # And each line says under which offer, one for such goods, its discount stands.
        for bought, quoted in zip(shopping.lines, quote.lines, strict=True):
            assert all(offers[one.offer].goods.contains(bought.goods) for one in quoted.discounts)


def test_scan_after_scan_with_a_memory_gives_the_same_as_pricing_afresh():
    rules, draw, memory = a_programme(200), random.Random(4), SearchMemory()
    shopping = a_basket(draw, 20)
    for number in range(12):
        quote = price(shopping, rules, memory)
        assert quote == price(shopping, rules)
        scanned = scan(draw, shopping)
        shopping = scanned if number else shopping
        shopping = _renamed(shopping, number)


def test_a_dozen_claims_of_one_reward_are_proved():
    """Their order changes nothing: it is not searched."""
    articles = [goods(f"A{n:02}", 10_00 + 37 * n) for n in range(12)]
    member = MemberContext(tier="member", points=1_000)
    claims = (RewardClaim("reward", 12),)
    shopping = replace(basket(*[line(one, 2) for one in articles]), member=member, rewards=claims)
    others = offer("third", NthItem(nth=3, basis_points_off=5_000), phase=Phase.POINTS)

    free = offer("reward", FreeUnits(units=1), costs_points=10)
    quote = price(shopping, programme(free, others))
    assert quote.is_best_price
    assert quote.reward_points == 120
    # A dozen of the cheapest are free, and four of the other dozen are half as dear.
    left = sorted((one.list_price_minor for one in articles for _ in "12"), reverse=True)[:12]
    thirds = sum(price // 2 for price in left[2::3])
    assert abs(quote.total_minor - (sum(left) - thirds)) <= 4

    percent = offer("reward", PercentOff(basis_points_off=500), costs_points=10)
    quote = price(shopping, programme(percent))
    assert quote.is_best_price
    left = sum(one.gross_minor for one in quote.lines)
    for _ in range(12):
        left -= divide_rounded(left * 500, 10_000)
    assert quote.total_minor == left


def test_of_codes_that_do_the_same_the_first_ones_are_used():
    coupon = Coupon(id="c", version=1, names=names("c"), offer="five", valid_days=9, per_sale=9)
    five = offer("five", AmountOff(off_minor=5_00), claimed=True)
    rules = programme(five, coupons=(coupon,))
    codes = tuple(CouponClaim("c", CouponId(f"code{n}")) for n in (3, 1, 4, 2))
    quote = price(replace(basket(line(goods("A", 14_00))), claims=codes), rules)
    assert quote.total_minor == 0
    assert sorted(quote.coupons_used) == ["code1", "code2", "code3"]


def test_a_memory_of_another_programme_is_forgotten():
    draw, memory = random.Random(5), SearchMemory()
    shopping = a_basket(draw, 30)
    for rules in (a_programme(60), a_programme(200), a_programme(60)):
        assert price(shopping, rules, memory) == price(shopping, rules)


def test_what_was_solved_for_a_programme_is_not_recalled_for_another():
    memory, solved = SearchMemory(), Solved((), 1, is_proved=True)
    memory.open("one")
    memory.keep("part", solved)
    memory.open("one")
    assert memory.recall("part", 9) is solved
    memory.open("another")
    assert memory.recall("part", 9) is None


def test_a_threshold_on_other_goods_is_not_remembered():
    """The same goods under the same offer, which only what stands beside them opens."""
    with_b = Spend(minimum_minor=50_00, goods=only("B"), measured=Measured.LISTED)
    rules = programme(
        offer("a", PercentOff(basis_points_off=1_000), only("A"), conditions=(with_b,))
    )
    memory = SearchMemory()
    for cost, off in ((50_00, 1_00), (40_00, 0), (50_00, 1_00)):
        shopping = basket(line(goods("A", 10_00)), line(goods("B", cost)), OTHERS)
        assert price(shopping, rules, memory).saved_minor == off


def test_which_goods_were_typed_is_not_remembered():
    """Amounts are the same whether somebody typed the list price or not; the offers are not."""
    rules = programme(
        offer("both", PercentOff(basis_points_off=1_000), only("A", "B"), rank=1),
        offer("typed", AmountOff(off_minor=2_00), only("A", "B"), rank=2, on_manual_prices=True),
    )
    a, b = line(goods("A", 10_00)), line(goods("B", 10_00))
    memory = SearchMemory()
    for lines, off in (
        ((a, b), 4_00),
        ((replace(a, price_minor=10_00), b), 3_00),
        ((a, b), 4_00),
    ):
        assert price(basket(*lines, OTHERS), rules, memory).saved_minor == off


def test_of_two_ways_to_the_same_sum_the_one_with_fewer_offers_is_taken():
    """300.00 have to be left for the ladder: one offer on A or two on B leave just that."""
    ladder = Ladder(steps=(Step(threshold_minor=300_00, off_minor=150_00),))
    rules = programme(
        offer("b1", AmountOff(off_minor=50_00), only("B"), rank=1),
        offer("b2", AmountOff(off_minor=50_00), only("B"), rank=1),
        offer("a", AmountOff(off_minor=100_00), only("A"), rank=1),
        offer("ladder", ladder),
    )
    for dear in ("AB", "BA"):
        lines = [line(goods(sku, 200_00)) for sku in dear]
        quote = price(basket(*lines), rules)
        assert quote.total_minor == 150_00
        assert [one.offer for one in quote.offers] == ["a", "ladder"]


PERCENT_STEP = PercentStep(threshold_minor=100_00, basis_points_off=3_000)
STEP = Step(threshold_minor=100_00, off_minor=30_00)


@pytest.mark.parametrize(
    ("stepped", "total"),
    [(PercentLadder(steps=(PERCENT_STEP,)), 73_50), (Ladder(steps=(STEP,)), 75_00)],
)
def test_a_step_that_an_earlier_offer_would_put_out_of_reach_is_kept(stepped, total):
    """105.00 reach it, and so do what is left of 205.00; 95.00 do not."""
    ten = offer("ten", AmountOff(off_minor=10_00), phase=3)
    rules = programme(ten, offer("step", stepped))
    near = price(basket(line(goods("A", 105_00))), rules)
    assert (near.total_minor, [one.offer for one in near.offers]) == (total, ["step"])
    far = price(basket(line(goods("A", 205_00))), rules)
    assert [one.offer for one in far.offers] == ["ten", "step"]


def test_of_amounts_in_a_group_the_highest_is_taken_and_of_others_all():
    amounts = {"a": 3_00, "b": 5_00, "c": 4_00}
    apart = [offer(name, AmountOff(off_minor=off)) for name, off in amounts.items()]
    grouped = [offer(name, AmountOff(off_minor=off), group="g") for name, off in amounts.items()]
    shopping = basket(line(goods("A", 60_00)), line(goods("B", 40_00)))
    assert price(shopping, programme(*apart)).saved_minor == 12_00
    one = price(shopping, programme(*grouped, groups=(Group(id="g", mode=GroupMode.ONE),)))
    assert [(used.offer, used.amount_minor) for used in one.offers] == [("b", 5_00)]


def test_a_group_that_a_later_place_needs_is_not_closed_for_a_little():
    """Ten percent, then twenty or a code for thirty: 100.00 are 63.00, and never 80.00."""
    rules = programme(
        offer("ten", PercentOff(basis_points_off=1_000), phase=3),
        offer(
            "pct",
            PercentOff(basis_points_off=2_000),
            group="g",
            conditions=(Spend(minimum_minor=100_00),),
        ),
        offer("code", PercentOff(basis_points_off=3_000), group="g", claimed=True),
        groups=(Group(id="g", mode=GroupMode.ONE),),
        coupons=(Coupon(id="code", version=1, names=names("c"), offer="code", valid_days=9),),
    )
    for cost, total in ((100_00, 63_00), (99_99, 62_99)):
        quote = price(basket(line(goods("A", cost)), coupons=("code",)), rules)
        assert (quote.total_minor, quote.is_best_price) == (total, True)


def test_more_offers_that_add_up_than_are_combined_are_said_to_be_unproved():
    """Five of seven percents would leave just enough for the ladder."""
    adding = [
        offer(f"o{n}", PercentOff(basis_points_off=100), phase=3, group="g") for n in range(7)
    ]
    ladder = offer("ladder", Ladder(steps=(Step(threshold_minor=95_00, off_minor=50_00),)))
    groups = (Group(id="g", mode=GroupMode.ADD),)
    shopping = basket(line(goods("A", 100_00)))
    quote = price(shopping, programme(*adding[:6], ladder, groups=groups))
    assert (quote.total_minor, quote.is_best_price) == (45_00, True)
    assert not price(shopping, programme(*adding, ladder, groups=groups)).is_best_price


def _renamed(shopping, number):
    *earlier, last = shopping.lines
    return replace(shopping, lines=(*earlier, replace(last, id=f"line{number}")))


def test_more_offers_than_can_be_looked_through_are_said_to_be_unproved():
    """Eleven percentages of one rank, each with a threshold of its own, in any order."""
    percentages = [
        offer(
            f"o{number}",
            PercentOff(basis_points_off=100 + 37 * number),
            only("A", "B"),
            conditions=(Spend(minimum_minor=90_00 - 3_00 * number),),
            phase=3,
        )
        for number in range(11)
    ]
    shopping = basket(line(goods("A", 60_00)), line(goods("B", 40_00)))
    assert price(shopping, programme(*percentages[:5])).is_best_price
    assert not price(shopping, programme(*percentages)).is_best_price


def test_goods_without_discount_count_for_no_condition_and_no_gift():
    """Three are asked for: two that no offer may look at are none of them."""
    dear = replace(goods("T", 20_00), no_discount=True)
    tenth = offer("tenth", PercentOff(basis_points_off=1_000), conditions=(Quantity(minimum=3),))
    mug = offer("mug", Gift(choices=("MUG",)), only("A"))
    rules = programme(tenth, mug)
    few = price(basket(line(goods("A", 10_00)), line(dear, units=2)), rules)
    assert (few.saved_minor, len(few.added)) == (0, 1)
    many = price(basket(line(goods("A", 10_00), units=3), line(dear)), rules)
    assert many.saved_minor == 3_00
    assert price(basket(line(dear)), rules).added == ()
