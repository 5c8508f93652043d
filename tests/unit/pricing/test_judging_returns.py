"""What a return should have given: honest ones agree, each way of giving more is measured."""

from dataclasses import replace

import msgspec
import pytest

from desktop.services.basket import Pricing
from desktop.store.members import Member
from shared.ids import CouponId, EntryId, MemberId, StoreId, TillId
from shared.loyalty.conditions import FirstSale, Spend
from shared.loyalty.effects import IssueCoupon, Ladder, PercentOff, Step
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import (
    CashRounding,
    Floor,
    Redemption,
    ReturnPolicy,
    Returns,
)
from shared.money import Rounding
from shared.pricing.engine import price
from shared.pricing.redemption import redeem
from shared.pricing.sale_basket import Measured, Unjudged
from shared.returning.lines import SoldBy
from shared.returning.sold import ReturnableSale
from shared.trade.fact import CouponIssued, LineTax, Tender, TenderKind
from tests.pricing_builders import (
    basket,
    earning,
    goods,
    line,
    names,
    offer,
    programme,
    rate,
    tax_class,
)
from tests.property.test_returns_by_what_is_kept import LOT, MEMBER, NOON, REF, judged, taken_back
from tests.support.priced_facts import sale_of

TEA = goods("TEA", 12_50)
LADDER = offer("ladder", Ladder(steps=(Step(threshold_minor=30_00, off_minor=5_00),)))
SHARES = programme(
    LADDER,
    tax_classes=(tax_class("standard", rate(130_000, included=True)),),
    earning=earning(points=2, growth=earning().rules),
    redemption=Redemption(points_per_block=1, value_per_block_minor=10),
    cash_rounding=CashRounding(),
)
RE_PRICE = msgspec.structs.replace(SHARES, returns=Returns(policy=ReturnPolicy.RE_PRICE))
LI = Member(MEMBER, "", "", "", tier="member", lots=(LOT,), spending=(), balance_as_of="")


def sold(rules, *, points=0, **more):
    shopping = replace(basket(line(TEA, 3, id="1")), at=NOON, **more)
    payment = redeem(shopping, price(shopping, rules), points, rules, [LOT]) if points else None
    sale = sale_of(shopping, rules, REF, member=MemberId("m"), payment=payment)
    return ReturnableSale(EntryId("sale"), NOON, sale, ())


def one_back(of, rules, member=LI):
    by = SoldBy(rules, NOON, {"TEA": TEA})
    pricing = Pricing(REF, rules, StoreId("s1"), TillId("till"))
    return taken_back(of, 1, member, by, pricing)


def verdict(fact, of, rules, *before, **more):
    by = SoldBy(rules, NOON, {"TEA": TEA})
    return judged(fact, of.sale, *(before or [of.returns]), sold_by=by, **{"own": rules, **more})


def measured(found):
    return [(one.measured, one.amount) for one in found]


@pytest.mark.parametrize(("rules", "first"), [(SHARES, 10_83), (RE_PRICE, 7_50)])
def test_honest_returns_agree_by_either_policy(rules, first):
    of = sold(rules, points=30)
    assert of.sale.total == 32_50
    for number in range(3):
        later, fact = one_back(of, rules)
        assert number or fact.total == first
        assert verdict(fact, of, rules) == []
        of = later


def test_line_shares_given_where_the_programme_prices_again_are_too_much():
    of = sold(RE_PRICE)
    by_shares = one_back(sold(SHARES), SHARES)[1]
    found = verdict(by_shares, of, RE_PRICE)
    assert measured(found)[0] == (Measured.TOTAL, 10_83 - 7_50)


def more_money(fact):
    first = msgspec.structs.replace(fact.lines[0], amount=fact.lines[0].amount + 100)
    return msgspec.structs.replace(fact, lines=(first,), total=fact.total + 100)


def less_tax(fact):
    taxes = tuple(LineTax(component=one.component, tax=one.tax - 1) for one in fact.lines[0].taxes)
    return msgspec.structs.replace(
        fact, lines=(msgspec.structs.replace(fact.lines[0], taxes=taxes),)
    )


