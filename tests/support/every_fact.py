"""One fact of every kind, telling a small day; the amounts fit together."""

import msgspec

from shared.ids import (
    CouponId,
    EntryId,
    JournalId,
    LotId,
    MemberId,
    OperatorId,
    ShiftId,
    StoreId,
    TillId,
)
from shared.trade import (
    benefit,
    fiscal,
    member,
    paper,
    partner,
    profile_change,
    server,
    ticket,
    till,
)
from shared.trade import fact as f
from shared.trade.consent import Consent

STORE = StoreId("store-1")
TILL = TillId("till-1")
SHIFT = ShiftId("shift-1")
OPERATOR = OperatorId("operator-1")
MEMBER = MemberId("member-1")
FRIEND = MemberId("member-2")
SALE_ID = EntryId("01900000-0000-7000-8000-0000000000aa")
BUNDLE = f.BundleRef(version=3, sha256="ab" * 32)
NAMES = {"zh_CN": "矿泉水", "en": "Water"}
APPROVAL = f.Approval(
    approval_id="approval-1", action="price", approver_id=OperatorId("manager-1"), amount=150
)


def sale() -> ticket.SaleCompleted:
    """Three for 12.50, 5.00 off, 2.50 paid with points, the rest by wallet and cash."""
    line = ticket.SaleLine(
        line=1,
        goods_id="A1",
        names=NAMES,
        barcode="6922255451427",
        quantity=3,
        list_price=1250,
        unit_price=1250,
        gross=3750,
        discounts=(f.LineDiscount(offer_id="ladder", amount=500),),
        amount=3250,
        tax_class="standard",
        taxes=(f.LineTax(component="vat", tax=374),),
        points=30,
        growth=30,
        spend=3000,
        points_paid=250,
        points_spent=250,
    )
    return ticket.SaleCompleted(
        receipt_no="95000010000000000011",
        ticket_id="ticket-1",
        store_id=STORE,
        till_id=TILL,
        shift_id=SHIFT,
        operator_id=OPERATOR,
        currency="CNY",
        programme=BUNDLE,
        engine="1",
        lines=(line,),
        offers=(
            f.OfferApplied(
                offer_id="ladder",
                version=1,
                names={"zh_CN": "满30减5", "en": "5 off 30"},
                amount=500,
                coupon_id=CouponId("coupon-1"),
            ),
        ),
        taxes=(
            f.TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=2876, tax=374),
        ),
        total=3250,
        rounding=-2,
        tenders=(
            f.Tender(
                tender=f.TenderKind.POINTS,
                amount=250,
                points=250,
                lots=(f.LotDraw(lot=LotId("lot-old"), points=250),),
                lease_id="lease-1",
            ),
            f.Tender(
                tender=f.TenderKind.WALLET, amount=1000, provider="wechat", attempt_id="attempt-1"
            ),
            f.Tender(tender=f.TenderKind.CASH, amount=1998, given=2000, change=2),
        ),
        member=f.MemberOutcome(
            member_id=MEMBER,
            tier="member",
            tier_after="silver",
            growth=30,
            spend=3000,
            points=f.PointsOutcome(
                opening=400,
                earned=30,
                spent=250,
                closing=180,
                as_of="2026-03-01T01:00:00.000+00:00",
                offline=True,
                expires_on="2027-12-31",
                by_rule=(
                    f.RuleEarned(rule="base", names={"zh_CN": "消费", "en": "Purchase"}, points=30),
                ),
            ),
        ),
        coupons_issued=(
            f.CouponIssued(
                coupon_id=CouponId("coupon-2"),
                offer_id="next-time",
                valid_from="2026-03-02",
                valid_until="2026-03-31",
            ),
        ),
        approvals=(APPROVAL,),
        fiscal=f.FiscalOutcome(failure="missing"),
    )


