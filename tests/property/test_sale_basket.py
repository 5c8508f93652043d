"""A fact of a sale is enough to price the sale again and come to the same."""

from dataclasses import replace
from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.ids import LotId, MemberId
from shared.loyalty.lots import Lot
from shared.pricing.engine import price
from shared.pricing.redemption import offered, redeem
from shared.pricing.sale_basket import judge
from shared.trade.fact import BundleRef
from tests.pricing_builders import basket, earning, programme
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
