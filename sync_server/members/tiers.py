"""Head office sets a member's tier by hand: a floor until its day."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import MemberId
from shared.ledger.account import AccountKind, tier_of
from shared.trade.member import FloorEnded, TierSet
from shared.trade.writing import Writing
from sync_server.database.schema import balances
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.journal.own import OwnJournal
from sync_server.members.aliases import stands_for
from sync_server.members.rows import find_member
from sync_server.programme.bundles import newest_programme


@dataclass(frozen=True, slots=True)
class TierDesk:
    """Sets tiers and ends what was set; tills hear of it with the members' rows."""

    database: Database
    clock: Clock
    own: OwnJournal

    def set(self, member_id: MemberId, tier: str, last_day: date) -> None:
        """No lower tier until the end of a day, in place of what was set before.

        Raises DomainError ``unknown-member``, ``unknown-tier`` and ``tier-day-over``.
        """
        with self.database.writing() as work:
            member = _person(work, member_id)
            programme = newest_programme(work)
            ladder = [one.id for one in programme.tiers.ladder] if programme else []
            if tier not in ladder:
                raise DomainError("unknown-tier", tier=tier, known=", ".join(ladder))
            today = self.clock.now().date()
            if last_day < today:
                raise DomainError("tier-day-over", day=last_day.isoformat())
            fact = TierSet(
                member_id=member,
                tier=tier,
                last_day=last_day.isoformat(),
                ended=_floors(work, member),
            )
            self.own.write(work, [Writing(fact)])

    def end(self, member_id: MemberId) -> bool:
        """What the member has bought decides again; False where nothing was set.

        Raises DomainError ``unknown-member``.
        """
        with self.database.writing() as work:
            member = _person(work, member_id)
            ended = _floors(work, member)
            if ended:
                self.own.write(work, [Writing(TierSet(member_id=member, ended=ended))])
        return bool(ended)


def _person(work: Work, member_id: MemberId) -> MemberId:
    member = stands_for(work, member_id)
    if not find_member(work, member):
        raise DomainError("unknown-member", member=member_id)
    return member


def _floors(snapshot: Snapshot, member: MemberId) -> tuple[FloorEnded, ...]:
    columns = balances.c
    statement = select(columns.lot, columns.unit).where(
        columns.shard == snapshot.shard,
        columns.owner == member,
        columns.account == AccountKind.TIER_FLOOR.value,
        columns.amount > 0,
    )
    found = snapshot.connection.execute(statement.order_by(columns.lot))
    return tuple(FloorEnded(tier=tier_of(row.unit), last_day=row.lot) for row in found)
