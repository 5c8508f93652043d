"""Booking rules of sale and return, version 1. Frozen: `docs/ledger.md` shows a worked example."""

from collections.abc import Iterable, Iterator

from shared.ids import EntryId, LotId
from shared.ledger.account import (
    COUPON,
    FRIEND,
    FULL_LOT,
    GROWTH,
    REFERRAL,
    Account,
    AccountKind,
    Posting,
    money_unit,
    points_unit,
    spend_unit,
    stamps_unit,
    tax_lot,
)
from shared.ledger.booking_tax import post_prepaid
from shared.ledger.pairing import pair
from shared.trade.fact import CardStamped, CardTakenBack, LotDraw, MemberOutcome, Tender, TenderKind
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned

Ticket = SaleCompleted | SaleReturned


def post_sale(entry_id: EntryId, sale: SaleCompleted) -> Iterator[Posting]:
    """Tenders against turnover, tax and rounding; points, spend and growth to the member."""
    if sale.training:
        return
    yield from _goods(sale, sale.lines, sign=-1)
    for tender in sale.tenders:
        yield from _tender(sale, tender, sign=1)
    member = sale.member
    if member is not None:
        unit = points_unit(member.points.decimals)
        yield from pair(
            Account(AccountKind.POINTS, member.member_id, entry_id, unit), member.points.earned
        )
        drawn = [draw for tender in sale.tenders for draw in tender.lots]
        yield from _lots(member, drawn, sign=-1)
        yield from _standing(sale, member, sale_lot=entry_id)
        for card in sale.cards:
            yield from _stamps(member, card, entry_id, card.added, card.filled)
        if sale.referral is not None:
            paid = sale.referral.for_referrer
            draw = LotDraw(lot=LotId(entry_id), points=paid)
            yield from _referral(member, sale.referral.referrer_id, [draw], sign=1)
    for offer in sale.offers:
        if offer.coupon_id is not None:
            yield from pair(_coupon(offer.coupon_id), -1)
    for issued in sale.coupons_issued:
        yield from pair(_coupon(issued.coupon_id), 1)


def post_return(entry_id: EntryId, returned: SaleReturned) -> Iterator[Posting]:
    """The mirror of a sale for the units that came back."""
    yield from _goods(returned, returned.lines, sign=1)
    for refund in returned.refunds:
        yield from _tender(returned, refund, sign=-1)
    member = returned.member
    if member is not None:
        yield from _lots(member, returned.points_taken, sign=-1)
        given_back = [draw for refund in returned.refunds for draw in refund.lots]
        yield from _lots(member, given_back, sign=1)
        sale_lot = returned.original or entry_id
        yield from _standing(returned, member, sale_lot=sale_lot)
        for card in returned.cards:
            yield from _stamps(member, card, sale_lot, -card.taken, -card.reopened)
        if (referral := returned.referral) is not None:
            yield from _referral(member, referral.referrer_id, referral.lots, sign=-1)
    for coupon in returned.coupons_given_back:
        yield from pair(_coupon(coupon), 1)
    for coupon in returned.coupons_voided:
        yield from pair(_coupon(coupon), -1)


def _goods(
    ticket: Ticket, lines: Iterable[SaleLine] | Iterable[ReturnLine], *, sign: int
) -> Iterator[Posting]:
    """Turnover, taxes, levies and rounding; ``sign`` is -1 for a sale, 1 for a return."""
    unit = money_unit(ticket.currency)
    store = ticket.store_id
    sales = Account(AccountKind.SALES, store, "", unit)
    levy = Account(AccountKind.LEVY, store, "", unit)
    tax_accounts: dict[tuple[str, str], Account] = {}
    for line in lines:
        taxes = 0
        for share in line.taxes:
            taxes += share.tax
        yield Posting(sales, sign * (line.amount - taxes - line.levy))
        # Most lines have none; it would be left out in any case.
        if line.levy:
            yield Posting(levy, sign * line.levy)
        for share in line.taxes:
            tax = line.tax_class, share.component
            if tax not in tax_accounts:
                tax_accounts[tax] = Account(AccountKind.TAX, store, tax_lot(*tax), unit)
            yield Posting(tax_accounts[tax], sign * share.tax)
    yield Posting(Account(AccountKind.ROUNDING, store, "", unit), sign * ticket.rounding)


