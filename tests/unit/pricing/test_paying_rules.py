"""What tenders may pay, what goods ask of the cashier, and several ways in which points pay."""

from dataclasses import replace
from datetime import date

import pytest

from shared.errors import DomainError
from shared.ids import LotId
from shared.loyalty.accounts import Restriction, TenderRule
from shared.loyalty.conditions import Members, Spend
from shared.loyalty.document import GoodsSet
from shared.loyalty.effects import FixedPrice, FreeUnits, Gift, IssueCoupon
from shared.loyalty.lots import Lot, pending, spendable
from shared.loyalty.offers import Coupon, Limits
from shared.loyalty.programme import BalanceReached, Redemption, Tier, Tiers
from shared.loyalty.tiers import standing
from shared.pricing.basket import MemberContext, RewardClaim
from shared.pricing.engine import price
from shared.pricing.quote import Reason
from shared.pricing.redemption import THIS_SALE, offered, redeem
from shared.pricing.tender_rules import Demand, demands, payable
from tests.pricing_builders import basket, earning, goods, line, names, offer, only, programme

MEAL, SOAP = goods("MEAL", 20_00, category="meals"), goods("SOAP", 30_00)
TODAY = date(2026, 11, 22)


def lot(points, **more):
    return Lot(lot=LotId("l1"), points=points, earned_on=date(2026, 11, 1), **more)


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        (TenderRule(tender="voucher", goods=GoodsSet(categories=("meals",))), 20_00),
        (TenderRule(tender="voucher", at_most_minor=15_00), 15_00),
        (TenderRule(tender="voucher", at_most_basis_points=4_000), 20_00),
        (TenderRule(tender="other", at_most_minor=1), 50_00),
    ],
)
def test_a_tender_pays_for_its_goods_up_to_its_caps(rule, most):
    rules = programme(tenders=(rule,))
    shopping = basket(line(MEAL), line(SOAP))
    assert payable("voucher", shopping, price(shopping, rules), rules) == most


def test_restricted_goods_ask_for_what_has_to_be_seen():
    rules = programme(
        restrictions=(
            Restriction(
                id="med",
                names=names("med"),
                goods=only("MEAL"),
                minimum_age=18,
                needs_prescription=True,
                needs_real_name=True,
            ),
        )
    )
    asked = demands(basket(line(MEAL)), rules)
    assert [one.demand for one in asked] == [Demand.AGE, Demand.PRESCRIPTION, Demand.REAL_NAME]
    assert asked[0].years == 18
    assert demands(basket(line(SOAP)), rules) == ()


@pytest.mark.parametrize(("units", "before"), [(3, 0), (2, 2)])
def test_more_than_one_may_buy_is_refused(units, before):
    limit = Restriction(
        id="med", names=names("med"), goods=only("MEAL"), units_per_sale=2, units_per_day=3
    )
    rules = programme(restrictions=(limit,))
    with pytest.raises(DomainError, match="too-many-units"):
        demands(basket(line(MEAL, units)), rules, {"med": before})
    assert demands(basket(line(MEAL, 2)), rules, {"med": 1}) == ()


GOLD = (Members(tiers=("gold",)),)
PLAIN = Redemption(id="plain", points_per_block=100, value_per_block_minor=1_00)
BETTER = Redemption(id="gold", points_per_block=80, value_per_block_minor=1_00, conditions=GOLD)


def test_of_several_rules_the_one_that_pays_most_is_taken_or_the_named_one():
    rules = programme(redemption=(PLAIN, BETTER))
    shopping = basket(line(SOAP), member="gold")
    quote, lots = price(shopping, rules), [lot(800)]
    best = redeem(shopping, quote, 800, rules, lots)
    assert (best.rule, best.value_minor) == ("gold", 10_00)
    named = redeem(shopping, quote, 800, rules, lots, "plain")
    assert (named.rule, named.value_minor) == ("plain", 8_00)
    assert offered(shopping, quote, rules, lots).value_minor == 10_00


def test_a_rule_for_other_members_is_not_there():
    rules = programme(redemption=(PLAIN, BETTER))
    shopping = basket(line(SOAP))
    assert redeem(shopping, price(shopping, rules), 800, rules, [lot(800)]).value_minor == 8_00


