"""Later earnings pay what a member owes: a fact of the server, in the transaction that takes in the
earning, so that it stays paid when their lots lapse.

Nothing is earned or lost by it. A lot that has paid and is drawn on by a till that did not know so
gets back what is missing, and the debt is a debt again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from shared.clock import Clock
from shared.ids import EntryId, LotId, MemberId
from shared.ledger.account import DEBT_LOT, AccountKind, Unit, exponent_of
from shared.loyalty.lots import Lot, paying_debts
from shared.protocol.message import BalanceRow
from shared.trade.fact import LotDraw
from shared.trade.server import RECOVERY, PointsTransferred
from shared.trade.writing import Writing
from sync_server.database.among import among
from sync_server.database.schema import balances, natural_keys, stores
from sync_server.database.transaction import Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import links_above
from sync_server.members.roll import concerns
from sync_server.members.rows import read_balances
from sync_server.members.segments import in_batches
from sync_server.points.held import lot_of
from sync_server.points.recovered import recovered_from


@dataclass(frozen=True, slots=True)
class Recovery:
    """Pays debts with what came in."""

    clock: Clock
    own: OwnJournal

    def follow(self, work: Work, readings: Sequence[Reading]) -> None:
        """Settle with the members of what was just booked."""
        touched = {member for reading in readings for member in concerns(reading.fact)}
        if touched:
            self.settle(work, touched, cause=readings[-1].id)

    def settle(self, work: Work, members: Iterable[MemberId], *, cause: EntryId) -> None:
        """Pay what these members, or who they are by now, owe; once for each ``cause``."""
        touched = set(members)
        owing = _owing(work, touched | set(links_above(work, touched).values()))
        if not owing:
            return
        today = _latest_day(work, self.clock)
        held = read_balances(work, owing)
        writings: list[Writing] = []
        keys: list[str] = []
        for member in owing:
            for unit, lots in _by_unit(held.get(member, ())).items():
                moved = _moves(work, member, lots, today)
                if moved:
                    keys.append(f"recover:{cause}:{member}:{unit}")
                    writings.append(Writing(_fact(keys[-1], member, unit, moved)))
        written = self.own.write(work, writings)
        rows = [
            {"natural_key": key, "entry_id": entry}
            for key, entry in zip(keys, written, strict=True)
        ]
        work.insert(natural_keys, rows)


def _owing(snapshot: Snapshot, members: Iterable[MemberId]) -> list[MemberId]:
    found: list[MemberId] = []
    for ids in in_batches(sorted(members)):
        statement = (
            select(balances.c.owner)
            .where(
                balances.c.shard == snapshot.shard,
                balances.c.account == AccountKind.POINTS.value,
                among(balances.c.owner, ids),
                balances.c.amount < 0,
            )
            .distinct()
            .order_by(balances.c.owner)
        )
        found += map(MemberId, snapshot.connection.execute(statement).scalars())
    return found


def _latest_day(snapshot: Snapshot, clock: Clock) -> date:
    """Where it is latest: what has lapsed in any store pays nothing."""
    zones = select(stores.c.zone).where(stores.c.shard == snapshot.shard).distinct()
    names = snapshot.connection.execute(zones).scalars().all() or ["UTC"]
    return max(clock.now().astimezone(ZoneInfo(name)).date() for name in names)


def _by_unit(rows: Iterable[BalanceRow]) -> dict[Unit, list[Lot]]:
    """Lots whose own entry is here, and the debt; of others nobody knows what they had."""
    found: defaultdict[Unit, list[Lot]] = defaultdict(list)
    for row in rows:
        if row.account == AccountKind.POINTS and (row.earned_on or row.lot == DEBT_LOT):
            found[Unit(row.unit)].append(lot_of(row))
    return found


def _moves(
    snapshot: Snapshot, member: MemberId, lots: Sequence[Lot], today: date
) -> Mapping[LotId, int]:
    """What each lot gets, below zero what it gives; all of it sums to zero."""
    short = {lot.lot: -lot.points for lot in lots if lot.points < 0 and lot.lot != DEBT_LOT}
    recovered = recovered_from(snapshot, member) if short else Counter[LotId]()
    back = {lot: min(missing, recovered[lot]) for lot, missing in short.items()}
    return paying_debts(lots, today, given_back=back)


def _fact(key: str, member: MemberId, unit: Unit, moved: Mapping[LotId, int]) -> PointsTransferred:
    return PointsTransferred(
        natural_key=key,
        reason=RECOVERY,
        decimals=exponent_of(unit),
        from_member=member,
        from_lots=tuple(
            LotDraw(lot=lot, points=-change) for lot, change in moved.items() if change < 0
        ),
        to_member=member,
        to_lots=tuple(
            LotDraw(lot=lot, points=change) for lot, change in moved.items() if change > 0
        ),
    )
