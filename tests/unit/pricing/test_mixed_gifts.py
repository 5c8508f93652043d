"""Gifts whose units are chosen one by one: any mix, priced again to the same."""

import random
from dataclasses import replace

from shared.ids import MemberId
from shared.loyalty.effects import Gift
from shared.pricing.basket import MemberContext, RewardClaim
from shared.pricing.engine import price
from shared.pricing.sale_basket import judge
from shared.trade.fact import BundleRef
from tests.pricing_builders import basket, goods, line, offer, programme
from tests.support.priced_facts import sale_of

MEAL, CUP, BAG = goods("MEAL", 50_00), goods("CUP", 9_00), goods("BAG", 7_00)
TWO = offer("two", Gift(choices=("CUP", "BAG"), units=2, mixed=True))
REWARD = offer("two", Gift(choices=("CUP", "BAG"), units=2, mixed=True), costs_points=10)
REF = BundleRef(version=1, sha256="0" * 64)


def given(quote):
    return sorted((one.goods, one.units) for one in quote.added)


def chosen(*skus, rule=TWO, claims=0):
    shopping = replace(
        basket(line(MEAL)),
        member=MemberContext(tier="member", points=100),
        gifts=tuple(("two", sku) for sku in skus),
        rewards=(RewardClaim("two", claims),) if claims else (),
    )
    return shopping, programme(rule)


def test_each_unit_is_chosen_for_itself_and_the_rest_is_open():
    assert given(price(*chosen())) == [("", 2)]
    assert given(price(*chosen("CUP"))) == [("", 1), ("CUP", 1)]
    assert given(price(*chosen("CUP", "BAG"))) == [("BAG", 1), ("CUP", 1)]
    assert given(price(*chosen("CUP", "CUP", "BAG"))) == [("BAG", 1), ("CUP", 1)]


def test_what_is_not_among_the_gifts_is_not_given():
    assert given(price(*chosen("MEAL", "CUP"))) == [("", 1), ("CUP", 1)]


def test_two_claims_share_one_mix_in_whatever_order_it_was_chosen():
    mix = ["CUP", "BAG", "CUP", "CUP"]
    expected = price(*chosen(*mix, rule=REWARD, claims=2))
    units = {sku: sum(n for one, n in given(expected) if one == sku) for sku in ("CUP", "BAG")}
    assert units == {"CUP": 3, "BAG": 1}
    assert expected.reward_points == 20
    for seed in range(5):
        random.Random(seed).shuffle(mix)
        assert price(*chosen(*mix, rule=REWARD, claims=2)) == expected


def test_a_sale_with_a_mix_is_priced_again_to_the_same():
    articles = {one.sku: one for one in (MEAL, CUP, BAG)}
    for rule, claims, mix in (
        (TWO, 0, ("CUP", "BAG")),
        (TWO, 0, ("CUP",)),
        (REWARD, 2, ("CUP", "BAG", "CUP", "CUP")),
    ):
        shopping, rules = chosen(*mix, rule=rule, claims=claims)
        sale = sale_of(shopping, rules, REF, member=MemberId("m"), articles=articles)
        assert judge(sale, shopping.at, rules, articles) == []
