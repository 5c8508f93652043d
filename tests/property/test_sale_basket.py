"""A fact of a sale is enough to price the sale again and come to the same."""

import contextlib
from dataclasses import replace
from datetime import date

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.ids import EntryId, LotId, MemberId
from shared.ledger.booking_ticket import post_sale
from shared.loyalty.conditions import (
    AnyOf,
    Around,
    Birthday,
    FirstSale,
    Not,
    NthVisit,
    Paying,
    Segments,
)
from shared.loyalty.effects import (
    AmountOff,
    FixedPrice,
    FurtherUnits,
    Gift,
    IssueCoupon,
    RoundDown,
)
from shared.loyalty.lots import Lot
from shared.loyalty.offers import Coupon, Limits
from shared.loyalty.programme import (
    Basis,
    Earning,
    EarningRule,
    Multiplier,
    PriceList,
    Redemption,
    Treatment,
)
from shared.pricing.basket import (
    HandDiscount,
    MemberContext,
    OfferUse,
    PlannedTender,
    RewardClaim,
)
from shared.pricing.engine import price
from shared.pricing.redemption import offered, redeem, reduce
from shared.pricing.sale_basket import Unjudged, judge
from shared.returning.lines import SoldBy
from shared.trade.fact import BundleRef
from tests.pricing_builders import basket, earning, goods, names, offer, only, programme
from tests.property.test_pricing_properties import CLASSES, GROUPS, lines, offers
from tests.support.priced_facts import sale_of

REF = BundleRef(version=1, sha256="0" * 64)
LOT = Lot(lot=LotId("l"), points=5_000, earned_on=date(2026, 1, 1))


def sold(bought, chosen, points):
    rules = programme(*chosen, groups=GROUPS, tax_classes=CLASSES, earning=earning(points=3))
    claims = tuple(one.id for one in chosen if one.claimed)
    # A typed discount that takes nothing off leaves no trace in the fact.
    told = [
        one if one.hand_discount(one.shelf_minor) else replace(one, discount=None) for one in bought
    ]
    numbered = [replace(line, id=str(number)) for number, line in enumerate(told, start=1)]
    shopping = basket(*numbered, coupons=claims)
    quote, payment = price(shopping, rules), None
    most = offered(shopping, quote, rules, [LOT])
    if points and most.points:
        payment = redeem(shopping, quote, most.points, rules, [LOT])
    sale = sale_of(shopping, rules, REF, member=MemberId("m"), payment=payment)
    return sale, shopping, rules


@settings(max_examples=150)
@given(lines(), offers(), st.booleans())
def test_a_sale_priced_again_from_its_fact_agrees(bought, chosen, points):
    sale, shopping, rules = sold(bought, chosen, points)
    catalogue = {line.goods.sku: line.goods for line in shopping.lines}
    assert judge(sale, shopping.at, rules, catalogue) == []


@settings(max_examples=60)
@given(lines(), offers(most=2), st.data())
def test_a_cent_more_is_found_on_any_line(bought, chosen, data):
    sale, shopping, rules = sold(bought, chosen, False)
    if not sale.lines:
        return
    number = data.draw(st.integers(0, len(sale.lines) - 1))
    dear = msgspec.structs.replace(sale.lines[number], amount=sale.lines[number].amount + 1)
    changed = (*sale.lines[:number], dear, *sale.lines[number + 1 :])
    cash = msgspec.structs.replace(sale.tenders[0], amount=sale.tenders[0].amount + 1)
    forged = msgspec.structs.replace(sale, lines=changed, total=sale.total + 1, tenders=(cash,))
    catalogue = {line.goods.sku: line.goods for line in shopping.lines}
    (difference,) = judge(forged, shopping.at, rules, catalogue)
    assert (difference.measured, difference.amount) == ("total", 1)


MUG = goods("MUG", 9_00, "standard")
BESIDE_THE_PRICE = (
    offer("gift", Gift(choices=("MUG", "CUP"))),
    offer("further", FurtherUnits(per_units=2), only("A")),
    offer("any", FurtherUnits(per_units=3, together=True), only("A", "B")),
    offer("issuing", IssueCoupon(coupon="later", per_minor=5_00)),
    offer("later", AmountOff(off_minor=1), claimed=True),
    offer("reward", AmountOff(off_minor=2_00), costs_points=40),
    offer("mug", Gift(choices=("MUG",)), costs_points=30),
    offer("add-on", FixedPrice(price_minor=1), only("B"), claimed=True, by_hand=True),
    offer("card", AmountOff(off_minor=7), conditions=(Paying(tenders=("cash",)),)),
    offer("net", AmountOff(off_minor=1_11), net=True),
    offer("round", RoundDown(step_minor=10), rank=9),
)


