"""Regions: which members the tills of some stores hold.

A store without a region has tills that hold everybody. A member is in every region where a till
has enrolled them, sold to them or looked them up; so whatever a till holds of a member, its pull
keeps true. They leave where head office says so, or where nobody has seen them for long.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select, update

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import JournalId, MemberId, StoreId
from sync_server.database.schema import entries, member_regions, members, stores, tickets, tills
from sync_server.database.transaction import Database, Snapshot, Work
from sync_server.ledger.kept import Reading
from sync_server.members.aliases import one_person, stands_for
from sync_server.members.roll import concerns, touch
from sync_server.members.segments import in_batches

EVERYWHERE: Final = ""
"""The region of stores whose tills hold all members."""
NAME_LENGTH_MAX: Final = 60

_columns = member_regions.c


def region_of_store(snapshot: Snapshot, store_id: StoreId | None) -> str:
    """A store's region; that of everything for a store that is not known."""
    statement = select(stores.c.region).where(
        stores.c.shard == snapshot.shard, stores.c.store_id == store_id
    )
    return snapshot.connection.execute(statement).scalar() or EVERYWHERE


def note_seen(work: Work, readings: Sequence[Reading]) -> None:
    """Let members be in the regions of the tills that wrote facts about them."""
    regions = _regions_of_journals(work, {reading.envelope.journal for reading in readings})
    if not regions:
        return
    seen: dict[str, dict[MemberId, str]] = defaultdict(dict)
    for reading in readings:
        region = regions.get(reading.envelope.journal)
        if region is not None:
            day = reading.envelope.occurred_at[:10]
            for member in concerns(reading.fact):
                seen[region][member] = max(day, seen[region].get(member, ""))
    for region, days in seen.items():
        enter(work, region, days)


