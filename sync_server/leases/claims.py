"""Holds what tills spent against the leases they spent by: the books of leases, and findings.

Each reading is looked at in the state after exactly the readings before it. Nothing is refused: a
spend beyond a lease is booked like any other, and becomes an exception.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, func, select, update

from shared.clock import hybrid_milliseconds
from shared.ids import EntryId, MemberId
from shared.ledger.account import AccountKind
from shared.ledger.spending import Spend, spends_of
from shared.trade.lease import LeaseClosed
from shared.trade.server import ExceptionEffect
from shared.trade.value import GiftCardSold
from sync_server.database.among import among
from sync_server.database.schema import gift_cards, lease_spends, leases
from sync_server.database.transaction import Work
from sync_server.journal.forks import has_forked
from sync_server.ledger.coupon_rights import in_batches
from sync_server.ledger.finding import FACTS_MAX, Finding, Rule
from sync_server.ledger.kept import Reading
from sync_server.programme.bundles import programme_of


class LeaseState(StrEnum):
    """Whether the rights of a lease are still with its till."""

    OPEN = "open"
    CLOSED = "closed"
    """Its till's journal says so: the rest is available again."""
    RECLAIMED = "reclaimed"
    """Head office took it back by hand; what it has left is exposure until the till closes it."""


@dataclass(slots=True)
class KnownLease:
    """A lease while a batch is looked at."""

    row: Row[Any]
    state: str
    spent: int
    is_touched: bool = False

    def is_of(self, reading: Reading, spend: Spend) -> bool:
        """Whether the lease is for this till and this account."""
        row, place = self.row, reading.envelope
        if (row.journal, row.epoch) != (place.journal, place.epoch):
            return False
        if row.account != spend.account or row.unit != spend.unit:
            return False
        return not row.owner or row.owner == spend.owner


def settle_leases(work: Work, readings: Sequence[Reading]) -> list[Finding]:
    """Book what was spent by leases and which were closed; what should not be is returned."""
    spends = {reading.id: list(spends_of(reading.id, reading.fact)) for reading in readings}
    closings = [r for r in readings if isinstance(r.fact, LeaseClosed)]
    _note_cards(work, readings)
    if not closings and not any(spends.values()):
        return []
    named = {s.lease_id for found in spends.values() for s in found if s.lease_id}
    named |= {r.fact.lease_id for r in closings if isinstance(r.fact, LeaseClosed)}
    known = _known(work, named)
    claims = _Claims(work, known)
    findings = [
        finding for reading in readings for finding in claims.step(reading, spends[reading.id])
    ]
    claims.keep()
    return findings