def test_points_of_the_running_sale_pay_for_it_and_are_drawn_last():
    rule = Redemption(points_per_block=1, value_per_block_minor=1, running_sale=True)
    rules = programme(redemption=rule, earning=earning())
    shopping = basket(line(SOAP))
    quote = price(shopping, rules)
    assert offered(shopping, quote, rules, [lot(10)]).points == 40
    paid = redeem(shopping, quote, 25, rules, [lot(10)])
    assert [(one.lot, one.points) for one in paid.draws] == [("l1", 10), (THIS_SALE, 15)]
    assert paid.earning.points_total == quote.earning.points_total == 30


def test_pending_points_cannot_be_spent_yet():
    fresh = Lot(lot=LotId("l2"), points=70, earned_on=date(2026, 11, 20))
    assert spendable(pending([lot(30), fresh], 7), TODAY) == 30
    assert spendable(pending([lot(30), fresh], 7), date(2026, 11, 27)) == 100
    rules = programme(earning=earning(pending_days=7))
    shopping = basket(line(SOAP))
    assert offered(shopping, price(shopping, rules), rules, [fresh]).points == 0


def test_a_tier_by_balance_follows_it_up_and_down():
    ladder = (
        Tier(id="member", names=names("m")),
        Tier(id="gold", names=names("g"), reached_by=(BalanceReached(points=500),)),
    )
    tiers = Tiers(ladder=ladder)
    assert [standing((), tiers, TODAY, balance=held).tier for held in (499, 500, 120)] == [
        "member",
        "gold",
        "member",
    ]
    assert standing((), tiers, TODAY, balance=120).wanting[0].missing == 380


def test_a_sale_issues_coupons_for_the_next_one():
    coupon = Coupon(id="next", version=1, names=names("next"), offer="five", valid_days=30)
    five = offer("five", FixedPrice(price_minor=5_00), claimed=True)
    one = offer("one", IssueCoupon(coupon="next"), conditions=(Spend(minimum_minor=20_00),))
    each = offer("each", IssueCoupon(coupon="next", per_minor=20_00), only("SOAP"))
    rules = programme(five, one, each, coupons=(coupon,))
    quote = price(basket(line(SOAP, 2)), rules)
    assert [(i.offer, i.coupon, i.units) for i in quote.issued] == [
        ("each", "next", 3),
        ("one", "next", 1),
    ]
    assert quote.total_minor == 60_00
    assert [i.offer for i in price(basket(line(goods("C", 1_00))), rules).issued] == []


def test_a_reward_of_goods_or_a_coupon_costs_its_points():
    coupon = Coupon(id="next", version=1, names=names("next"), offer="x", valid_days=30)
    rules = programme(
        offer("x", FixedPrice(price_minor=5_00), claimed=True),
        offer("mug", Gift(choices=("MUG",)), costs_points=200),
        offer("code", IssueCoupon(coupon="next"), costs_points=50),
        coupons=(coupon,),
    )
    member = MemberContext(tier="member", points=300)
    rewards = (RewardClaim("mug"), RewardClaim("code", 2))
    quote = price(basket(line(SOAP), rewards=rewards, member=None), rules)
    assert quote.reward_points == 0
    shopping = basket(line(SOAP), rewards=rewards)
    quote = price(replace(shopping, member=member), rules)
    assert quote.reward_points == 300
    assert [one.goods for one in quote.added] == ["MUG"]
    assert sum(one.units for one in quote.issued) == 2


def test_an_add_on_price_is_claimed_by_hand():
    on = offer(
        "add-on",
        FixedPrice(price_minor=9_90),
        only("SOAP"),
        claimed=True,
        by_hand=True,
        conditions=(Spend(minimum_minor=50_00, goods=only("MEAL")),),
    )
    rules = programme(on, coupons=())
    shopping = basket(line(MEAL, 3), line(SOAP))
    assert price(shopping, rules).total_minor == 90_00
    claimed = basket(line(MEAL, 3), line(SOAP), rewards=(RewardClaim("add-on"),))
    assert price(claimed, rules).total_minor == 69_90


def test_limits_count_the_uses_of_one_sale():
    free = offer("free", FreeUnits(), only("MEAL"), costs_points=10, limits=Limits(per_member=1))
    member = MemberContext(tier="member", points=100)
    shopping = basket(line(MEAL, 3), rewards=(RewardClaim("free", 2),))
    quote = price(replace(shopping, member=member), programme(free))
    assert (quote.total_minor, quote.reward_points) == (40_00, 10)
    assert Reason.USED_UP in {told.reason for told in quote.explanations}
