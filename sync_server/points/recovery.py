"""Later earnings pay what a member owes: a fact of the server, in the transaction that takes in the
earning, so that it stays paid when their lots lapse.

Nothing is earned or lost by it. Which lots have paid in the end does not depend on the order in
which journals arrived: a lot that paid and has a better payer now, or was drawn on by a till that
did not know so, gets back what it gave.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import select

from shared.clock import Clock
from shared.ids import EntryId, LotId, MemberId
from shared.ledger.account import AccountKind, Unit, exponent_of
from shared.loyalty.lots import Lot, paying_debts
from shared.protocol.message import BalanceRow
from shared.trade.fact import LotDraw
from shared.trade.server import RECOVERY, PointsTransferred
from shared.trade.writing import Writing
from sync_server.database.among import among
from sync_server.database.schema import lots, natural_keys, stores
from sync_server.database.transaction import Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import links_above
from sync_server.members.roll import concerns
from sync_server.members.rows import read_balances
from sync_server.points.held import lot_of
from sync_server.points.recovered import Paid, debtors_among, paid_by_lots


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
        owing = debtors_among(work, touched | set(links_above(work, touched).values()))
        if not owing:
            return
        today = _latest_day(work, self.clock)
        held = read_balances(work, owing)
        writings: list[Writing] = []
        keys: list[str] = []
        for member in owing:
            paid = paid_by_lots(work, member)
            for unit, own in _by_unit(work, held.get(member, ()), paid).items():
                moved = paying_debts(own, today, paid.get(unit))
                if moved:
                    keys.append(f"recover:{cause}:{member}:{unit}")
                    writings.append(Writing(_fact(keys[-1], member, unit, moved)))
        written = self.own.write(work, writings)
        rows = [
            {"natural_key": key, "entry_id": entry}
            for key, entry in zip(keys, written, strict=True)
        ]
        work.insert(natural_keys, rows)


def _latest_day(snapshot: Snapshot, clock: Clock) -> date:
    """Where it is latest: what has lapsed in any store pays nothing."""
    zones = select(stores.c.zone).where(stores.c.shard == snapshot.shard).distinct()
    names = snapshot.connection.execute(zones).scalars().all() or ["UTC"]
    return max(clock.now().astimezone(ZoneInfo(name)).date() for name in names)


def _by_unit(snapshot: Snapshot, rows: Iterable[BalanceRow], paid: Paid) -> dict[Unit, list[Lot]]:
    """The debt and all lots, spent out ones that have paid among them."""
    found: defaultdict[Unit, list[Lot]] = defaultdict(list)
    for row in rows:
        if row.account == AccountKind.POINTS:
            found[Unit(row.unit)].append(lot_of(row))
    for unit, gave in paid.items():
        known = {lot.lot for lot in found[unit]}
        found[unit] += _spent_out(snapshot, unit, [lot for lot in gave if lot not in known])
    return found


def _spent_out(snapshot: Snapshot, unit: Unit, names: Sequence[LotId]) -> Iterator[Lot]:
    statement = select(lots.c.lot, lots.c.earned_on, lots.c.expires_on).where(
        lots.c.shard == snapshot.shard, among(lots.c.lot, names)
    )
    for lot, began, ends in snapshot.connection.execute(statement) if names else ():
        yield lot_of(
            BalanceRow(
                account=AccountKind.POINTS,
                lot=lot,
                unit=unit,
                amount=0,
                earned_on=began,
                expires_on=ends,
            )
        )


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
