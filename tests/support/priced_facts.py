"""The fact of a sale as a till writes it, from a basket and its price."""

from collections.abc import Iterator, Mapping
from itertools import count

from shared.catalogue.goods import Goods
from shared.ids import CouponId, MemberId, OperatorId, ShiftId, StoreId, TillId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.engine import price
from shared.pricing.known import known_before
from shared.pricing.quote import Quote
from shared.pricing.redemption import PointsPayment
from shared.pricing.sale_lines import (
    basket_discount,
    given_lines,
    offers_applied,
    rules_earned,
    sale_lines,
    tax_totals,
)
from shared.trade.fact import (
    BundleRef,
    CouponIssued,
    MemberOutcome,
    PointsOutcome,
    Tender,
    TenderKind,
)
from shared.trade.ticket import SaleCompleted

_NUMBERS = count(1)


def sale_of(
    basket: Basket,
    programme: Programme,
    ref: BundleRef,
    *,
    member: MemberId | None = None,
    payment: PointsPayment | None = None,
    till: TillId | None = None,
    articles: Mapping[str, Goods] | None = None,
) -> SaleCompleted:
    """A sale for cash, or in part for points; ``articles`` are those that offers give on top."""
    quote = price(basket, programme)
    earning = payment.earning if payment else quote.earning
    in_points = payment.value_minor if payment else 0
    tenders = [Tender(tender=TenderKind.CASH, amount=quote.total_minor - in_points)]
    if payment is not None:
        tenders.append(
            Tender(
                tender=TenderKind.POINTS,
                amount=in_points,
                points=payment.points,
                lots=payment.draws,
            )
        )
    outcome = None
    if member is not None and basket.member is not None:
        outcome = MemberOutcome(
            member_id=member,
            tier=basket.member.tier,
            tier_after=basket.member.tier,
            growth=earning.growth_total,
            spend=earning.spend_minor,
            points=PointsOutcome(
                decimals=programme.points.decimals,
                opening=0,
                earned=earning.points_total,
                spent=(payment.points if payment else 0) + quote.reward_points,
                closing=earning.points_total,
                as_of="2026-03-01T09:00:00.000+00:00",
                by_rule=rules_earned(earning, programme),
            ),
        )
    return SaleCompleted(
        receipt_no=f"01-{next(_NUMBERS):06}",
        ticket_id="ticket",
        store_id=StoreId(basket.store),
        till_id=till or TillId("till"),
        shift_id=ShiftId("shift"),
        operator_id=OperatorId("operator"),
        currency=quote.currency,
        programme=ref,
        engine=quote.engine,
        lines=(*sale_lines(basket, quote, payment=payment), *given_lines(quote, articles or {})),
        offers=offers_applied(quote, programme, articles),
        discount=basket_discount(basket, quote),
        taxes=tax_totals(quote, programme),
        total=quote.total_minor,
        tenders=tuple(tenders),
        member=outcome,
        coupons_issued=tuple(_issued(quote, programme)),
        known=known_before(basket, programme),
    )


def _issued(quote: Quote, programme: Programme) -> Iterator[CouponIssued]:
    claimed = {coupon.id: coupon.offer for coupon in programme.coupons}
    for one in quote.issued:
        for number in range(one.units):
            yield CouponIssued(
                coupon_id=CouponId(f"{one.coupon}-{number}"),
                offer_id=claimed[one.coupon],
                valid_from="2026-03-01",
                valid_until="2026-03-31",
            )
