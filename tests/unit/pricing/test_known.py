"""What a sale's fact says of what its price saw: what the programme asks for, and no more."""

from dataclasses import replace

import msgspec
import pytest

from shared.ids import MemberId
from shared.loyalty.conditions import (
    AnyOf,
    Around,
    Birthday,
    Dates,
    FirstSale,
    Not,
    NthVisit,
    Segments,
)
from shared.loyalty.effects import AmountOff
from shared.loyalty.offers import Limits
from shared.loyalty.programme import (
    Basis,
    Earning,
    EarningRule,
    Multiplier,
    PriceList,
    Redemption,
)
from shared.pricing.basket import MemberContext, OfferUse, RewardClaim
from shared.pricing.engine import price
from shared.pricing.known import is_told, known_before, member_of, uses_before
from shared.pricing.redemption import redeem
from shared.pricing.sale_basket import Unjudged, judge
from shared.trade.fact import BundleRef, KnownBefore, OfferUsed
from tests.pricing_builders import NOON, basket, goods, line, names, offer, only, programme
from tests.property.test_sale_basket import LOT
from tests.support.priced_facts import sale_of

TEA, CAKE = goods("TEA", 12_50), goods("CAKE", 8_00)
REF = BundleRef(version=1, sha256="0" * 64)
LI = MemberContext(
    tier="member",
    birthday=(Around.WEEK, Around.MONTH),
    segments=("young", "vegan"),
    sales=7,
    visits=4,
    was_here_today=True,
)
SHOPPING = replace(basket(line(TEA)), member=LI)


def asking(*conditions, **more):
    return programme(offer("asking", AmountOff(off_minor=1), conditions=conditions, **more))


def earning(**more):
    return programme(earning=Earning(**more))


def rule(**more):
    return EarningRule(id="r", names=names("r"), points=1, per_minor=100, **more)


def test_a_programme_that_asks_for_nothing_makes_no_fact_longer():
    plain = programme(offer("plain", AmountOff(off_minor=1)))
    assert known_before(SHOPPING, plain) is None
    assert b"known" not in msgspec.json.encode(sale_of(SHOPPING, plain, REF, member=MemberId("m")))


BIRTHDAY_TWICE = Multiplier(
    id="b",
    names=names("b"),
    basis_points=20_000,
    conditions=(Birthday(within=Around.WEEK),),
)
YOUNG_PRICES = PriceList(
    id="p", names=names("p"), prices={"TEA": 1}, conditions=(Segments(segments=("young",)),)
)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (asking(FirstSale()), KnownBefore(sales=7)),
        (asking(NthVisit(every=5)), KnownBefore(visits=4, was_here_today=True)),
        (asking(Birthday(within=Around.MONTH)), KnownBefore(birthday=("month",))),
        (asking(Birthday(within=Around.DAY)), KnownBefore()),
        (asking(Segments(segments=("vegan", "golf"))), KnownBefore(segments=("vegan",))),
        (asking(Not(of=(AnyOf(of=(FirstSale(),)),))), KnownBefore(sales=7)),
        (earning(growth=(rule(conditions=(FirstSale(),)),)), KnownBefore(sales=7)),
        (earning(rules=(rule(basis=Basis.VISIT),)), KnownBefore(was_here_today=True)),
        (earning(multipliers=(BIRTHDAY_TWICE,)), KnownBefore(birthday=("week",))),
        (programme(price_lists=(YOUNG_PRICES,)), KnownBefore(segments=("young",))),
    ],
)
def test_exactly_what_is_asked_for_is_told(rules, expected):
    assert known_before(SHOPPING, rules) == expected
    assert known_before(replace(SHOPPING, member=None), rules) is None


