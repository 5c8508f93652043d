"""The facts of a gift card that is taxed when it is sold; the amounts fit together."""

from msgspec.structs import replace

from shared.ids import CardId
from shared.trade import fact as f
from shared.trade import lease, ticket, till, value
from tests.support.every_fact import (
    APPROVAL,
    BUNDLE,
    NAMES,
    OPERATOR,
    SALE_ID,
    SHIFT,
    STORE,
    TILL,
    of_the_till,
)
from tests.support.every_spending import terms

CARD = CardId("cd" * 16)
WHERE = {
    "store_id": STORE,
    "till_id": TILL,
    "shift_id": SHIFT,
    "operator_id": OPERATOR,
    "currency": "CNY",
}


def taxed(net: int, tax: int) -> tuple[f.TaxTotal, ...]:
    """A table at 13%."""
    return (f.TaxTotal(tax_class="standard", component="vat", rate_ppm=130_000, net=net, tax=tax),)


def taxed_card_facts() -> list[f.Fact]:
    """Sold for 113.00; pays for goods of 56.50, which come back; is paid out; the day is closed."""
    taxes = (f.LineTax(component="vat", tax=650),)
    sold = ticket.SaleLine(
        line=1,
        goods_id="A1",
        names=NAMES,
        quantity=1,
        list_price=5650,
        unit_price=5650,
        gross=5650,
        amount=5650,
        tax_class="standard",
        taxes=taxes,
    )
    back = ticket.ReturnLine(
        line=1,
        of_line=1,
        goods_id="A1",
        names=NAMES,
        quantity=1,
        amount=5650,
        tax_class="standard",
        taxes=taxes,
    )
    card = f.Tender(
        tender=f.TenderKind.GIFT_CARD,
        amount=5650,
        reference=CARD,
        lease_id="lease-3",
        left=5650,
        prepaid=taxed(5000, 650),
    )
    at = {**WHERE, "ticket_id": "ticket-7", "programme": BUNDLE, "engine": "1"}
    return [
        value.GiftCardSold(
            **WHERE,
            receipt_no="95000010000000000078",
            programme=BUNDLE,
            card_id=CARD,
            amount=11300,
            tenders=(f.Tender(tender=f.TenderKind.CASH, amount=11300, given=11300),),
            taxes=taxed(10000, 1300),
        ),
        ticket.SaleCompleted(
            **at,
            receipt_no="95000010000000000086",
            lines=(sold,),
            taxes=taxed(5000, 650),
            total=5650,
            tenders=(card,),
        ),
        ticket.SaleReturned(
            **at,
            receipt_no="95000010000000000094",
            original=SALE_ID,
            lines=(back,),
            taxes=taxed(5000, 650),
            total=5650,
            refunds=(replace(card, lease_id=None, left=None),),
            reason="changed mind",
        ),
        value.GiftCardClosed(
            **WHERE,
            receipt_no="95000010000000000102",
            card_id=CARD,
            amount=11300,
            lease_id="lease-3",
            approvals=(APPROVAL,),
            taxes=taxed(10000, 1300),
        ),
        *(
            replace(one, taxes=taxed(10000, 1300))
            for one in of_the_till()
            if isinstance(one, till.ShiftClosed | till.DayClosed)
        ),
        lease.LeaseGranted(
            terms=replace(terms(), member_id=None, account="gift-card", owner=CARD, is_taxed=True),
            key_id="cd" * 16,
        ),
    ]
