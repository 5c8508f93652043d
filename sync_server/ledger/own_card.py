"""A cashier's own card at strangers' sales: one member, one operator, one day, far too often."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from shared.ids import EntryId, MemberId
from shared.trade.ticket import SaleCompleted
from sync_server.database.among import among
from sync_server.database.schema import member_days
from sync_server.database.transaction import Work
from sync_server.ledger.finding import FACTS_MAX, Finding, Rule
from sync_server.ledger.kept import Reading

SALES_A_DAY_MAX: Final = 10
"""Of one member by one operator; who comes that often is a friend, or the cashier."""


class _Day(NamedTuple):
    member_id: MemberId
    operator_id: str
    day: str


def find_own_cards(work: Work, readings: Sequence[Reading]) -> list[Finding]:
    """Count sales by member, operator and day; those days that are beyond belief."""
    sales: dict[_Day, list[EntryId]] = defaultdict(list)
    for reading in readings:
        fact = reading.fact
        if isinstance(fact, SaleCompleted) and fact.member is not None and not fact.training:
            day = reading.envelope.occurred_at[:10]
            sales[_Day(MemberId(fact.member.member_id), fact.operator_id, day)].append(reading.id)
    if not sales:
        return []
    before = _counted(work, sales)
    _add(work, {day: len(entries) for day, entries in sales.items()})
    return [
        Finding(
            rule=Rule.MEMBER_TOO_OFTEN,
            natural_key=f"member-too-often:{day.member_id}:{day.operator_id}:{day.day}",
            facts=tuple(entries[max(0, SALES_A_DAY_MAX - before.get(day, 0)) :][:FACTS_MAX]),
            member_id=day.member_id,
        )
        for day, entries in sales.items()
        if before.get(day, 0) + len(entries) > SALES_A_DAY_MAX
    ]


def _counted(work: Work, sales: dict[_Day, list[EntryId]]) -> dict[_Day, int]:
    columns = member_days.c
    statement = select(member_days).where(
        columns.shard == work.shard,
        among(columns.member_id, {day.member_id for day in sales}),
        among(columns.day, {day.day for day in sales}),
    )
    return {
        _Day(MemberId(row.member_id), row.operator_id, row.day): row.sales
        for row in work.connection.execute(statement)
    }


def _add(work: Work, counts: dict[_Day, int]) -> None:
    rows = [{**day._asdict(), "sales": count} for day, count in counts.items()]
    work.put(member_days, rows, "sales = member_days.sales + excluded.sales")