def test_uses_are_told_of_limited_offers_that_were_looked_at_and_as_their_limits_count():
    rules = programme(
        offer("mine", AmountOff(off_minor=1), only("TEA"), limits=Limits(per_member=9)),
        offer("today", AmountOff(off_minor=1), only("TEA"), limits=Limits(per_member_and_day=9)),
        offer("shop", AmountOff(off_minor=1), only("TEA"), limits=Limits(per_store=9)),
        offer("all", AmountOff(off_minor=1), only("TEA"), limits=Limits(in_total=9)),
        offer("free", AmountOff(off_minor=1), only("TEA")),
        offer("fresh", AmountOff(off_minor=1), only("TEA"), limits=Limits(in_total=9)),
        offer("cakes", AmountOff(off_minor=1), only("CAKE"), limits=Limits(in_total=9)),
        offer("code", AmountOff(off_minor=1), claimed=True, limits=Limits(in_total=9)),
    )
    counted = {"by_member": 1, "by_member_today": 2, "in_store": 3, "in_total": 4}
    used = tuple(OfferUse(offer=one.id, **counted) for one in rules.offers if one.id != "fresh")
    shopping = replace(SHOPPING, uses=used)
    assert known_before(shopping, rules).uses == (
        OfferUsed(offer_id="mine", by_member=1),
        OfferUsed(offer_id="today", by_member_today=2),
        OfferUsed(offer_id="shop", in_store=3),
        OfferUsed(offer_id="all", in_total=4),
    )
    claimed = replace(shopping, claims=basket(coupons=("code",)).claims)
    assert OfferUsed(offer_id="code", in_total=4) in known_before(claimed, rules).uses


def test_without_a_member_only_what_counts_for_everybody_is_asked():
    alone = replace(SHOPPING, member=None)
    assert known_before(alone, asking(limits=Limits(per_member=1))) is None
    assert known_before(alone, asking(limits=Limits(per_store=1))) == KnownBefore()


def test_a_fact_is_read_back_to_what_the_price_saw():
    rules = asking(
        FirstSale(),
        NthVisit(),
        Birthday(within=Around.WEEK),
        Segments(segments=("young",)),
        limits=Limits(in_total=3),
    )
    shopping = replace(SHOPPING, uses=(OfferUse(offer="asking", in_total=2),))
    sale = sale_of(shopping, rules, REF, member=MemberId("m"))
    seen = member_of(sale)
    assert (seen.sales, seen.visits, seen.was_here_today) == (7, 4, True)
    assert (seen.birthday, seen.segments) == ((Around.WEEK,), ("young",))
    assert uses_before(sale) == (OfferUse(offer="asking", in_total=2),)
    assert is_told(sale, rules)
    older = msgspec.structs.replace(sale, known=None)
    assert not is_told(older, rules)
    assert is_told(msgspec.structs.replace(older, member=None), asking(FirstSale()))


def test_no_price_asks_for_a_date():
    assert known_before(SHOPPING, asking(Dates(first=NOON.date(), last=NOON.date()))) is None


def test_a_reward_whose_points_were_not_taken_is_found_beside_points_that_paid():
    rules = programme(
        offer("reward", AmountOff(off_minor=2_00), costs_points=40),
        redemption=Redemption(points_per_block=1, value_per_block_minor=1),
    )
    shopping = replace(
        basket(line(TEA)),
        member=MemberContext(tier="member", points=500),
        rewards=(RewardClaim("reward"),),
    )
    payment = redeem(shopping, price(shopping, rules), 100, rules, [LOT])
    honest = sale_of(shopping, rules, REF, member=MemberId("m"), payment=payment)
    catalogue = {TEA.sku: TEA}
    assert judge(honest, NOON, rules, catalogue) == []
    outcome = honest.member
    spent = msgspec.structs.replace(outcome.points, spent=outcome.points.spent - 40)
    member = msgspec.structs.replace(outcome, points=spent)
    forged = msgspec.structs.replace(honest, member=member)
    assert [one.measured for one in judge(forged, NOON, rules, catalogue)][:1] == ["total"]


def test_a_release_that_told_nothing_is_not_judged():
    rules = asking(FirstSale())
    sale = msgspec.structs.replace(sale_of(SHOPPING, rules, REF, member=MemberId("m")), known=None)
    assert judge(sale, NOON, rules, {TEA.sku: TEA}) is Unjudged.NOT_TOLD
