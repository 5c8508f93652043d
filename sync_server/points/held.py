"""The lots of a member as the server has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from shared.ids import LotId, MemberId
from shared.ledger.account import AccountKind
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.usable import usable
from shared.protocol.message import BalanceRow
from sync_server.database.transaction import Snapshot
from sync_server.members.rows import read_balances


@dataclass(frozen=True, slots=True)
class HeldPoints:
    """A member's lots, with the days on which the member was active."""

    lots: Sequence[Lot]
    active: Sequence[date]

    def usable(self, programme: Programme) -> list[Lot]:
        """The lots, knowing from when on and until when they can be spent."""
        return usable(self.lots, programme, self.active)


def held_points(snapshot: Snapshot, member: MemberId, today: date) -> HeldPoints:
    """What was earned until a day."""
    rows = read_balances(snapshot, [member]).get(member, [])
    lots = [lot_of(row) for row in rows if row.account == AccountKind.POINTS]
    active = [date.fromisoformat(row.earned_on) for row in rows if row.earned_on]
    return HeldPoints([lot for lot in lots if lot.earned_on <= today], active)


def lot_of(row: BalanceRow) -> Lot:
    """A balance of points as a lot; of debt, and of lots nobody told of, no first day is known."""
    return Lot(
        lot=LotId(row.lot),
        points=row.amount,
        earned_on=date.fromisoformat(row.earned_on) if row.earned_on else date.min,
        last_day=date.fromisoformat(row.expires_on) if row.expires_on else None,
    )