@settings(max_examples=100)
@given(lines(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 90))
def test_what_is_given_claimed_and_lowered_agrees_as_well(bought, gift, reward, mug, points):
    told = [
        one if one.hand_discount(one.shelf_minor) else replace(one, discount=None) for one in bought
    ]
    if not told:
        return
    rules = programme(
        *BESIDE_THE_PRICE,
        tax_classes=CLASSES,
        earning=earning(points=3),
        coupons=(Coupon(id="later", version=1, names=names("later"), offer="later", valid_days=9),),
        redemption=Redemption(
            points_per_block=1,
            value_per_block_minor=3,
            treatment=Treatment.PRICE_REDUCTION,
        ),
    )
    claims = [RewardClaim("add-on")]
    claims += [RewardClaim("reward")] if reward else []
    claims += [RewardClaim("mug")] if mug else []
    numbered = [replace(line, id=str(number)) for number, line in enumerate(told, start=1)]
    shopping = replace(
        basket(*numbered),
        member=MemberContext(tier="member", points=500),
        rewards=tuple(claims),
        gifts=(("gift", "MUG"),) if gift else (),
        paying=(PlannedTender(tender="cash"),),
    )
    if points:
        with contextlib.suppress(DomainError):
            quote = price(shopping, rules)
            shopping = replace(shopping, points_off=reduce(shopping, quote, points, rules, [LOT]))
    articles = {line.goods.sku: line.goods for line in shopping.lines} | {"MUG": MUG}
    sale = sale_of(shopping, rules, REF, member=MemberId("m"), articles=articles)
    if sale.total <= 0:
        return
    assert judge(sale, shopping.at, rules, articles) == []
    given = [line for line in sale.lines if line.given_by]
    if given:
        more = msgspec.structs.replace(given[0], quantity=given[0].quantity + 1)
        changed = tuple(more if line is given[0] else line for line in sale.lines)
        forged = msgspec.structs.replace(sale, lines=changed)
        assert judge(forged, shopping.at, rules, articles) != []


CONDITIONS = st.sampled_from(
    [
        FirstSale(),
        NthVisit(minimum=2, every=2),
        NthVisit(minimum=4),
        *(Birthday(within=within) for within in Around),
        Segments(segments=("young", "vegan")),
        Not(of=(FirstSale(), Segments(segments=("golf",)))),
        AnyOf(of=(Birthday(within=Around.DAY), NthVisit(every=3))),
    ]
)
LIMITS = st.builds(
    Limits,
    per_member=st.integers(0, 2),
    per_member_and_day=st.integers(0, 2),
    per_store=st.integers(0, 3),
    in_total=st.integers(0, 3),
)
COUNTS = st.integers(0, 3)
KNOWN = st.builds(
    MemberContext,
    tier=st.just("member"),
    birthday=st.sets(st.sampled_from(list(Around))).map(lambda found: tuple(sorted(found))),
    segments=st.sets(st.sampled_from(["young", "vegan", "golf", "idle"])).map(tuple),
    sales=st.integers(0, 3),
    visits=st.integers(0, 6),
    was_here_today=st.booleans(),
    points=st.just(90),
)


@st.composite
def asking_rules(draw):
    """Drawn offers, each under drawn conditions and limits; prices, points and growth that ask."""
    chosen = [
        msgspec.structs.replace(
            one,
            conditions=(*one.conditions, *draw(st.lists(CONDITIONS, max_size=2))),
            limits=draw(LIMITS) if draw(st.booleans()) else Limits(),
            costs_points=0 if one.claimed else draw(st.sampled_from([0, 0, 40])),
        )
        for one in draw(offers(most=4))
    ]

    def some() -> tuple:
        return tuple(draw(st.lists(CONDITIONS, max_size=1)))

    rules = (
        EarningRule(id="s", names=names("s"), points=2, per_minor=100, conditions=some()),
        EarningRule(id="v", names=names("v"), points=7, basis=Basis.VISIT, conditions=some()),
    )
    twice = Multiplier(id="m", names=names("m"), basis_points=20_000, conditions=some())
    prices = PriceList(id="p", names=names("p"), prices={"A": 7_77}, conditions=some())
    return programme(
        *chosen,
        groups=GROUPS,
        tax_classes=CLASSES,
        earning=Earning(rules=rules, multipliers=(twice,), growth=rules[:1]),
        price_lists=(prices,) if draw(st.booleans()) else (),
    )


