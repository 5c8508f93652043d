"""What this till's own books say about a coupon, also after its entries were deleted."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select

from desktop.store.schema import entries, epochs, forgotten, postings
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
    columns = postings.c
    rows = connection.execute(
        _with_facts(select(_of_fact("kind"), columns.amount)).where(
            columns.owner == account.owner, columns.account == account.kind
        )
    ).all()
    if any(row.kind == SaleReturned.kind and row.amount < 0 for row in rows):
        return None
    is_issued = any(row.kind in ISSUING and row.amount > 0 for row in rows)
    return int(is_issued) - sum(int(row.amount) for row in rows)


def issued_by(connection: Connection, account: Account) -> SaleCompleted | ValueToppedUp | None:
    """The sale, or the top-up, that issued a coupon at this till."""
    columns = postings.c
    data = connection.execute(
        _with_facts(select(_of_fact("bytes")))
        .where(
            columns.owner == account.owner,
            columns.account == account.kind,
            columns.amount > 0,
            _of_fact("kind").in_(ISSUING),
        )
        .limit(1)
    ).scalar()
    fact = read_fact(decode_entry(data).envelope) if data is not None else None
    return fact if isinstance(fact, SaleCompleted | ValueToppedUp) else None


def _with_facts(statement: Select[Any]) -> Select[Any]:
    """Postings with the entries that are here, or what was kept of them; each found by its key."""
    columns = postings.c
    return statement.select_from(
        postings.join(epochs, epochs.c.epoch == columns.epoch)
        .outerjoin(
            entries,
            (entries.c.journal == epochs.c.journal)
            & (entries.c.epoch == columns.epoch)
            & (entries.c.seq == columns.seq),
        )
        .outerjoin(
            forgotten, (forgotten.c.epoch == columns.epoch) & (forgotten.c.seq == columns.seq)
        )
    )


def _of_fact(name: str) -> ColumnElement[Any]:
    return func.coalesce(entries.c[name], forgotten.c[name]).label(name)