def _tender(ticket: Ticket, tender: Tender, *, sign: int) -> Iterator[Posting]:
    unit = money_unit(ticket.currency)
    owners = {
        TenderKind.CASH: (AccountKind.DRAWER, ticket.till_id),
        TenderKind.CARD: (AccountKind.CARD, tender.provider),
        TenderKind.WALLET: (AccountKind.WALLET, tender.provider),
        TenderKind.VOUCHER: (AccountKind.VOUCHER, tender.provider),
        TenderKind.GIFT_CARD: (AccountKind.GIFT_CARD, tender.reference),
        TenderKind.STORED_VALUE: (
            AccountKind.STORED_VALUE,
            ticket.member.member_id if ticket.member else "",
        ),
        TenderKind.POINTS: (AccountKind.POINTS_TENDER, ticket.store_id),
    }
    kind, owner = owners[tender.tender]
    if tender.bonus:
        bonus = Account(AccountKind.STORED_BONUS, owner, "", unit)
        yield Posting(bonus, sign * tender.bonus)
    change = 0 if tender.tender is TenderKind.CASH else tender.change
    if change:
        # Of what was given, the drawer paid it out.
        drawer = Account(AccountKind.DRAWER, ticket.till_id, "", unit)
        yield Posting(drawer, -sign * change)
    yield Posting(Account(kind, owner, "", unit), sign * (tender.amount + change - tender.bonus))
    yield from post_prepaid(ticket.store_id, tender.reference, unit, tender.prepaid, sign=-sign)


def _lots(member: MemberOutcome, draws: Iterable[LotDraw], *, sign: int) -> Iterator[Posting]:
    unit = points_unit(member.points.decimals)
    for draw in draws:
        account = Account(AccountKind.POINTS, member.member_id, draw.lot, unit)
        yield from pair(account, sign * draw.points)


def _standing(ticket: Ticket, member: MemberOutcome, *, sale_lot: str) -> Iterator[Posting]:
    """What counts towards tiers."""
    spend = spend_unit(ticket.currency)
    yield from pair(Account(AccountKind.SPEND, member.member_id, sale_lot, spend), member.spend)
    yield from pair(Account(AccountKind.GROWTH, member.member_id, sale_lot, GROWTH), member.growth)


def _stamps(
    member: MemberOutcome, card: CardStamped | CardTakenBack, sale_lot: str, stamps: int, full: int
) -> Iterator[Posting]:
    """Stamps of a sale, and what the cards cost that are full by it."""
    unit = stamps_unit(card.card)
    yield from pair(Account(AccountKind.STAMPS, member.member_id, sale_lot, unit), stamps)
    cost = full * card.size
    yield from pair(Account(AccountKind.STAMPS, member.member_id, FULL_LOT, unit), -cost)


def _referral(
    friend: MemberOutcome, referrer: str, draws: Iterable[LotDraw], *, sign: int
) -> Iterator[Posting]:
    """The referrer's points, and that it is paid; or, with ``sign`` -1, that it is not any more."""
    points = points_unit(friend.points.decimals)
    for draw in draws:
        account = Account(AccountKind.POINTS, referrer, draw.lot, points)
        yield from pair(account, sign * draw.points)
    open_one = Account(AccountKind.REFERRAL, friend.member_id, referrer, REFERRAL)
    yield from pair(open_one, -sign)
    yield from pair(Account(AccountKind.FRIENDS, referrer, friend.member_id, FRIEND), sign)


def _coupon(coupon_id: str) -> Account:
    return Account(AccountKind.COUPON, coupon_id, "", COUPON)
