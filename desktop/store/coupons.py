"""What this till's own books say about a coupon, also after its entries were deleted."""

from typing import Final

from sqlalchemy import Connection, Subquery, select, union_all

from desktop.store.schema import entries, forgotten, postings
from shared.journal.entry import decode_entry
from shared.ledger.account import Account
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.value import ValueToppedUp

ISSUING: Final = (SaleCompleted.kind, ValueToppedUp.kind)
"""Facts that issue coupons."""


def coupon_uses(connection: Connection, account: Account) -> int | None:
    """How often a coupon is used up by what this till knows; None where a return made it void.

    One that a sale, or a top-up, issued begins with one use in the books, others with none.
    """
    told = _told()
    columns = postings.c
    rows = connection.execute(
        select(told.c.kind, columns.amount)
        .join(told, (columns.epoch == told.c.epoch) & (columns.seq == told.c.seq))
        .where(columns.owner == account.owner, columns.account == account.kind)
    ).all()
    if any(row.kind == SaleReturned.kind and row.amount < 0 for row in rows):
        return None
    is_issued = any(row.kind in ISSUING and row.amount > 0 for row in rows)
    return int(is_issued) - sum(int(row.amount) for row in rows)


def issued_by(connection: Connection, account: Account) -> SaleCompleted | ValueToppedUp | None:
    """The sale, or the top-up, that issued a coupon at this till."""
    told = _told()
    columns = postings.c
    data = connection.execute(
        select(told.c.bytes)
        .join(postings, (columns.epoch == told.c.epoch) & (columns.seq == told.c.seq))
        .where(
            columns.owner == account.owner,
            columns.account == account.kind,
            columns.amount > 0,
            told.c.kind.in_(ISSUING),
        )
        .limit(1)
    ).scalar()
    fact = read_fact(decode_entry(data).envelope) if data is not None else None
    return fact if isinstance(fact, SaleCompleted | ValueToppedUp) else None


def _told() -> Subquery:
    """Entries that are here, and what was kept of others."""
    return union_all(
        *(
            select(table.c.epoch, table.c.seq, table.c.kind, table.c.bytes)
            for table in (entries, forgotten)
        )
    ).subquery("told")