def returned() -> ticket.SaleReturned:
    """One of the three comes back."""
    line = ticket.ReturnLine(
        line=1,
        of_line=1,
        goods_id="A1",
        names=NAMES,
        quantity=1,
        amount=1083,
        tax_class="standard",
        taxes=(f.LineTax(component="vat", tax=125),),
        points=10,
        growth=10,
        spend=1000,
        points_paid=83,
        points_spent=83,
    )
    return ticket.SaleReturned(
        receipt_no="95000010000000000029",
        ticket_id="ticket-2",
        store_id=STORE,
        till_id=TILL,
        shift_id=SHIFT,
        operator_id=OPERATOR,
        currency="CNY",
        programme=BUNDLE,
        engine="1",
        original=SALE_ID,
        original_receipt_no="95000010000000000011",
        lines=(line,),
        total=1083,
        refunds=(
            f.Tender(
                tender=f.TenderKind.WALLET, amount=1000, provider="wechat", attempt_id="attempt-1"
            ),
            f.Tender(
                tender=f.TenderKind.POINTS,
                amount=83,
                points=83,
                lots=(f.LotDraw(lot=LotId("lot-old"), points=83),),
            ),
        ),
        points_taken=(
            f.LotDraw(lot=LotId(SALE_ID), points=8),
            f.LotDraw(lot=LotId("debt"), points=2),
        ),
        member=f.MemberOutcome(
            member_id=MEMBER,
            tier="silver",
            tier_after="member",
            growth=-10,
            spend=-1000,
            points=f.PointsOutcome(
                opening=180, adjusted=73, closing=253, as_of="2026-03-01T02:00:00.000+00:00"
            ),
        ),
        reason="damaged",
    )


def of_the_till() -> list[f.Fact]:
    """Everything a till can write, in the order of a day."""
    note = till.BasketLineNote(goods_id="A1", quantity=250, measure=f.Measure.GRAM, amount=99)
    who = {"shift_id": SHIFT, "till_id": TILL, "operator_id": OPERATOR}
    return [
        till.EpochClosedWithLoss(lost_epoch=0, last_seq=41, hash="cd" * 32, approvals=(APPROVAL,)),
        till.MemberEnrolled(
            member_id=MEMBER,
            store_id=STORE,
            till_id=TILL,
            operator_id=OPERATOR,
            terms_version="1",
            tier="member",
        ),
        till.ShiftOpened(
            **who,
            store_id=STORE,
            currency="CNY",
            float_amount=50_000,
            counts=(f.CashCount(denomination=10_000, pieces=5),),
        ),
        till.PaymentAttempted(
            **who,
            attempt_id="attempt-1",
            currency="CNY",
            provider="wechat",
            amount=1000,
            state=till.PaymentState.APPROVED,
            reference="4200",
        ),
        sale(),
        returned(),
        till.CashMoved(
            **who,
            store_id=STORE,
            currency="CNY",
            direction=till.CashDirection.PAID_IN,
            amount=700,
            reason="change",
        ),
        till.CashMoved(
            **who,
            store_id=STORE,
            currency="CNY",
            direction=till.CashDirection.PAID_OUT,
            amount=300,
            reason="stamps",
        ),
        till.CashMoved(
            **who,
            store_id=STORE,
            currency="CNY",
            direction=till.CashDirection.DROP,
            amount=20_000,
            reason="safe",
            approvals=(APPROVAL,),
        ),
        till.NoSale(**who, reason="change"),
        till.BasketHeld(
            **who, hold_id="hold-1", currency="CNY", lines=(note,), total=99, member_id=MEMBER
        ),
        till.BasketAbandoned(**who, hold_id="hold-1", currency="CNY", lines=(note,), total=99),
        till.LineVoided(**who, currency="CNY", line=note),
        till.PriceOverridden(
            **who,
            currency="CNY",
            goods_id="A1",
            list_price=1250,
            unit_price=1100,
            reason="price",
            approvals=(APPROVAL,),
        ),
        till.ReceiptReprinted(**who, of_entry=SALE_ID, receipt_no="95000010000000000011", copy=1),
        till.ShiftClosed(
            **who,
            store_id=STORE,
            currency="CNY",
            z_number=7,
            opened_by=EntryId("01900000-0000-7000-8000-0000000000bb"),
            sales=1,
            returns=1,
            turnover=3250,
            refunded=1083,
            rounding=-2,
            tenders=(till.TenderTotal(tender="cash", taken=1998, refunded=0, count=1),),
            float_amount=50_000,
            paid_in=700,
            paid_out=300,
            dropped=20_000,
            expected_cash=32_398,
            counted_cash=32_400,
            counts=(f.CashCount(denomination=100, pieces=324),),
            difference_reason="found two fen",
            unsent=12,
            grand_total=2167,
        ),
        till.DayClosed(
            store_id=STORE,
            till_id=TILL,
            operator_id=OPERATOR,
            currency="CNY",
            shifts=(SHIFT,),
            sales=1,
            returns=1,
            turnover=3250,
            refunded=1083,
            rounding=-2,
            counted_cash=32_400,
            expected_cash=32_398,
            grand_total=2167,
            left_open=("uncertain-prints",),
        ),
        till.EpochClosed(last_seq=17, hash="ef" * 32),
    ]


