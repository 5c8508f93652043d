"""Booking of tax that was due when a gift card was sold, version 1. Frozen."""

from collections.abc import Iterable, Iterator

from shared.ids import StoreId
from shared.ledger.account import Account, AccountKind, Posting, Unit, tax_lot
from shared.trade.fact import TaxTotal


def post_prepaid(
    store: StoreId, card: str, unit: Unit, rows: Iterable[TaxTotal], *, sign: int
) -> Iterator[Posting]:
    """Tax becomes due (``sign`` 1) with a card, or is due no more by goods (-1) that it pays."""
    for row in rows:
        lot = tax_lot(row.tax_class, row.component)
        yield Posting(Account(AccountKind.TAX, store, lot, unit), -sign * row.tax)
        yield Posting(Account(AccountKind.PREPAID_TAX, card, lot, unit), sign * row.tax)
