"""A day's facts with everything a receipt can show; the figures are worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from shared.ids import CouponId, EntryId, LotId, MemberId, OperatorId, ShiftId, StoreId, TillId
from shared.money import Currency
from shared.receipt.coupon import coupon_slip
from shared.receipt.document import Document
from shared.receipt.issue import Exchanged, Issue, Lapsing, MemberFace, NextTier, Shop, Vocabulary
from shared.receipt.sample import sample_receipt
from shared.receipt.shift import x_report
from shared.receipt.ticket import sale_receipt
from shared.receipt.trial import trial_page
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import (
    BundleRef,
    CashCount,
    CouponIssued,
    LineDiscount,
    LineTax,
    LotDraw,
    Measure,
    MemberOutcome,
    OfferApplied,
    PointsOutcome,
    PriceSource,
    RuleEarned,
    TaxTotal,
    Tender,
    TenderKind,
)
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned
from shared.trade.till import (
    BasketHeld,
    BasketLineNote,
    CashDirection,
    CashMoved,
    DayClosed,
    MemberEnrolled,
    ShiftClosed,
    TenderTotal,
)

SHOP = Shop(
    names={"zh": "常青便利", "en": "Evergreen Store"},
    address={"zh": "上海市静安区南京西路1266号", "en": "1266 Nanjing Rd W, Shanghai"},
    phone="021-6288 1266",
    tax_number="91310106MA1FY0000X",
    conditions={
        "zh": "七日内凭小票退换，食品开封后恕不退换",
        "en": "Return within 7 days with this receipt; opened food excluded",
    },
    greeting={"zh": "谢谢惠顾，欢迎再来", "en": "Thank you, see you soon"},
    web="https://shop.example",
    invoice="https://invoice.example/?n={number}&c={code}&t={total}",
    zone=timezone(timedelta(hours=8)),
)
TIERS = {
    "member": {"zh": "普通会员", "en": "Member"},
    "silver": {"zh": "银卡", "en": "Silver"},
    "gold": {"zh": "金卡", "en": "Gold"},
}
COUPON = CouponId("c-1")
NAMES = Vocabulary(
    tiers=TIERS,
    offers={"autumn": {"zh": "满50减10券", "en": "10 off 50"}},
    goods={"W550": {"zh": "农夫山泉550ml", "en": "Nongfu Spring 550 ml"}},
    coupon_codes={COUPON: "250012345678901"},
)
MEMBER = MemberFace(
    name="王小明",
    card="8600123456781234",
    lapsing=(Lapsing(points=120, on="2026-12-31"),),
    next_tier=NextTier(names=TIERS["gold"], missing=124000, until="2027-06-30"),
)
STORE, TILL, SHIFT = StoreId("s1"), TillId("t1"), ShiftId("h1")
OPERATOR = OperatorId("o1")
BUNDLE = BundleRef(version=1, sha256="00" * 32)


def issue(language: PaperLanguage = PaperLanguage.CHINESE, **changes: object) -> Issue:
    """An original, printed at 14:05 in Shanghai."""
    fields: dict[str, object] = {
        "shop": SHOP,
        "paper_language": language,
        "till_label": "01",
        "operator_label": "张丽",
        "occurred_at": datetime(2026, 11, 22, 6, 5, tzinfo=UTC),
        "entry_hash": "3fa9c1" + "0" * 58,
        "barcode": "990001000123",
        "code": "069764043391",
        "names": NAMES,
        "member": MEMBER,
        **changes,
    }
    return Issue(**fields)  # type: ignore[arg-type]  # tests name the fields they change


def line(number: int, **changes: object) -> SaleLine:
    """A line of a sale."""
    fields: dict[str, object] = {
        "line": number,
        "goods_id": f"G{number}",
        "names": {"zh": f"商品{number}", "en": f"Goods {number}"},
        "quantity": 1,
        "list_price": 1000,
        "unit_price": 1000,
        "gross": 1000,
        "amount": 1000,
        "tax_class": "standard",
        **changes,
    }
    return SaleLine(**fields)  # type: ignore[arg-type]  # tests name the fields they change


LINES = (
    line(
        1,
        goods_id="W550",
        names={"zh": "农夫山泉饮用天然水550ml", "en": "Nongfu Spring water 550 ml"},
        quantity=2,
        list_price=200,
        unit_price=200,
        gross=400,
        discounts=(LineDiscount(offer_id="second-half", amount=100, units=2),),
        amount=300,
        taxes=(LineTax(component="vat", tax=35),),
    ),
    line(
        2,
        names={"zh": "进口红富士苹果", "en": "Fuji apples, imported"},
        quantity=1256,
        measure=Measure.GRAM,
        list_price=1280,
        unit_price=1280,
        gross=1608,
        discounts=(LineDiscount(offer_id="ladder", amount=161),),
        amount=1447,
        tax_class="reduced",
        taxes=(LineTax(component="vat", tax=119),),
    ),
    line(
        3,
        names={
            "zh": "维达超韧三层抽取式面巾纸家庭装二十四包整箱",
            "en": "Vinda Ultra Strong facial tissue, three layers, box of 24 packs",
        },
        list_price=6990,
        unit_price=5990,
        price_source=PriceSource.MANUAL,
        gross=5990,
        discounts=(LineDiscount(offer_id="ladder", amount=839),),
        amount=5151,
        taxes=(LineTax(component="vat", tax=593),),
    ),
)

SALE = SaleCompleted(
    receipt_no="01-000123",
    ticket_id="k1",
    store_id=STORE,
    till_id=TILL,
    shift_id=SHIFT,
    operator_id=OPERATOR,
    currency="CNY",
    programme=BUNDLE,
    engine="1",
    lines=LINES,
    offers=(
        OfferApplied(
            offer_id="second-half",
            version=1,
            names={"zh": "第二件半价", "en": "Second at half price"},
            amount=100,
        ),
        OfferApplied(
            offer_id="ladder", version=1, names={"zh": "满50减10", "en": "10 off 50"}, amount=1000
        ),
    ),
    taxes=(
        TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=4823, tax=628),
        TaxTotal(tax_class="reduced", component="vat", rate_ppm=90_000, net=1328, tax=119),
    ),
    total=6898,
    rounding=-8,
    tenders=(
        Tender(
            tender=TenderKind.POINTS,
            amount=500,
            points=500,
            lots=(LotDraw(lot=LotId("l1"), points=500),),
        ),
        Tender(tender=TenderKind.CASH, amount=6390, given=10000, change=3610),
    ),
    member=MemberOutcome(
        member_id="m1",
        tier="member",
        tier_after="silver",
        growth=63,
        spend=6398,
        points=PointsOutcome(
            opening=1284,
            earned=95,
            spent=500,
            closing=879,
            as_of="2026-11-22T06:04:00Z",
            expires_on="2027-12-31",
            by_rule=(
                RuleEarned(rule="base", names={"zh": "消费积分", "en": "purchase"}, points=63),
                RuleEarned(rule="day", names={"zh": "会员日", "en": "member day"}, points=32),
            ),
        ),
    ),
    coupons_issued=(
        CouponIssued(
            coupon_id=COUPON, offer_id="autumn", valid_from="2026-11-23", valid_until="2026-12-31"
        ),
    ),
)

RETURN = SaleReturned(
    receipt_no="01-000124",
    ticket_id="k2",
    store_id=STORE,
    till_id=TILL,
    shift_id=SHIFT,
    operator_id=OPERATOR,
    currency="CNY",
    programme=BUNDLE,
    engine="1",
    original=EntryId("e1"),
    original_receipt_no="01-000123",
    lines=(
        ReturnLine(
            line=1, of_line=1, goods_id="W550", names=LINES[0].names, quantity=1, amount=150,
            tax_class="standard", points=2,
        ),
    ),
    taxes=(TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=133, tax=17),),
    total=150,
    refunds=(
        Tender(tender=TenderKind.POINTS, amount=11, points=11),
        Tender(tender=TenderKind.CASH, amount=139),
    ),
    member=MemberOutcome(
        member_id="m1", tier="silver", tier_after="member", growth=-2, spend=-150,
        points=PointsOutcome(
            opening=879, earned=-2, spent=-11, closing=888,
            as_of="2026-11-22T01:30:00Z", offline=True,
        ),
    ),
    reason="changed-mind",
)  # fmt: skip

HELD = BasketHeld(
    hold_id="b1",
    shift_id=SHIFT,
    till_id=TILL,
    operator_id=OPERATOR,
    currency="CNY",
    lines=(BasketLineNote(goods_id="W550", quantity=2, amount=400),),
    total=400,
)
ENROLMENT = MemberEnrolled(
    member_id=MemberId("m1"),
    store_id=STORE,
    till_id=TILL,
    operator_id=OPERATOR,
    terms_version="2026-01",
    tier="member",
)
DROP = CashMoved(
    shift_id=SHIFT, store_id=STORE, till_id=TILL, operator_id=OPERATOR, currency="CNY",
    direction=CashDirection.DROP, amount=200000, reason="午间缴款",
)  # fmt: skip
SHIFT_CLOSED = ShiftClosed(
    shift_id=SHIFT,
    store_id=STORE,
    till_id=TILL,
    operator_id=OPERATOR,
    currency="CNY",
    z_number=42,
    opened_by=EntryId("e0"),
    sales=128,
    returns=3,
    turnover=1284550,
    refunded=15400,
    rounding=-120,
    tenders=(
        TenderTotal(tender="cash", taken=500000, refunded=15400, count=60),
        TenderTotal(tender="wallet", taken=784430, refunded=0, count=68),
    ),
    float_amount=50000,
    paid_in=0,
    paid_out=3000,
    dropped=200000,
    expected_cash=331600,
    counted_cash=331500,
    counts=(
        CashCount(denomination=10000, pieces=33),
        CashCount(denomination=500, pieces=3),
    ),
    difference_reason="找零误差",
    unsent=4,
    held_open=1,
    grand_total=98765432,
)
DAY_CLOSED = DayClosed(
    store_id=STORE,
    till_id=TILL,
    operator_id=OPERATOR,
    currency="CNY",
    shifts=(SHIFT, ShiftId("h2")),
    sales=131,
    returns=3,
    turnover=1290000,
    refunded=15400,
    rounding=-130,
    counted_cash=341500,
    expected_cash=341600,
    grand_total=98765432,
    left_open=("held-baskets", "uncertain-prints", "of-a-later-release"),
    taxes=(
        TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=900000, tax=117000),
        TaxTotal(tax_class="reduced", component="vat", rate_ppm=90_000, net=235413, tax=21187),
    ),
)
X_SHIFT = msgspec.structs.replace(SHIFT_CLOSED, taxes=DAY_CLOSED.taxes)
"""A running shift has the figures of a closed one, before the count."""
ALL_FACTS = (SALE, RETURN, HELD, ENROLMENT, DROP, SHIFT_CLOSED, DAY_CLOSED)


def loose_papers(printing: Issue) -> list[Document]:
    """Papers without a fact of their own."""
    return [
        x_report(X_SHIFT, Currency("CNY"), printing),
        trial_page(printing),
        sample_receipt(printing, "CNY"),
        *(coupon_slip(coupon, printing) for coupon in SALE.coupons_issued),
        exchange(printing),
    ]


def exchange(printing: Issue) -> Document:
    """The paper of a sale for whose goods others came back."""
    returned = Exchanged(returned=RETURN, member=printing.member)
    return sale_receipt(SALE, replace(printing, exchange=returned))