def of_the_server() -> list[f.Fact]:
    """Everything the server writes itself."""
    return [
        server.TillEnrolled(
            journal=JournalId("journal-1"), epoch=1, till_id=TILL, store_id=STORE, key_id="12" * 16
        ),
        server.ProgrammePublished(programme=BUNDLE),
        server.OperatorChanged(operator_id=OPERATOR, role="cashier", active=True, by=None),
        server.ExceptionRaised(
            natural_key="overspent:lot-old:x",
            rule="lot-overspent",
            member_id=MEMBER,
            effects=(
                server.ExceptionEffect(account="points", owner=MEMBER, unit="points/0", amount=-50),
            ),
        ),
        server.PointsTransferred(
            natural_key="recover:x:1",
            reason="recovery",
            from_member=MEMBER,
            from_lots=(f.LotDraw(lot=LotId(SALE_ID), points=2),),
            to_member=MEMBER,
            to_lots=(f.LotDraw(lot=LotId("debt"), points=2),),
        ),
        server.MemberErased(member_id=FRIEND, reason="request"),
    ]


def since_release_1() -> list[f.Fact]:
    """Kinds that came after the first release's were frozen."""
    return [
        server.TillRevoked(journal=JournalId("journal-1"), epoch=1, till_id=TILL, key_id="12" * 16),
        server.QuarantineDecided(journal=JournalId("journal-1"), epoch=1, seq=7, decision="booked"),
    ]