def enter(work: Work, region: str, seen: dict[MemberId, str]) -> None:
    """Members, and who they are by now, are in a region from now on; by the day they were seen."""
    wanted: dict[MemberId, str] = {}
    for member, day in seen.items():
        for one in {member, stands_for(work, member)}:
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
    statement = select(_columns.region, _columns.seen_on).where(
        _columns.shard == work.shard, _columns.member_id == alias, _columns.has_left.is_(False)
    )
    for row in work.connection.execute(statement).all():
        enter(work, row.region, {into: row.seen_on})


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
    statement = (
        select(tills.c.journal, stores.c.region)
        .join(stores, (stores.c.shard == tills.c.shard) & (stores.c.store_id == tills.c.store_id))
        .where(
            tills.c.shard == snapshot.shard,
            tills.c.journal.in_(list(journals)),
            stores.c.region != EVERYWHERE,
        )
    )
    return {row.journal: row.region for row in snapshot.connection.execute(statement)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionState:
    """A region with how many stores and members it has."""

    region: str
    stores: int
    members: int


@dataclass(frozen=True, slots=True)
class RegionDesk:
    """What head office decides about regions."""

    database: Database
    clock: Clock

    def states(self) -> list[RegionState]:
        """All regions; that of everything has all members."""
        with self.database.reading() as snapshot:
            connection, shard = snapshot.connection, snapshot.shard
            counts = (
                select(_columns.region, func.count())
                .where(_columns.shard == shard, _columns.is_counted.is_(True))
                .group_by(_columns.region)
            )
            held = {region: int(n) for region, n in connection.execute(counts)}
            everybody = select(func.count()).where(
                members.c.shard == shard, members.c.gone.is_(False)
            )
            held[EVERYWHERE] = connection.execute(everybody).scalar_one()
            of_stores = (
                select(stores.c.region, func.count())
                .where(stores.c.shard == shard)
                .group_by(stores.c.region)
            )
            shops = {region: int(n) for region, n in connection.execute(of_stores)}
            return [
                RegionState(region=one, stores=shops.get(one, 0), members=held.get(one, 0))
                for one in sorted({*held, *shops})
            ]

    def set_store(self, store_id: StoreId, region: str) -> int:
        """Put a store into a region, or with an empty name into none; how many members came in.

        Its tills begin the members' stream anew. Raises DomainError ``unknown-store`` and
        ``bad-region``.
        """
        region = _checked(region)
        with self.database.writing() as work:
            of_store = (stores.c.shard == work.shard, stores.c.store_id == store_id)
            changed = work.connection.execute(update(stores).where(*of_store).values(region=region))
            if changed.rowcount == 0:
                raise DomainError("unknown-store", store=store_id)
            if region == EVERYWHERE:
                return 0
            known = _known_in(work, store_id)
            new = who_is_elsewhere(work, region, list(known))
            enter(work, region, {one: known[one] for one in new})
            return len(new)

    def move(self, member_id: MemberId, region: str) -> None:
        """Let a member, under all enrolments, be in one region and no other.

        Raises DomainError ``unknown-member`` and ``bad-region``.
        """
        region = _checked(region)
        with self.database.writing() as work:
            present = select(members.c.member_id).where(
                members.c.shard == work.shard,
                members.c.member_id == member_id,
                members.c.gone.is_(False),
            )
            if work.connection.execute(present).first() is None:
                raise DomainError("unknown-member", member=member_id)
            person = one_person(work, member_id)
            for other in _regions_with(work, person):
                if other != region:
                    leave(work, other, person)
            if region != EVERYWHERE:
                today = self.clock.now().date().isoformat()
                enter(work, region, dict.fromkeys(person, today))

    def prune(self, days: int) -> int:
        """Members leave regions where nobody has seen them for so many days, save the last one
        where somebody did; how many times somebody left.
        """
        oldest = (self.clock.now() - timedelta(days=days)).date().isoformat()
        total = 0
        with self.database.writing() as work:
            newest = (
                select(_columns.member_id, func.max(_columns.seen_on).label("day"))
                .where(_columns.shard == work.shard, _columns.has_left.is_(False))
                .group_by(_columns.member_id)
                .subquery()
            )
            statement = (
                select(_columns.region, _columns.member_id)
                .join(newest, newest.c.member_id == _columns.member_id)
                .where(
                    _columns.shard == work.shard,
                    _columns.has_left.is_(False),
                    _columns.seen_on < oldest,
                    _columns.seen_on < newest.c.day,
                )
            )
            going: dict[str, list[MemberId]] = defaultdict(list)
            for row in work.connection.execute(statement).all():
                if not _is_needed(work, row.region, MemberId(row.member_id)):
                    going[row.region].append(MemberId(row.member_id))
            for region, ids in going.items():
                leave(work, region, ids)
                total += len(ids)
        return total


def _is_needed(work: Work, region: str, member: MemberId) -> bool:
    """Whether an alias of a member is in the region: its balances are the member's."""
    others = [one for one in one_person(work, member) if one != member]
    return any(not row.has_left for row in _rows(work, region, others))


def _regions_with(work: Work, person: Sequence[MemberId]) -> list[str]:
    statement = select(_columns.region).where(
        _columns.shard == work.shard,
        _columns.member_id.in_(person),
        _columns.has_left.is_(False),
    )
    return list(work.connection.execute(statement.distinct()).scalars())


def _known_in(work: Work, store_id: StoreId) -> dict[MemberId, str]:
    """Members who were enrolled in a store or have bought there, with the last day."""
    enrolled = select(members.c.member_id, func.coalesce(members.c.enrolled_at, "")).where(
        members.c.shard == work.shard,
        members.c.store_id == store_id,
        members.c.gone.is_(False),
    )
    bought = (
        select(tickets.c.member_id, func.max(entries.c.occurred_at))
        .join(
            entries,
            (entries.c.shard == tickets.c.shard) & (entries.c.id == tickets.c.entry_id),
        )
        .join(tills, (tills.c.shard == entries.c.shard) & (tills.c.journal == entries.c.journal))
        .join(
            members,
            (members.c.shard == tickets.c.shard) & (members.c.member_id == tickets.c.member_id),
        )
        .where(
            tickets.c.shard == work.shard,
            tills.c.store_id == store_id,
            members.c.gone.is_(False),
        )
        .group_by(tickets.c.member_id)
    )
    found: dict[MemberId, str] = {}
    for statement in (enrolled, bought):
        for member, at in work.connection.execute(statement):
            found[MemberId(member)] = max(found.get(MemberId(member), ""), at[:10])
    return found


def _checked(region: str) -> str:
    # As texts are written in what is signed: else the region in a file's terms is another one.
    region = unicodedata.normalize("NFC", region.strip())
    if len(region) > NAME_LENGTH_MAX or not (region.isprintable()):
        raise DomainError("bad-region", region=region[:NAME_LENGTH_MAX])
    return region
