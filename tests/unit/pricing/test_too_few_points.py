"""Rewards for more points than the member has: those get them with which least is to pay."""

from dataclasses import replace

import pytest

from shared.loyalty.effects import AmountOff, Gift, IssueCoupon, PercentOff
from shared.loyalty.offers import Coupon, Group, GroupMode
from shared.pricing import dividing
from shared.pricing.basket import Basket, MemberContext, RewardClaim
from shared.pricing.engine import price
from shared.pricing.quote import Reason
from shared.pricing.search import SearchMemory
from tests.pricing_builders import basket, goods, line, names, offer, programme

MEAL = goods("MEAL", 100_00)


def reward(key, off_minor, points, **more):
    return offer(key, AmountOff(off_minor=off_minor), costs_points=points, **more)


def claiming(points: int, **times: int) -> Basket:
    member = MemberContext(tier="member", points=points)
    claims = tuple(RewardClaim(key, count) for key, count in times.items())
    return replace(basket(line(MEAL)), member=member, rewards=claims)


def test_two_cheap_rewards_are_worth_more_than_the_one_that_gives_most_for_a_point():
    rules = programme(reward("a", 9_00, 80), reward("b", 5_00, 50))
    quote = price(claiming(100, a=1, b=2), rules)
    assert (quote.total_minor, quote.reward_points) == (90_00, 100)
    assert quote.is_best_price


def test_many_claims_of_three_rewards_are_divided_and_proved():
    rules = programme(reward("a", 7_00, 70), reward("b", 5_01, 50), reward("c", 3_00, 30))
    quote = price(claiming(160, a=9, b=9, c=9), rules)
    best = max(
        7_00 * a + 5_01 * b + 3_00 * c
        for a in range(3)
        for b in range(4)
        for c in range(6)
        if 70 * a + 50 * b + 30 * c <= 160
    )
    assert (quote.saved_minor, quote.is_best_price) == (best, True)


def test_what_stands_in_the_way_of_a_better_offer_gets_no_points():
    one = Group(id="g", mode=GroupMode.ONE)
    rules = programme(
        offer("half", PercentOff(basis_points_off=5_000), group="g"),
        reward("a", 40_00, 100, group="g"),
        reward("b", 1_00, 100),
        groups=(one,),
    )
    quote = price(claiming(100, a=1, b=1), rules)
    assert quote.total_minor == 49_00
    told = {one.offer: one.reason for one in quote.explanations}
    assert told["a"] is Reason.BETTER_WITHOUT


def test_what_lowers_the_price_goes_before_what_is_given_on_top():
    rules = programme(
        offer("a-code", IssueCoupon(coupon="next"), costs_points=40),
        offer("a-mug", Gift(choices=("MUG",)), costs_points=40, priority=1),
        reward("b", 1_00, 50),
        coupons=(Coupon(id="next", version=1, names=names("n"), offer="b", valid_days=1),),
    )
    claimed = claiming(100, b=1, **{"a-mug": 1, "a-code": 1})
    quote = price(claimed, rules)
    assert (quote.total_minor, [one.offer for one in quote.added], quote.issued) == (
        99_00,
        ["a-mug"],
        (),
    )
    missing = {one.offer: one.missing_points for one in quote.explanations if one.missing_points}
    assert missing == {"a-code": 30}


def test_a_division_that_is_not_finished_says_so_and_spends_no_more_than_there_is(monkeypatch):
    monkeypatch.setattr(dividing, "DIVISIONS_MAX", 2)
    rules = programme(reward("a", 7_00, 70), reward("b", 5_01, 50), reward("c", 3_00, 30))
    quote = price(claiming(160, a=9, b=9, c=9), rules)
    assert not quote.is_best_price
    assert 0 < quote.reward_points <= 160


@pytest.mark.parametrize("points", [0, 50, 100, 130, 400])
def test_what_was_solved_before_changes_no_division(points):
    rules = programme(reward("a", 9_00, 80), reward("b", 5_00, 50), reward("c", 4_00, 45))
    memory = SearchMemory()
    for times in (1, 2, 3):
        claimed = claiming(points, a=times, b=2, c=1)
        assert price(claimed, rules, memory) == price(claimed, rules)