def since_release_2() -> list[f.Fact]:
    """Kinds as they are since they know of visit cards and referrals."""
    stamped = f.CardStamped(
        card="coffee",
        names={"zh_CN": "咖啡卡", "en": "Coffee card"},
        size=10,
        before=8,
        added=3,
        filled=1,
        lines=(1,),
        points=10,
    )
    paid = f.ReferralPaid(referrer_id=FRIEND, for_friend=5, for_referrer=20, minimum=1000)
    back = f.CardTakenBack(
        card=stamped.card, names=stamped.names, size=10, taken=2, reopened=1, points=10
    )
    lost = f.ReferralTakenBack(
        referrer_id=FRIEND, from_friend=5, lots=(f.LotDraw(lot=LotId(SALE_ID), points=20),)
    )
    place = {
        "store_id": STORE,
        "till_id": TILL,
        "shift_id": SHIFT,
        "operator_id": OPERATOR,
        "currency": "CNY",
        "programme": BUNDLE,
    }
    gained = f.PointsOutcome(
        opening=180,
        earned=40,
        closing=220,
        as_of="2026-03-01T01:00:00.000+00:00",
        expires_on="2027-12-31",
        by_rule=(f.RuleEarned(rule="survey", names={"en": "Survey"}, points=40),),
    )
    paid_for = f.PointsOutcome(opening=220, spent=60, closing=160, as_of=gained.as_of)
    enrolled = next(one for one in of_the_till() if isinstance(one, till.MemberEnrolled))
    return [
        msgspec.structs.replace(enrolled, referred_by=FRIEND),
        msgspec.structs.replace(sale(), cards=(stamped,), referral=paid),
        msgspec.structs.replace(returned(), cards=(back,), referral=lost),
        benefit.ActionCounted(
            **place,
            receipt_no="95000010000000000021",
            action="survey",
            names={"zh_CN": "问卷", "en": "Survey"},
            day="2026-03-01",
            member=f.MemberOutcome(
                member_id=MEMBER, tier="silver", tier_after="silver", points=gained
            ),
        ),
        server.DrawRun(
            draw="spring",
            names={"zh_CN": "春季抽奖", "en": "Spring draw"},
            seed="seventeen geese",
            entries=2,
            wins=(
                server.DrawWin(
                    prize="mug",
                    names={"zh_CN": "杯子", "en": "Mug"},
                    entry=f"{SALE_ID}/1",
                    member_id=MEMBER,
                ),
            ),
        ),
        benefit.DrawEntered(
            **place,
            receipt_no="95000010000000000031",
            draw="spring",
            names={"zh_CN": "春季抽奖", "en": "Spring draw"},
            entries=2,
            tenders=(
                f.Tender(
                    tender=f.TenderKind.POINTS,
                    amount=0,
                    points=60,
                    lots=(f.LotDraw(lot=LotId(SALE_ID), points=60),),
                ),
            ),
            member=f.MemberOutcome(
                member_id=MEMBER, tier="silver", tier_after="silver", points=paid_for
            ),
        ),
    ]


def about_members() -> list[f.Fact]:
    """Kinds of head office's members."""
    moved = (
        member.BalanceMoved(account="points", lot=SALE_ID, unit="points/0", amount=30),
        member.BalanceMoved(account="points", lot="debt", unit="points/0", amount=-2),
        member.BalanceMoved(account="spend", lot=SALE_ID, unit="spend:CNY/2", amount=3000),
    )
    return [
        member.MembersMerged(
            merge_id="merge-1",
            from_member=FRIEND,
            into_member=MEMBER,
            verified_by="phone",
            moved=moved,
        ),
        member.MembersUnmerged(
            merge_id="merge-1", from_member=FRIEND, into_member=MEMBER, moved=moved
        ),
    ]


def about_tiers() -> list[f.Fact]:
    """A tier set by hand, another in its place, and its end."""
    return [
        member.TierSet(member_id=MEMBER, tier="gold", last_day="2026-12-31"),
        member.TierSet(
            member_id=MEMBER,
            tier="silver",
            last_day="2027-06-30",
            ended=(member.FloorEnded(tier="gold", last_day="2026-12-31"),),
        ),
        member.TierSet(
            member_id=MEMBER, ended=(member.FloorEnded(tier="silver", last_day="2027-06-30"),)
        ),
    ]


def of_partners_and_batches() -> list[f.Fact]:
    """A sale at a partner, and one whose labels named batches."""
    told = sale()
    lines = (msgspec.structs.replace(told.lines[0], batch="L-7"), *told.lines[1:])
    return [
        partner.PartnerSold(
            programme=told.programme,
            partner="cinema",
            names={"zh_CN": "影院", "en": "Cinema"},
            reference="K-1",
            day="2026-02-28",
            currency="CNY",
            member_id=MEMBER,
            spend=3400,
            points=17,
            points_expire_on="2027-12-31",
            paid=1600,
            points_spent=20,
            lots=(f.LotDraw(lot=SALE_ID, points=20),),
        ),
        msgspec.structs.replace(told, lines=lines),
    ]


