"""A sale that never was, for looking at a shop's receipts: it has all that they can show."""

from dataclasses import replace
from datetime import date, timedelta

from shared.ids import CouponId, OperatorId, ShiftId, StoreId, TillId
from shared.language import Language, words
from shared.receipt.document import Document
from shared.receipt.issue import Issue, Lapsing, MemberFace, NextTier, Vocabulary
from shared.receipt.ticket import sale_receipt
from shared.trade.fact import (
    BundleRef,
    CardStamped,
    CouponIssued,
    LineDiscount,
    MemberOutcome,
    OfferApplied,
    PointsOutcome,
    TaxTotal,
    Tender,
    TenderKind,
)
from shared.trade.ticket import SaleCompleted, SaleLine

NUMBER = "95000000000000000000"
CODE = "000000000000"
_COUPON = CouponId("sample")
_RATE_PPM = 130_000


def sample_receipt(issue: Issue, currency: str) -> Document:
    """The receipt of two goods, an offer, cash, a member with points and a coupon; a training, so
    that nobody takes the paper for a sale."""
    day = issue.occurred_at.date()
    soon = (day + timedelta(days=30)).isoformat()
    names = Vocabulary(
        tiers={"next": _named("tier"), "now": _named("member")},
        offers={"offer": _named("offer"), "coupon": _named("coupon")},
    )
    member = MemberFace(
        name=words(Language.CHINESE)("paper.sample.name"),
        card="0000",
        lapsing=(Lapsing(points=20, on=soon),),
        next_tier=NextTier(names=_named("tier"), missing=100_00, until=soon),
    )
    sample = replace(issue, barcode=NUMBER, code=CODE, names=names, member=member)
    return sale_receipt(_sale(issue, currency, day), sample)


def _sale(issue: Issue, currency: str, day: date) -> SaleCompleted:
    tax = 1700 * _RATE_PPM // (1_000_000 + _RATE_PPM)
    return SaleCompleted(
        receipt_no=NUMBER,
        ticket_id="sample",
        store_id=StoreId("sample"),
        till_id=TillId("sample"),
        shift_id=ShiftId("sample"),
        operator_id=OperatorId("sample"),
        currency=currency,
        programme=BundleRef(version=0, sha256="0" * 64),
        engine="sample",
        training=True,
        lines=(_line(1, "water", 2, 400), _line(2, "apples", 1, 1200)),
        offers=(OfferApplied(offer_id="offer", version=1, names=_named("offer"), amount=300),),
        taxes=(
            TaxTotal(
                tax_class="sample", component="tax", rate_ppm=_RATE_PPM, net=1700 - tax, tax=tax
            ),
        ),
        total=1700,
        tenders=(Tender(tender=TenderKind.CASH, amount=1700, given=2000, change=300),),
        member=MemberOutcome(
            member_id="sample",
            tier="now",
            tier_after="now",
            growth=17,
            spend=1700,
            points=PointsOutcome(
                opening=200,
                earned=17,
                spent=0,
                closing=217,
                as_of=issue.occurred_at.isoformat(),
            ),
        ),
        cards=(CardStamped(card="sample", names=_named("card"), size=10, before=2, added=2),),
        coupons_issued=(
            CouponIssued(
                coupon_id=_COUPON,
                offer_id="coupon",
                valid_from=day.isoformat(),
                valid_until=(day + timedelta(days=60)).isoformat(),
            ),
        ),
    )


def _line(number: int, name: str, quantity: int, price: int) -> SaleLine:
    gross = quantity * price
    taken = 300 if name == "water" else 0
    return SaleLine(
        line=number,
        goods_id=name,
        names=_named(name),
        quantity=quantity,
        list_price=price,
        unit_price=price,
        gross=gross,
        discounts=(LineDiscount(offer_id="offer", amount=taken, units=1),) if taken else (),
        amount=gross - taken,
        tax_class="sample",
    )


def _named(key: str) -> dict[str, str]:
    return {one.value: words(one)(f"paper.sample.{key}") for one in Language}
