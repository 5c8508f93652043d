"""Leases this till holds: as the server granted them, less what its own journal spent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import lease_spends, leases
from shared.ids import EntryId, LeaseId
from shared.journal.keys import Signed
from shared.ledger.spending import spends_of
from shared.trade.fact import Fact
from shared.trade.lease import LeaseClass, LeaseTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLease:
    """A lease that this till has not closed."""

    terms: LeaseTerms
    spent: int
    is_called_back: bool

    @property
    def left(self) -> int:
        """What may still be spent by it."""
        return max(0, self.terms.amount - self.spent)

    def is_over(self, now: datetime) -> bool:
        """Whether its term has ended."""
        return now >= datetime.fromisoformat(self.terms.expires_at)


def put_lease(connection: Connection, signed: Signed, terms: LeaseTerms) -> None:
    """Take a grant over; an older serial than the one that is here changes nothing.

    One that was closed here stays closed: a repeated grant gives nothing back.
    """
    known = connection.execute(
        select(leases).where(leases.c.lease_id == terms.lease_id)
    ).one_or_none()
    if known is not None and (not known.is_open or _terms(known.statement).serial >= terms.serial):
        return
    row = {
        "lease_id": terms.lease_id,
        "account": terms.account,
        "owner": terms.owner,
        "expires_at": terms.expires_at,
        "statement": msgspec.msgpack.encode(signed),
        "is_open": True,
        "is_called_back": False,
    }
    statement = upsert(leases).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=["lease_id"], set_=row))


def _terms(statement: bytes) -> LeaseTerms:
    """What was checked when it came."""
    signed = msgspec.msgpack.decode(statement, type=Signed)
    return msgspec.json.decode(signed.payload, type=LeaseTerms)


def held_leases(
    connection: Connection, account: str | None = None, owner: str | None = None
) -> list[HeldLease]:
    """Open leases: all, or those of one account with the budgets for it."""
    statement = select(leases).where(leases.c.is_open)
    if account is not None:
        statement = statement.where(leases.c.account == account, leases.c.owner.in_([owner, ""]))
    return [
        HeldLease(
            terms=_terms(row.statement),
            spent=spent_by(connection, row.lease_id),
            is_called_back=row.is_called_back,
        )
        for row in connection.execute(statement.order_by(leases.c.lease_id)).all()
    ]


def spent_by(connection: Connection, lease_id: str, member_id: str | None = None) -> int:
    """What this till spent by a lease, of one member or in all."""
    columns = lease_spends.c
    statement = select(func.sum(columns.amount)).where(columns.lease_id == lease_id)
    if member_id is not None:
        statement = statement.where(columns.member_id == member_id)
    return int(connection.execute(statement).scalar() or 0)


def left_for(connection: Connection, lease: HeldLease, member_id: str) -> int:
    """What one member may still spend by a lease."""
    most = lease.terms.per_member
    if lease.terms.lease_class is not LeaseClass.BUDGET or not most:
        return lease.left
    return min(lease.left, max(0, most - spent_by(connection, lease.terms.lease_id, member_id)))


def call_back(connection: Connection, ids: Iterable[LeaseId]) -> None:
    """The server wants these back."""
    connection.execute(
        update(leases).where(leases.c.lease_id.in_(list(ids))).values(is_called_back=True)
    )


def end_lease(connection: Connection, lease_id: LeaseId) -> None:
    """Nothing is spent by it any more."""
    connection.execute(update(leases).where(leases.c.lease_id == lease_id).values(is_open=False))


def note_spending(connection: Connection, entry_id: EntryId, fact: Fact) -> None:
    """What a fact spent by which lease."""
    rows = [
        {
            "entry_id": entry_id,
            "position": spend.position,
            "lease_id": spend.lease_id,
            "member_id": spend.member_id,
            "amount": spend.amount,
        }
        for spend in spends_of(entry_id, fact)
        if spend.lease_id is not None
    ]
    if rows:
        connection.execute(insert(lease_spends), rows)


def shown_leases(connection: Connection, limit: int) -> list[Signed]:
    """Every grant this till has, the one that ends last first: also those it has closed since."""
    rows = connection.execute(
        select(leases.c.statement).order_by(leases.c.expires_at.desc()).limit(limit)
    )
    return [msgspec.msgpack.decode(row.statement, type=Signed) for row in rows]