def no_points_taken(fact):
    return msgspec.structs.replace(fact, points_taken=())


def fewer_points_told(fact):
    told = msgspec.structs.replace(fact.lines[0], points=fact.lines[0].points - 1)
    return msgspec.structs.replace(fact, lines=(told,))


def no_growth_taken(fact):
    return msgspec.structs.replace(fact, member=msgspec.structs.replace(fact.member, growth=0))


def no_spend_taken(fact):
    return msgspec.structs.replace(fact, member=msgspec.structs.replace(fact.member, spend=0))


def points_as_cash(fact):
    points = sum(one.amount for one in fact.refunds if one.tender is TenderKind.POINTS)
    cash = Tender(tender=TenderKind.CASH, amount=fact.total)
    assert points == 1_00
    return msgspec.structs.replace(fact, refunds=(cash,))


def rounded_up(fact):
    first, *others = fact.refunds
    more = msgspec.structs.replace(first, amount=first.amount + 40)
    return msgspec.structs.replace(fact, rounding=40, refunds=(more, *others))


def another_class(fact):
    line_ = msgspec.structs.replace(fact.lines[0], tax_class="reduced")
    return msgspec.structs.replace(fact, lines=(line_,))


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (more_money, [(Measured.TOTAL, 100)]),
        (less_tax, [(Measured.TAX, -1)]),
        (no_points_taken, [(Measured.POINTS, 20)]),
        (fewer_points_told, [(Measured.POINTS, 1)]),
        (no_growth_taken, [(Measured.GROWTH, 10)]),
        (no_spend_taken, [(Measured.SPEND, 9_83)]),
        (points_as_cash, [(Measured.POINTS_BACK, -10), (Measured.MONEY, 1_00)]),
        (rounded_up, [(Measured.ROUNDING, 40)]),
        (another_class, [(Measured.LINES, 0)]),
    ],
)
def test_each_way_of_giving_more_is_measured(forge, expected):
    of = sold(SHARES, points=30)
    honest = one_back(of, SHARES)[1]
    assert verdict(honest, of, SHARES) == []
    assert measured(verdict(forge(honest), of, SHARES)) == expected


@pytest.mark.parametrize("step", [5, 10, 100])
def test_cash_that_is_rounded_as_the_programme_says_agrees(step):
    rounding = CashRounding(step_minor=step, rounding=Rounding.DOWN)
    rules = msgspec.structs.replace(SHARES, cash_rounding=rounding)
    of = sold(rules)
    fact = one_back(of, rules)[1]
    assert fact.rounding == -(10_83 % step)
    assert verdict(fact, of, rules) == []
    assert measured(verdict(fact, of, rules, own=SHARES)) == [(Measured.ROUNDING, fact.rounding)]


def test_refunds_in_cash_are_rounded_together_but_not_those_of_earlier_engines():
    rules = msgspec.structs.replace(SHARES, cash_rounding=CashRounding(step_minor=100))
    of = sold(rules)
    for _ in range(2):
        of, _ = one_back(of, rules)
    together = one_back(of, rules)[1]
    assert [one.refunds[0].amount for one in (*of.returns, together)] == [11_00, 11_00, 10_50]
    assert verdict(together, of, rules) == []
    alone = msgspec.structs.replace(
        together,
        rounding=17,
        refunds=(msgspec.structs.replace(together.refunds[0], amount=11_00),),
    )
    assert measured(verdict(alone, of, rules)) == [(Measured.ROUNDING, 50)]
    assert verdict(msgspec.structs.replace(alone, engine="3"), of, rules) == []


def test_units_below_zero_take_everything_for_too_much():
    of = sold(SHARES)
    fact = one_back(of, SHARES)[1]
    odd = msgspec.structs.replace(fact.lines[0], quantity=-1)
    forged = msgspec.structs.replace(fact, lines=(odd,))
    assert measured(verdict(forged, of, SHARES))[0] == (Measured.TOTAL, 10_83)


