"""Exposure: what tills may still spend by leases that are not closed, per store and in all."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import select

from shared.trade.lease import LeaseClass
from sync_server.database.schema import leases, stores, tills
from sync_server.database.transaction import Snapshot
from sync_server.leases.claims import LeaseState
from sync_server.leases.standing import left_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OutstandingLease:
    """A lease whose till has not closed it."""

    lease_id: str
    lease_class: str
    state: str
    store: str
    till: str
    member_id: str | None
    account: str
    unit: str
    amount: int
    left: int
    expires_at: str
    called_back_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What may still be spent, in one unit; of one store, or of all (``store`` is empty)."""

    store: str
    unit: str
    leases: int
    secured: int
    """Set aside of accounts: nobody else can spend it."""
    budgets: int
    """Of any member's points, at the shop's risk."""
    reclaimed: int
    """Taken back by hand and perhaps spent all the same."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.secured + self.budgets + self.reclaimed


def outstanding(snapshot: Snapshot) -> list[OutstandingLease]:
    """All leases that are not closed, by store, till and account."""
    statement = (
        select(leases, stores.c.name.label("store_name"), tills.c.name.label("till_name"))
        .outerjoin(
            stores, (stores.c.shard == leases.c.shard) & (stores.c.store_id == leases.c.store_id)
        )
        .outerjoin(tills, (tills.c.shard == leases.c.shard) & (tills.c.till_id == leases.c.till_id))
        .where(leases.c.shard == snapshot.shard, leases.c.state != LeaseState.CLOSED.value)
        .order_by(stores.c.name, tills.c.name, leases.c.account, leases.c.lease_id)
    )
    return [
        OutstandingLease(
            lease_id=row.lease_id,
            lease_class=row.lease_class,
            state=row.state,
            store=row.store_name or row.store_id,
            till=row.till_name or row.till_id,
            member_id=row.member_id,
            account=row.account,
            unit=row.unit,
            amount=row.amount,
            left=left_of(row),
            expires_at=row.expires_at,
            called_back_at=row.called_back_at,
        )
        for row in snapshot.connection.execute(statement)
    ]


def exposures(found: list[OutstandingLease]) -> list[Exposure]:
    """Sums per store and unit, and per unit over the chain of stores, which come first."""
    sums: dict[tuple[str, str], list[OutstandingLease]] = defaultdict(list)
    for lease in found:
        for store in ("", lease.store):
            sums[store, lease.unit].append(lease)
    return [
        Exposure(
            store=store,
            unit=unit,
            leases=len(of_it),
            secured=sum(one.left for one in of_it if _is_secured(one)),
            budgets=sum(one.left for one in of_it if _is_budget(one)),
            reclaimed=sum(one.left for one in of_it if one.state == LeaseState.RECLAIMED),
        )
        for (store, unit), of_it in sorted(sums.items())
    ]


def _is_secured(lease: OutstandingLease) -> bool:
    return lease.state == LeaseState.OPEN and lease.lease_class == LeaseClass.ACCOUNT


def _is_budget(lease: OutstandingLease) -> bool:
    return lease.state == LeaseState.OPEN and lease.lease_class == LeaseClass.BUDGET
