"""The fact of a sale as a till writes it, from a basket and its price."""

from collections.abc import Iterator, Mapping
from itertools import count

import msgspec

from shared.catalogue.goods import Goods
from shared.ids import CouponId, MemberId, OperatorId, ShiftId, StoreId, TillId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.engine import price
from shared.pricing.quote import Quote
from shared.pricing.redemption import PointsPayment
from shared.pricing.sale_fact import Buyer, SaleTicket, member_outcome, sale_fact
from shared.trade.fact import BundleRef, CouponIssued, Tender, TenderKind
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
        buyer = Buyer(
            member_id=member,
            tier=basket.member.tier,
            points=0,
            as_of="2026-03-01T09:00:00.000+00:00",
        )
        spent = (payment.points if payment else 0) + quote.reward_points
        outcome = member_outcome(buyer, programme, earning, spent=spent)
    ticket = SaleTicket(
        receipt_no=f"01-{next(_NUMBERS):06}",
        ticket_id="ticket",
        store_id=StoreId(basket.store),
        till_id=till or TillId("till"),
        shift_id=ShiftId("shift"),
        operator_id=OperatorId("operator"),
        programme=ref,
    )
    fact = sale_fact(
        ticket,
        (basket, quote, earning),
        programme,
        tenders=tuple(tenders),
        payment=payment,
        member=outcome,
        articles=articles or {},
    )
    return msgspec.structs.replace(fact, coupons_issued=tuple(_issued(quote, programme)))


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