class _Claims:
    def __init__(self, work: Work, known: dict[str, KnownLease]) -> None:
        self._work = work
        self._known = known
        self._rows: list[dict[str, Any]] = []
        self._by_member: dict[tuple[str, str], int] = {}

    def step(self, reading: Reading, spends: list[Spend]) -> Iterator[Finding]:
        """One reading."""
        if isinstance(reading.fact, LeaseClosed):
            yield from self._close(reading, reading.fact)
        for spend in spends:
            if spend.amount > 0:
                yield from self._spend(reading, spend)

    def _close(self, reading: Reading, closed: LeaseClosed) -> Iterator[Finding]:
        lease = self._known.get(closed.lease_id)
        place = reading.envelope
        if lease is None:
            yield _finding(Rule.LEASE_UNKNOWN, closed.lease_id, reading)
        elif lease.row.journal != place.journal or lease.row.epoch > place.epoch:
            yield _finding(Rule.LEASE_FOREIGN, closed.lease_id, reading, lease)
        elif not has_forked(self._work, lease.row.journal, lease.row.epoch):
            # Of a copied disk one copy may close what the other still spends by.
            lease.state, lease.is_touched = LeaseState.CLOSED, True

    def _spend(self, reading: Reading, spend: Spend) -> Iterator[Finding]:
        if spend.lease_id is None:
            if self._needs_lease(spend):
                yield _finding(Rule.SPENT_WITHOUT_LEASE, "", reading, spend=spend)
            return
        lease = self._known.get(spend.lease_id)
        if lease is None:
            yield _finding(Rule.LEASE_UNKNOWN, spend.lease_id, reading, spend=spend)
            return
        if not lease.is_of(reading, spend):
            yield _finding(Rule.LEASE_FOREIGN, spend.lease_id, reading, lease, spend)
            return
        self._book(reading, spend, lease)
        yield from self._beyond(reading, spend, lease)

    def _book(self, reading: Reading, spend: Spend, lease: KnownLease) -> None:
        lease.spent, lease.is_touched = lease.spent + spend.amount, True
        key = lease.row.lease_id, spend.member_id
        self._by_member[key] = self._spent_by(*key) + spend.amount
        self._rows.append(
            {
                "entry_id": reading.id,
                "position": spend.position,
                "lease_id": lease.row.lease_id,
                "member_id": spend.member_id,
                "amount": spend.amount,
            }
        )

    def _spent_by(self, lease_id: str, member_id: str) -> int:
        key = lease_id, member_id
        if key not in self._by_member:
            columns = lease_spends.c
            found = self._work.connection.execute(
                select(func.sum(columns.amount)).where(
                    columns.shard == self._work.shard,
                    columns.lease_id == lease_id,
                    columns.member_id == member_id,
                )
            ).scalar()
            self._by_member[key] = int(found or 0)
        return self._by_member[key]

    def _beyond(self, reading: Reading, spend: Spend, lease: KnownLease) -> Iterator[Finding]:
        row = lease.row
        ends_ms = int(datetime.fromisoformat(row.last_at).timestamp() * 1000)
        if lease.state != LeaseState.OPEN:
            yield _finding(Rule.LEASE_CLOSED, row.lease_id, reading, lease, spend)
        # The hybrid clock never runs backwards, whatever the till's clock was set to.
        if hybrid_milliseconds(reading.envelope.hlc) >= ends_ms:
            yield _finding(Rule.LEASE_EXPIRED, row.lease_id, reading, lease, spend)
        by_member = self._spent_by(row.lease_id, spend.member_id)
        too_much = max(
            lease.spent - row.amount, by_member - row.per_member if row.per_member else 0
        )
        if too_much > 0:
            yield _finding(
                Rule.LEASE_OVERSPENT,
                row.lease_id,
                reading,
                lease,
                spend,
                amount=-too_much,
                earlier=self._earlier(row.lease_id),
            )

    def _earlier(self, lease_id: str) -> list[EntryId]:
        """What was spent by the lease before, the newest first."""
        columns = lease_spends.c
        stored = self._work.connection.execute(
            select(columns.entry_id)
            .where(columns.shard == self._work.shard, columns.lease_id == lease_id)
            .order_by(columns.entry_id.desc())
            .limit(FACTS_MAX)
        ).scalars()
        recent = [row["entry_id"] for row in self._rows if row["lease_id"] == lease_id]
        return [EntryId(one) for one in (*reversed(recent), *stored)]

    def _needs_lease(self, spend: Spend) -> bool:
        if spend.account is not AccountKind.POINTS:
            return True
        programme = programme_of(self._work, spend.programme) if spend.programme else None
        return programme is not None and programme.leases.for_points

    def keep(self) -> None:
        """Store what was booked."""
        self._work.insert(lease_spends, self._rows)
        rows = [
            {"lease": lease.row.lease_id, "now_spent": lease.spent, "now_state": str(lease.state)}
            for lease in self._known.values()
            if lease.is_touched
        ]
        if rows:
            statement = (
                update(leases)
                .where(leases.c.shard == self._work.shard, leases.c.lease_id == bindparam("lease"))
                .values(spent=bindparam("now_spent"), state=bindparam("now_state"))
            )
            self._work.connection.execute(statement, rows)


def _known(work: Work, ids: set[str]) -> dict[str, KnownLease]:
    found: dict[str, KnownLease] = {}
    for keys in in_batches(ids):
        statement = select(leases).where(
            leases.c.shard == work.shard, among(leases.c.lease_id, keys)
        )
        for row in work.connection.execute(statement):
            found[row.lease_id] = KnownLease(row, row.state, row.spent)
    return found


def _note_cards(work: Work, readings: Sequence[Reading]) -> None:
    rows = [
        {"card_id": fact.card_id, "entry_id": reading.id, "last_day": fact.last_day}
        for reading in readings
        if isinstance(fact := reading.fact, GiftCardSold)
    ]
    work.insert(gift_cards, rows)


def _finding(
    rule: Rule,
    lease_id: str,
    reading: Reading,
    lease: KnownLease | None = None,
    spend: Spend | None = None,
    *,
    amount: int = 0,
    earlier: Sequence[EntryId] = (),
) -> Finding:
    """An exception with the grant, what was spent before, and the fact it is about."""
    granted = (EntryId(lease.row.granted_by),) if lease else ()
    linked = dict.fromkeys([*granted, *earlier])
    facts = [fact for fact in linked if fact != reading.id][: FACTS_MAX - 1]
    effects: tuple[ExceptionEffect, ...] = ()
    if spend is not None:
        effects = (
            ExceptionEffect(
                account=spend.account,
                owner=spend.owner,
                unit=spend.unit,
                amount=amount or -spend.amount,
            ),
        )
    position = f":{spend.position}" if spend else ""
    return Finding(
        rule=rule,
        natural_key=f"{rule}:{lease_id}:{reading.id}{position}",
        facts=(*facts, reading.id),
        member_id=MemberId(spend.member_id) if spend and spend.member_id else None,
        effects=effects,
    )
