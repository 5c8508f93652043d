"""Regions: which members the tills of some stores hold.

A store without a region has tills that hold everybody. A member is in every region where a till
has enrolled them, sold to them or looked them up; so whatever a till holds of a member, its pull
keeps true. They leave where head office says so, or where nobody has seen them for long.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, bindparam, select, update

from shared.ids import JournalId, MemberId, StoreId
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.schema import member_regions, stores, tills
from sync_server.database.transaction import Snapshot, Work
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import links_above
from sync_server.members.roll import concerns, touch
from sync_server.members.segments import in_batches

EVERYWHERE: Final = ""
"""The region of stores whose tills hold all members."""

_columns = member_regions.c
_REGIONS: Final = (
    select(tills.c.journal, stores.c.region)
    .join(stores, (stores.c.shard == tills.c.shard) & (stores.c.store_id == tills.c.store_id))
    .where(
        tills.c.shard == bindparam("shard"),
        among_told(tills.c.journal, "journals"),
        stores.c.region != EVERYWHERE,
    )
)
"""Asked with every push: made once."""


def region_of_store(snapshot: Snapshot, store_id: StoreId | None) -> str:
    """A store's region; that of everything for a store that is not known."""
    statement = select(stores.c.region).where(
        stores.c.shard == snapshot.shard, stores.c.store_id == store_id
    )
    return snapshot.connection.execute(statement).scalar() or EVERYWHERE


def note_seen(work: Work, readings: Sequence[Reading], today: str) -> None:
    """Let members be in the regions of the tills that wrote facts about them.

    A till whose clock is ahead has not seen anybody later than ``today``.
    """
    regions = _regions_of_journals(work, {reading.envelope.journal for reading in readings})
    if not regions:
        return
    seen: dict[str, dict[MemberId, str]] = defaultdict(dict)
    for reading in readings:
        region = regions.get(reading.envelope.journal)
        if region is not None:
            day = min(reading.envelope.occurred_at[:10], today)
            for member in concerns(reading.fact):
                seen[region][member] = max(day, seen[region].get(member, ""))
    for region, days in seen.items():
        enter(work, region, days)


def enter(work: Work, region: str, seen: Mapping[MemberId, str]) -> None:
    """Members, and who they are by now, are in a region from now on; by the day they were seen.

    So are all between: a till finds the way from a card to its points by one alias after another.
    """
    above, wanted = links_above(work, seen), dict(seen)
    for member, day in seen.items():
        one = member
        while one in above:
            one = above[one]
            wanted[one] = max(day, wanted.get(one, ""))
    known = {row.member_id: row for row in _rows(work, region, list(wanted))}
    new = {one for one in wanted if one not in known or known[one].has_left}
    rows = [
        {"member_id": one, "region": region, "seen_on": day, "has_left": False, "is_counted": False}
        for one, day in wanted.items()
        if one in new or known[one].seen_on < day
    ]
    work.put(member_regions, rows, "seen_on = excluded.seen_on, has_left = FALSE")
    touch(work, [one for one in wanted if one in new])


def leave(work: Work, region: str, member_ids: Sequence[MemberId]) -> None:
    """Tills of a region forget members; the row stays, so that a till that was away hears of it."""
    for ids in in_batches(member_ids):
        work.connection.execute(
            update(member_regions)
            .where(
                _columns.shard == work.shard,
                _columns.region == region,
                _columns.member_id.in_(ids),
            )
            .values(has_left=True)
        )
    touch(work, member_ids)


def enter_regions_of(work: Work, alias: MemberId, into: MemberId) -> None:
    """Whoever goes on is where the alias is: tills look for an alias's balances there."""
    for row in regions_with(work, [alias]):
        enter(work, row.region, {into: row.seen_on})


def regions_with(snapshot: Snapshot, member_ids: Sequence[MemberId]) -> list[Row[Any]]:
    """Where some members are."""
    found: list[Row[Any]] = []
    for ids in in_batches(member_ids):
        statement = select(member_regions).where(
            _columns.shard == snapshot.shard,
            _columns.member_id.in_(ids),
            _columns.has_left.is_(False),
        )
        found += snapshot.connection.execute(statement)
    return found


def who_is_elsewhere(
    snapshot: Snapshot, region: str, member_ids: Sequence[MemberId]
) -> list[MemberId]:
    """Those of some members who are not in a region."""
    here = {row.member_id for row in _rows(snapshot, region, member_ids) if not row.has_left}
    return [one for one in member_ids if one not in here]


def _rows(snapshot: Snapshot, region: str, member_ids: Sequence[MemberId]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for ids in in_batches(member_ids):
        statement = select(member_regions).where(
            _columns.shard == snapshot.shard,
            _columns.region == region,
            _columns.member_id.in_(ids),
        )
        found += snapshot.connection.execute(statement)
    return found


def _regions_of_journals(snapshot: Snapshot, journals: Iterable[JournalId]) -> dict[str, str]:
    told = {"shard": snapshot.shard, "journals": rows_of_keys(journals)}
    return {row.journal: row.region for row in snapshot.connection.execute(_REGIONS, told)}
