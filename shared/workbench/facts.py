"""The facts of the running basket, as a till would write them: returns follow from these alone."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from shared.ids import CouponId, OperatorId, ShiftId, StoreId, TillId
from shared.pricing import sale_fact as sale_facts
from shared.pricing.basket import Basket
from shared.pricing.cash import handed_over
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import PointsPayment
from shared.pricing.sale_fact import Buyer, SaleTicket, articles_given, member_outcome
from shared.returning.goods_back import ReturnTicket
from shared.returning.sold import ReturnableSale
from shared.trade.fact import (
    BundleRef,
    CardStamped,
    CouponIssued,
    MemberOutcome,
    ReferralPaid,
    Tender,
)
from shared.trade.ticket import SaleCompleted
from shared.workbench.shop import Shop

NOBODY: Final = OperatorId("workbench")
SHIFT: Final = ShiftId("workbench")
IN_FORCE: Final = BundleRef(version=0, sha256="")
"""Nobody has published the programme of a scenario."""


def sale_fact(
    shop: Shop,
    sale: str,
    priced: tuple[Basket, Quote, EarningQuote],
    payment: PointsPayment | None,
    tenders: tuple[Tender, ...],
) -> SaleCompleted:
    """The sale as it is paid, before it gives anything beside what its goods earn."""
    _basket, quote, earning = priced
    ticket = SaleTicket(
        receipt_no=sale,
        ticket_id=sale,
        store_id=StoreId(shop.store),
        till_id=TillId(shop.till),
        shift_id=SHIFT,
        operator_id=NOBODY,
        programme=IN_FORCE,
    )
    return sale_facts.sale_fact(
        ticket,
        priced,
        shop.programme,
        tenders=tenders,
        # What goods that come back on the same ticket are worth pays as well.
        rounding=-handed_over(tenders).due(max(0, quote.total_minor - shop.credit)),
        payment=payment,
        member=_member(shop, earning, tenders),
        articles=articles_given(quote, shop.goods, shop.programme),
    )


def _member(shop: Shop, earning: EarningQuote, tenders: Sequence[Tender]) -> MemberOutcome | None:
    account = shop.account
    if account is None:
        return None
    buyer = Buyer(
        member_id=account.person.id,
        tier=account.standing(shop.programme, shop.at).tier,
        points=account.points,
        as_of=shop.at.isoformat(),
    )
    spent = sum(one.points for one in tenders)
    return member_outcome(buyer, shop.programme, earning, spent=spent)


def with_benefits(
    fact: SaleCompleted,
    issued: Iterable[CouponIssued],
    cards: tuple[CardStamped, ...],
    referral: ReferralPaid | None,
) -> SaleCompleted:
    """The sale with coupons, stamps, and the points of full cards and of a friend."""
    beside = sum(card.points_total for card in cards) + (referral.for_friend if referral else 0)
    member = fact.member
    if member is not None:
        points = replace(
            member.points,
            earned=member.points.earned + beside,
            closing=member.points.closing + beside,
        )
        member = replace(member, points=points)
    return replace(
        fact, coupons_issued=tuple(issued), cards=cards, referral=referral, member=member
    )


def coupon_issued(shop: Shop, code: str) -> CouponIssued:
    """A code that the sale gives."""
    held, today = shop.coupons[code], shop.at.date()
    rule = next(one for one in shop.programme.coupons if one.id == held.coupon)
    return CouponIssued(
        coupon_id=CouponId(code),
        offer_id=rule.offer,
        valid_from=(held.from_day or today).isoformat(),
        valid_until=(held.last_day or today + timedelta(days=rule.valid_days - 1)).isoformat(),
    )


def return_ticket(shop: Shop, sold: ReturnableSale) -> ReturnTicket:
    """A ticket on which something comes back."""
    name = f"{sold.entry_id}-return-{len(sold.returns) + 1}"
    return ReturnTicket(
        receipt_no=name,
        ticket_id=name,
        store_id=StoreId(shop.store),
        till_id=TillId(shop.till),
        shift_id=SHIFT,
        operator_id=NOBODY,
        currency=shop.programme.currency,
        programme=IN_FORCE,
        original=sold,
        reason="",
    )