def of_lots_that_live_on() -> list[f.Fact]:
    """What came back of sales, here and at a partner, whose lots had lapsed."""
    told = returned()
    draw = msgspec.structs.replace(told.refunds[1].lots[0], last_day="2026-03-31")
    refunds = (told.refunds[0], msgspec.structs.replace(told.refunds[1], lots=(draw,)))
    return [
        msgspec.structs.replace(told, refunds=refunds),
        partner.PartnerReturned(
            programme=sale().programme,
            partner="cinema",
            names={"zh_CN": "影院", "en": "Cinema"},
            reference="K-2",
            of_reference="K-1",
            day="2026-03-01",
            currency="CNY",
            member_id=MEMBER,
            spend=1700,
            points=8,
            paid=800,
            points_spent=10,
            lots=(f.LotDraw(lot=SALE_ID, points=10, last_day="2026-03-31"),),
            points_taken=(
                f.LotDraw(lot=LotId("01900000-0000-7000-8000-0000000000ab"), points=5),
                f.LotDraw(lot=LotId("debt"), points=3),
            ),
        ),
    ]


def about_profiles() -> list[f.Fact]:
    """A member's profile changed."""
    return [
        profile_change.MemberChanged(
            member_id=MEMBER,
            store_id=STORE,
            till_id=TILL,
            operator_id=OPERATOR,
            consents=(
                profile_change.ConsentDecided(consent=Consent.NEWS_BY_SMS, is_granted=True),
                profile_change.ConsentDecided(
                    consent=Consent.PURCHASES, is_granted=False, seen=(SALE_ID,)
                ),
            ),
            approvals=(APPROVAL,),
        ),
        profile_change.MemberChanged(member_id=MEMBER),
    ]


def about_papers() -> list[f.Fact]:
    """A till whose receipts look otherwise from now on, set by hand and by a command."""
    who = {"store_id": STORE, "till_id": TILL}
    form = paper.ReceiptForm(
        names={"zh": "常青便利", "en": "Evergreen"},
        address={"zh": "南京西路1266号"},
        phone="021-6288 1266",
        tax_number="91310106MA1FY0000X",
        conditions={"en": "Return within 7 days"},
        greeting={"zh": "谢谢惠顾"},
        logo="logo.png",
        web="https://shop.example",
        invoice="https://invoice.example/{number}/{code}/{total}",
        left_out=("savings", "cards"),
    )
    return [
        paper.ReceiptFormChanged(**who, operator_id=OPERATOR, form=form, approvals=(APPROVAL,)),
        paper.ReceiptFormChanged(**who, operator_id=None, form=paper.ReceiptForm()),
    ]


def all_facts() -> list[f.Fact]:
    """Every kind at least once."""
    return [*of_the_till(), *of_the_server()]


def about_signatures() -> list[f.Fact]:
    """A fiscal device that failed at first."""
    about = {"of_entry": SALE_ID, "receipt_no": "95000010000000000011", "till_id": TILL}
    return [
        fiscal.FiscalRecorded(**about, state=fiscal.FiscalState.FAILED, failure="offline"),
        fiscal.FiscalRecorded(
            **about,
            state=fiscal.FiscalState.SIGNED,
            device="ab" * 32,
            number=7,
            counter=12,
            started_at="2026-03-01T01:00:00.000+00:00",
            finished_at="2026-03-01T01:00:30.000+00:00",
            algorithm="ecdsa-p256-sha256",
            signature="MEQCIA==",
            public_key="MFkwEw==",
        ),
    ]


def about_keys() -> list[f.Fact]:
    """A till that changed its key, and one that was told to."""
    return [
        server.TillRekeyed(
            journal=JournalId("journal-1"),
            epoch=2,
            till_id=TILL,
            old_epoch=1,
            old_key_id="12" * 16,
            key_id="34" * 16,
            public_key="NDQ=",
            old_signature="56" * 64,
            new_signature="78" * 64,
        ),
        server.TillCommanded(till_id=TILL, command_id="90" * 8, command="rekey", state="issued"),
    ]
