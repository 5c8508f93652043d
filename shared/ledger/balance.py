"""Balances: nothing but the sum of postings."""

from collections import Counter
from collections.abc import Iterable

from shared.ledger.account import Account, Posting

Balances = dict[Account, int]
"""Accounts that are not zero."""


def fold(postings: Iterable[Posting], start: Balances | None = None) -> Balances:
    """Sum postings per account, from ``start`` on; accounts at zero are left out."""
    totals = Counter(start or {})
    for account, amount in postings:
        totals[account] += amount
    return {account: amount for account, amount in totals.items() if amount}
