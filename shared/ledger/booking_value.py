"""Booking rules of stored value and gift cards, version 1. Frozen."""

from collections.abc import Iterable, Iterator

from shared.ids import EntryId
from shared.ledger.account import (
    COUPON,
    PROGRAMME,
    Account,
    AccountKind,
    Posting,
    money_unit,
    points_unit,
)
from shared.ledger.booking_tax import post_prepaid
from shared.trade.fact import Tender, TenderKind
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp

_TENDERS = {
    TenderKind.CARD: AccountKind.CARD,
    TenderKind.WALLET: AccountKind.WALLET,
    TenderKind.VOUCHER: AccountKind.VOUCHER,
}


def post_value_topped_up(entry_id: EntryId, fact: ValueToppedUp) -> Iterator[Posting]:
    """Money in against what the shop owes; the bonus against what it gave away."""
    if fact.training:
        return
    unit = money_unit(fact.currency)
    yield from _paid(fact, fact.tenders)
    yield Posting(Account(AccountKind.STORED_VALUE, fact.member_id, "", unit), -fact.amount)
    yield Posting(Account(AccountKind.STORED_BONUS, fact.member_id, "", unit), -fact.bonus)
    yield Posting(Account(AccountKind.BONUS_GIVEN, fact.store_id, "", unit), fact.bonus)
    points = points_unit(fact.points_decimals)
    yield Posting(Account(AccountKind.POINTS, fact.member_id, entry_id, points), fact.points)
    yield Posting(Account(AccountKind.POINTS_ISSUED, PROGRAMME, "", points), -fact.points)
    for issued in fact.coupons_issued:
        yield Posting(Account(AccountKind.COUPON, issued.coupon_id, "", COUPON), 1)
        yield Posting(Account(AccountKind.COUPONS_ISSUED, PROGRAMME, "", COUPON), -1)


def post_value_closed(_entry_id: EntryId, fact: ValueClosed) -> Iterator[Posting]:
    """The principal leaves the drawer, the bonus was not given after all."""
    unit = money_unit(fact.currency)
    yield Posting(Account(AccountKind.STORED_VALUE, fact.member_id, "", unit), fact.principal)
    yield Posting(Account(AccountKind.DRAWER, fact.till_id, "", unit), -fact.principal)
    yield Posting(Account(AccountKind.STORED_BONUS, fact.member_id, "", unit), fact.forfeited)
    yield Posting(Account(AccountKind.BONUS_GIVEN, fact.store_id, "", unit), -fact.forfeited)


def post_gift_card_sold(_entry_id: EntryId, fact: GiftCardSold) -> Iterator[Posting]:
    """Money in against what the shop owes the bearer."""
    unit = money_unit(fact.currency)
    yield from _paid(fact, fact.tenders)
    yield Posting(Account(AccountKind.GIFT_CARD, fact.card_id, "", unit), -fact.amount)
    yield from post_prepaid(fact.store_id, fact.card_id, unit, fact.taxes, sign=1)


def post_gift_card_closed(_entry_id: EntryId, fact: GiftCardClosed) -> Iterator[Posting]:
    """What was left on the card leaves the drawer."""
    unit = money_unit(fact.currency)
    yield Posting(Account(AccountKind.GIFT_CARD, fact.card_id, "", unit), fact.amount)
    yield Posting(Account(AccountKind.DRAWER, fact.till_id, "", unit), -fact.amount)
    yield from post_prepaid(fact.store_id, fact.card_id, unit, fact.taxes, sign=-1)


def _paid(fact: ValueToppedUp | GiftCardSold, tenders: Iterable[Tender]) -> Iterator[Posting]:
    """Neither points nor stored money pay for it: with such a tender the fact does not balance."""
    unit = money_unit(fact.currency)
    for tender in tenders:
        if tender.tender is TenderKind.CASH:
            yield Posting(Account(AccountKind.DRAWER, fact.till_id, "", unit), tender.amount)
        elif tender.tender in _TENDERS:
            kind = _TENDERS[tender.tender]
            yield Posting(Account(kind, tender.provider, "", unit), tender.amount)
