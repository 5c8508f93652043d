"""What an account has, and what tills hold of it, read in the transaction that grants."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, or_, select

from shared.ledger.account import AccountKind
from shared.trade.lease import LeaseClass
from sync_server.database.schema import balances, gift_cards, leases, lots, members
from sync_server.database.transaction import Snapshot
from sync_server.leases.claims import LeaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedAccount:
    """An account that leases are granted on."""

    kind: AccountKind
    owner: str
    unit: str


def posted(snapshot: Snapshot, account: LeasedAccount, today: date) -> int:
    """What the ledger says can be spent on a day; money that the shop owes is booked below zero."""
    match account.kind:
        case AccountKind.POINTS:
            return _points(snapshot, account, today)
        case AccountKind.STORED_VALUE:
            kinds = (AccountKind.STORED_VALUE, AccountKind.STORED_BONUS)
            return -_sum(snapshot, account, kinds)
        case _:
            last = last_day(snapshot, account.owner)
            if last is not None and last < today.isoformat():
                return 0
            return -_sum(snapshot, account, (AccountKind.GIFT_CARD,))


def _sum(snapshot: Snapshot, account: LeasedAccount, kinds: tuple[AccountKind, ...]) -> int:
    statement = select(func.sum(balances.c.amount)).where(
        balances.c.shard == snapshot.shard,
        balances.c.owner == account.owner,
        balances.c.unit == account.unit,
        balances.c.account.in_([kind.value for kind in kinds]),
    )
    return int(snapshot.connection.execute(statement).scalar() or 0)


def _points(snapshot: Snapshot, account: LeasedAccount, today: date) -> int:
    """Lots that have not lapsed, less what is owed."""
    statement = (
        select(func.sum(balances.c.amount))
        .outerjoin(lots, (lots.c.shard == balances.c.shard) & (lots.c.lot == balances.c.lot))
        .where(
            balances.c.shard == snapshot.shard,
            balances.c.account == AccountKind.POINTS.value,
            balances.c.owner == account.owner,
            balances.c.unit == account.unit,
            or_(
                balances.c.amount < 0,
                lots.c.expires_on.is_(None),
                lots.c.expires_on >= today.isoformat(),
            ),
        )
    )
    return int(snapshot.connection.execute(statement).scalar() or 0)


def last_day(snapshot: Snapshot, card_id: str) -> str | None:
    """The last day on which a gift card pays; of two sales of one card the earlier."""
    statement = select(func.min(gift_cards.c.last_day)).where(
        gift_cards.c.shard == snapshot.shard, gift_cards.c.card_id == card_id
    )
    return snapshot.connection.execute(statement).scalar()


def is_member(snapshot: Snapshot, member_id: str) -> bool:
    """Whether somebody has this account and was not erased."""
    statement = select(members.c.member_id).where(
        members.c.shard == snapshot.shard,
        members.c.member_id == member_id,
        members.c.gone.is_(False),
    )
    return snapshot.connection.execute(statement).first() is not None


def open_leases(snapshot: Snapshot, account: LeasedAccount) -> list[Row[Any]]:
    """What was set aside of an account and not given back, the oldest first."""
    statement = (
        select(leases)
        .where(
            leases.c.shard == snapshot.shard,
            leases.c.account == account.kind.value,
            leases.c.owner == account.owner,
            leases.c.unit == account.unit,
            leases.c.lease_class == LeaseClass.ACCOUNT.value,
            leases.c.state == LeaseState.OPEN.value,
        )
        .order_by(leases.c.expires_at, leases.c.lease_id)
    )
    return list(snapshot.connection.execute(statement))


def left_of(row: Row[Any]) -> int:
    """What may still be spent by a lease, as far as the server knows."""
    return max(0, int(row.amount) - int(row.spent))