@settings(max_examples=200, deadline=None)
@given(lines(), asking_rules(), st.one_of(st.none(), KNOWN), st.data())
def test_what_the_price_saw_of_members_and_uses_agrees_as_well(bought, rules, who, data):
    told = [
        one if one.hand_discount(one.shelf_minor) else replace(one, discount=None) for one in bought
    ]
    numbered = [replace(line, id=str(number)) for number, line in enumerate(told, start=1)]
    used = [
        OfferUse(
            offer=one.id,
            by_member=data.draw(COUNTS) if who else 0,
            by_member_today=data.draw(COUNTS) if who else 0,
            in_store=data.draw(COUNTS),
            in_total=data.draw(COUNTS),
        )
        for one in rules.offers
    ]
    claimed = tuple(one.id for one in rules.offers if one.claimed)
    rewards = tuple(RewardClaim(one.id) for one in rules.offers if one.costs_points)
    shopping = replace(
        basket(*numbered, coupons=claimed), member=who, uses=tuple(used), rewards=rewards
    )
    sale = sale_of(shopping, rules, REF, member=MemberId("m") if who else None)
    catalogue = {line.goods.sku: line.goods for line in shopping.lines}
    assert judge(sale, shopping.at, rules, catalogue) == []
    # Returns that price again what is kept find the basket line by line.
    assert SoldBy(rules, shopping.at, catalogue).basket_again(sale) is not None
    # The fact says no more than is needed: without it, the same or no verdict.
    untold = judge(msgspec.structs.replace(sale, known=None), shopping.at, rules, catalogue)
    assert untold == ([] if sale.known is None else Unjudged.NOT_TOLD)


@settings(max_examples=60, deadline=None)
@given(lines(), asking_rules(), KNOWN, KNOWN)
def test_another_claim_is_found_exactly_where_it_makes_another_price(bought, rules, who, claimed):
    assume(not rules.price_lists)  # a fact has the list price that held, not the one before it
    told = [
        one if one.hand_discount(one.shelf_minor) else replace(one, discount=None) for one in bought
    ]
    numbered = [replace(line, id=str(number)) for number, line in enumerate(told, start=1)]
    sales = [
        sale_of(replace(basket(*numbered), member=one), rules, REF, member=MemberId("m"))
        for one in (who, claimed)
    ]
    catalogue = {line.goods.sku: line.goods for line in numbered}
    mixed = msgspec.structs.replace(sales[1], known=sales[0].known)
    found = judge(mixed, basket().at, rules, catalogue)
    totals = [one.total for one in sales]
    points = [one.member.points.earned for one in sales]
    measured = {one.measured: one.amount for one in found}
    assert measured.get("total", 0) == totals[1] - totals[0]
    assert measured.get("points", 0) == points[1] - points[0]


HANDS = st.builds(
    HandDiscount,
    basis_points=st.sampled_from([0, 1, 1_234, 10_000]),
    amount_minor=st.sampled_from([0, 0, 333, 50_000]),
)


@settings(max_examples=150)
@given(lines(), lines(most=3), offers(), HANDS)
def test_a_discount_on_the_whole_and_what_comes_in_agree_as_well(bought, coming, chosen, hand):
    rules = programme(*chosen, groups=GROUPS, tax_classes=CLASSES, earning=earning(points=3))
    sold = [
        one if one.hand_discount(one.shelf_minor) else replace(one, discount=None) for one in bought
    ]
    handed = [replace(one, discount=None, comes_in=True) for one in coming]
    together = [replace(one, id=str(n)) for n, one in enumerate((*sold, *handed), start=1)]
    claims = tuple(one.id for one in chosen if one.claimed)
    shopping = replace(basket(*together, coupons=claims), discount=hand)
    catalogue = {line.goods.sku: line.goods for line in together}
    sale = sale_of(shopping, rules, REF, member=MemberId("m"))
    assert judge(sale, shopping.at, rules, catalogue) == []
    assert sum(posting.amount for posting in post_sale(EntryId("sale"), sale)) == 0
    if sale.discount.taken:
        forged = msgspec.structs.replace(sale, discount=None)
        assert judge(forged, shopping.at, rules, catalogue) != []
