"""What head office decides about regions: which stores are in one, and who leaves it.

What concerns many members is done a few hundred at a time, so that tills are not kept waiting.
Where it is cut short, the same command goes on.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import exists, func, select, update

from shared.clock import Clock
from shared.errors import DomainError
from shared.ids import MemberId, StoreId
from sync_server.database.schema import entries, member_regions, members, stores, tickets, tills
from sync_server.database.transaction import Database, Snapshot
from sync_server.members.aliases import heads_of_persons, one_person
from sync_server.members.regions import EVERYWHERE, enter, leave, regions_with, who_is_elsewhere

NAME_LENGTH_MAX: Final = 60
AT_ONCE: Final = 200
"""So many members come or go in one transaction."""

_columns = member_regions.c


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
        with self.database.reading() as snapshot:
            of_store = (stores.c.shard == snapshot.shard, stores.c.store_id == store_id)
            if not snapshot.connection.execute(select(exists().where(*of_store))).scalar():
                raise DomainError("unknown-store", store=store_id)
        came = self._let_in(store_id, region)
        with self.database.writing() as work:
            work.connection.execute(update(stores).where(*of_store).values(region=region))
        # Whoever was enrolled or bought before the store was in its region.
        return came + self._let_in(store_id, region)

    def _let_in(self, store_id: StoreId, region: str) -> int:
        """Let those be in a region who are known in a store; how many were not."""
        if region == EVERYWHERE:
            return 0
        with self.database.reading() as snapshot:
            known = _known_in(snapshot, store_id)
            new = who_is_elsewhere(snapshot, region, list(known))
        today = self.clock.now().date().isoformat()
        for at in range(0, len(new), AT_ONCE):
            with self.database.writing() as work:
                days = {one: min(known[one], today) for one in new[at : at + AT_ONCE]}
                enter(work, region, days)
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
            for other in sorted({row.region for row in regions_with(work, person)} - {region}):
                leave(work, other, person)
            if region != EVERYWHERE:
                today = self.clock.now().date().isoformat()
                enter(work, region, dict.fromkeys(person, today))

    def prune(self, days: int) -> int:
        """Members leave regions where nobody has seen them for so many days, under any of their
        enrolments, save the last one where somebody did; how many times somebody left.
        """
        oldest = (self.clock.now() - timedelta(days=days)).date().isoformat()
        total, after = 0, ""
        while True:
            with self.database.writing() as work:
                ids = _long_unseen(work, oldest, after)
                for region, going in _may_leave(work, ids, oldest).items():
                    leave(work, region, going)
                    total += len(going)
            if not ids:
                return total
            after = ids[-1]


def _long_unseen(snapshot: Snapshot, oldest: str, after: str) -> list[MemberId]:
    """The next members by id who are in some region where nobody has seen them since a day."""
    statement = (
        select(_columns.member_id)
        .where(
            _columns.shard == snapshot.shard,
            _columns.member_id > after,
            _columns.has_left.is_(False),
            _columns.seen_on < oldest,
        )
        .distinct()
        .order_by(_columns.member_id)
        .limit(AT_ONCE)
    )
    return [MemberId(one) for one in snapshot.connection.execute(statement).scalars()]


def _may_leave(
    snapshot: Snapshot, member_ids: Sequence[MemberId], oldest: str
) -> Mapping[str, list[MemberId]]:
    """By region who of these persons may leave it, with all their enrolments that are in it."""
    heads = heads_of_persons(snapshot, member_ids)
    here: dict[tuple[MemberId, str], list[MemberId]] = defaultdict(list)
    seen_on: dict[tuple[MemberId, str], str] = {}
    newest: dict[MemberId, str] = {}
    for row in regions_with(snapshot, list(heads)):
        head = heads[MemberId(row.member_id)]
        place = head, row.region
        here[place].append(MemberId(row.member_id))
        seen_on[place] = max(row.seen_on, seen_on.get(place, ""))
        newest[head] = max(row.seen_on, newest.get(head, ""))
    going: dict[str, list[MemberId]] = defaultdict(list)
    for (head, region), ids in here.items():
        if seen_on[head, region] < min(oldest, newest[head]):
            going[region] += ids
    return going


def _known_in(snapshot: Snapshot, store_id: StoreId) -> dict[MemberId, str]:
    """Members who were enrolled in a store or have bought there, with the last day."""
    enrolled = select(members.c.member_id, func.coalesce(members.c.enrolled_at, "")).where(
        members.c.shard == snapshot.shard,
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
            tickets.c.shard == snapshot.shard,
            tills.c.store_id == store_id,
            members.c.gone.is_(False),
        )
        .group_by(tickets.c.member_id)
    )
    found: dict[MemberId, str] = {}
    for statement in (enrolled, bought):
        for member, at in snapshot.connection.execute(statement):
            found[MemberId(member)] = max(found.get(MemberId(member), ""), at[:10])
    return found


def _checked(region: str) -> str:
    # As texts are written in what is signed: else the region in a file's terms is another one.
    region = unicodedata.normalize("NFC", region.strip())
    if len(region) > NAME_LENGTH_MAX or not (region.isprintable()):
        raise DomainError("bad-region", region=region[:NAME_LENGTH_MAX])
    return region
