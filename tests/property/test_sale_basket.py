"""A fact of a sale is enough to price the sale again and come to the same."""

import contextlib
from dataclasses import replace
from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import DomainError
from shared.ids import LotId, MemberId
from shared.loyalty.conditions import Paying
from shared.loyalty.effects import (
    AmountOff,
    FixedPrice,
    FurtherUnits,
    Gift,
    IssueCoupon,
    RoundDown,
)
from shared.loyalty.lots import Lot
from shared.loyalty.offers import Coupon
from shared.loyalty.programme import Redemption, Treatment
from shared.pricing.basket import MemberContext, PlannedTender, RewardClaim
from shared.pricing.engine import price
from shared.pricing.redemption import offered, redeem, reduce
from shared.pricing.sale_basket import judge
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
    forged = msgspec.structs.replace(sale, lines=changed, total=sale.total + 1)
    catalogue = {line.goods.sku: line.goods for line in shopping.lines}
    (difference,) = judge(forged, shopping.at, rules, catalogue)
    assert (difference.measured, difference.amount) == ("total", 1)


MUG = goods("MUG", 9_00, "standard")
BESIDE_THE_PRICE = (
    offer("gift", Gift(choices=("MUG", "CUP"))),
    offer("further", FurtherUnits(per_units=2), only("A")),
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
