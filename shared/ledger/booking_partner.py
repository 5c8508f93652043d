"""Booking rule of what members do at partners, version 1. Frozen."""

from collections.abc import Iterator

from shared.ids import EntryId
from shared.ledger.account import Account, AccountKind, Posting, points_unit
from shared.ledger.pairing import pair
from shared.trade.partner import PartnerReturned, PartnerSold


def post_partner_sold(entry_id: EntryId, fact: PartnerSold) -> Iterator[Posting]:
    """Earned points into a lot of their own, spent ones out of theirs."""
    unit = points_unit(fact.points_decimals)
    yield from pair(Account(AccountKind.POINTS, fact.member_id, entry_id, unit), fact.points)
    for draw in fact.lots:
        account = Account(AccountKind.POINTS, fact.member_id, draw.lot, unit)
        yield from pair(account, -draw.points)


def post_partner_returned(_entry_id: EntryId, fact: PartnerReturned) -> Iterator[Posting]:
    """Spent points back into their lots, earned ones out of those that had them."""
    unit = points_unit(fact.points_decimals)
    for draws, sign in ((fact.lots, 1), (fact.points_taken, -1)):
        for draw in draws:
            account = Account(AccountKind.POINTS, fact.member_id, draw.lot, unit)
            yield from pair(account, sign * draw.points)
