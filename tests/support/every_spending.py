"""One fact of every kind about leases, stored value and gift cards; the amounts fit together."""

from shared.ids import CardId, CouponId, JournalId, LeaseId
from shared.trade import fact as f
from shared.trade import lease, ticket, value
from tests.support.every_fact import (
    APPROVAL,
    BUNDLE,
    MEMBER,
    NAMES,
    OPERATOR,
    SHIFT,
    STORE,
    TILL,
    sale,
)

JOURNAL = JournalId("0b0c0d0e-0000-4000-8000-000000000001")
LEASE = LeaseId("lease-1")
CARD = CardId("ab" * 16)


def terms() -> lease.LeaseTerms:
    """120.00 of a member's stored value, for a day."""
    return lease.LeaseTerms(
        lease_id=LEASE,
        serial=2,
        lease_class=lease.LeaseClass.ACCOUNT,
        journal=JOURNAL,
        epoch=1,
        till_id=TILL,
        store_id=STORE,
        member_id=MEMBER,
        account="stored-value",
        owner=MEMBER,
        unit="CNY/2",
        amount=12000,
        granted_at="2026-03-01T01:00:00.000+00:00",
        expires_at="2026-03-02T01:00:00.000+00:00",
    )


def sale_by_value() -> ticket.SaleCompleted:
    """32.50, of which 30.00 by stored value (5.00 of it bonus) and the rest by a gift card."""
    line = f.Tender(tender=f.TenderKind.STORED_VALUE, amount=3000, bonus=500, lease_id=LEASE)
    card = f.Tender(tender=f.TenderKind.GIFT_CARD, amount=250, reference=CARD, lease_id="lease-2")
    plain = sale()
    return ticket.SaleCompleted(
        receipt_no="95000010000000000029",
        ticket_id="ticket-2",
        store_id=STORE,
        till_id=TILL,
        shift_id=SHIFT,
        operator_id=OPERATOR,
        currency="CNY",
        programme=BUNDLE,
        engine="1",
        lines=plain.lines,
        taxes=plain.taxes,
        total=3250,
        tenders=(line, card),
        member=plain.member,
    )


def spending_facts() -> list[f.Fact]:
    """All of them, in the order of a day."""
    where = {
        "store_id": STORE,
        "till_id": TILL,
        "shift_id": SHIFT,
        "operator_id": OPERATOR,
        "currency": "CNY",
    }
    cash = f.Tender(tender=f.TenderKind.CASH, amount=10000, given=10000)
    return [
        lease.LeaseGranted(terms=terms(), key_id="cd" * 16),
        value.ValueToppedUp(
            **where,
            receipt_no="95000010000000000037",
            programme=BUNDLE,
            member_id=MEMBER,
            amount=10000,
            bonus=500,
            offer_id="100",
            names=NAMES,
            points=50,
            points_expire_on="2027-12-31",
            coupons_issued=(
                f.CouponIssued(
                    coupon_id=CouponId("coupon-3"),
                    offer_id="next-time",
                    valid_from="2026-03-02",
                    valid_until="2026-03-31",
                ),
            ),
            tenders=(cash,),
            after=value.ValueBalance(
                principal=10000, bonus=500, as_of="2026-03-01T01:00:00.000+00:00"
            ),
        ),
        value.GiftCardSold(
            **where,
            receipt_no="95000010000000000045",
            programme=BUNDLE,
            card_id=CARD,
            amount=10000,
            last_day="2029-03-01",
            tenders=(f.Tender(tender=f.TenderKind.WALLET, amount=10000, provider="wechat"),),
        ),
        sale_by_value(),
        value.GiftCardClosed(
            **where,
            receipt_no="95000010000000000052",
            card_id=CARD,
            amount=9750,
            lease_id="lease-2",
            approvals=(APPROVAL,),
        ),
        value.ValueClosed(
            **where,
            receipt_no="95000010000000000060",
            member_id=MEMBER,
            principal=7500,
            lease_id=LEASE,
            approvals=(APPROVAL,),
        ),
        lease.LeaseClosed(lease_id=LEASE, till_id=TILL, spent=10500, reason=lease.LeaseEnd.EXPIRED),
        lease.LeaseReclaimed(
            lease_id=LEASE,
            store_id=STORE,
            till_id=TILL,
            account="stored-value",
            unit="CNY/2",
            exposure=1500,
            by="command",
        ),
    ]