def test_points_that_were_spent_may_be_forgiven_where_the_programme_stops_at_zero():
    returns = Returns(points_floor=Floor.ZERO)
    rules = msgspec.structs.replace(SHARES, returns=returns)
    of = sold(rules)
    poor = replace(LI, lots=())
    fact = one_back(of, rules, poor)[1]
    assert fact.points_taken == ()
    assert verdict(fact, of, rules) == []
    assert measured(verdict(fact, of, rules, own=SHARES)) == [(Measured.POINTS, 22)]


def test_of_who_was_erased_nothing_can_be_taken_back():
    of = sold(SHARES, points=30)
    fact = one_back(of, SHARES, None)[1]
    assert verdict(fact, of, SHARES, is_forgotten=True) == []
    assert (Measured.POINTS, 20) in measured(verdict(fact, of, SHARES))


def test_a_till_that_knew_of_no_other_return_agrees():
    of = sold(SHARES)
    elsewhere = one_back(of, SHARES)[1]
    here = one_back(of, SHARES)[1]
    assert here.total == 10_83
    assert measured(verdict(here, of, SHARES, (elsewhere,)))[0] == (Measured.TOTAL, -1)
    assert verdict(here, of, SHARES, (elsewhere,), ()) == []


def test_more_than_was_sold_is_left_to_the_exception_for_that():
    of = sold(SHARES)
    all_back = of
    for _ in range(3):
        all_back, last = one_back(all_back, SHARES)
    assert verdict(last, of, SHARES, all_back.returns) is Unjudged.RETURNED_TWICE


def test_what_cannot_be_priced_again_is_not_judged_and_line_shares_need_no_engine():
    of = sold(RE_PRICE)
    fact = one_back(of, RE_PRICE)[1]
    newer = msgspec.structs.replace(fact, engine="99")
    assert verdict(newer, of, RE_PRICE) is Unjudged.OTHER_ENGINE
    unknown = judged(fact, of.sale, (), sold_by=SoldBy(RE_PRICE, NOON, {}))
    assert unknown is Unjudged.UNKNOWN_GOODS
    by_shares = msgspec.structs.replace(one_back(sold(SHARES), SHARES)[1], engine="99")
    assert verdict(by_shares, sold(SHARES), SHARES) == []


def test_a_sale_that_told_nothing_came_back_by_line_shares():
    first = offer("first", Ladder(steps=(Step(threshold_minor=1, off_minor=1),)),
                  conditions=(FirstSale(),))  # fmt: skip
    rules = msgspec.structs.replace(RE_PRICE, offers=(LADDER, first))
    of = sold(rules)
    older = replace(of, sale=msgspec.structs.replace(of.sale, known=None))
    fact = one_back(older, rules)[1]
    assert fact.total == 10_83
    assert verdict(fact, older, rules) == []


def test_coupons_that_stay_good_though_nothing_kept_gives_them_are_found():
    issuing = offer("issuing", IssueCoupon(coupon="off"), conditions=(Spend(minimum_minor=20_00),))
    rules = programme(
        issuing,
        offer("off", PercentOff(basis_points_off=1_000), claimed=True),
        tax_classes=SHARES.tax_classes,
        coupons=(Coupon(id="off", version=1, names=names("off"), offer="off", valid_days=9),),
        cash_rounding=CashRounding(),
    )
    of = sold(rules)
    code = CouponIssued(
        coupon_id=CouponId("code"),
        offer_id="off",
        valid_from="2026-11-23",
        valid_until="2026-12-01",
    )
    of = replace(of, sale=msgspec.structs.replace(of.sale, coupons_issued=(code,)))
    first, one = one_back(of, rules)
    _, two = one_back(first, rules)
    two = msgspec.structs.replace(two, coupons_voided=(CouponId("code"),))
    assert verdict(one, of, rules) == []
    assert verdict(two, first, rules) == []
    kept = msgspec.structs.replace(two, coupons_voided=())
    assert measured(verdict(kept, first, rules)) == [(Measured.COUPONS, 1)]
    too_soon = msgspec.structs.replace(one, coupons_voided=(CouponId("code"),))
    assert measured(verdict(too_soon, of, rules)) == [(Measured.COUPONS, -1)]
