"""Tills of a region hold its members and no others, whatever happens, and count the same."""

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import pytest
from sqlalchemy import update

from shared.clock import ManualClock
from shared.errors import DomainError
from shared.ids import MemberId, StoreId
from shared.protocol.message import (
    PROTOCOL,
    LookupReply,
    LookupRequest,
    MemberRow,
    PullReply,
    PullRequest,
    Stream,
)
from shared.protocol.replica import Scope, row_hash
from shared.trade.profile import MemberProfile
from sync_server.database import schema
from sync_server.database.transaction import Work
from sync_server.journal.audit import audit
from sync_server.members import region_desk
from sync_server.members.merging import Verified
from sync_server.members.regions import enter
from sync_server.sync.scopes import count_scopes
from tests.support.servers import Server
from tests.support.till_writer import Refused, TillWriter

STEPS = 32


@dataclass
class Replica:
    """What a till holds that reads on from where it stands."""

    server: Server
    till: TillWriter
    rows: dict[str, bytes] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    cursor: str | None = None
    scope: str = ""
    resyncs: int = 0

    def pull(self) -> None:
        """Read to the end, as a till does, and compare what is counted."""
        while True:
            request = PullRequest(
                protocol=PROTOCOL,
                stream=Stream.MEMBERS,
                cursor=self.cursor,
                limit=3,
                scope=self.scope,
            )
            try:
                page = self.server.line.post(
                    "/v1/sync/pull", request, PullReply, signer=self.till.key
                )
            except Refused:
                self.cursor, self.scope = None, ""
                self.rows.clear()
                self.resyncs += 1
                continue
            for encoded in page.rows:
                self._apply(bytes(encoded))
            self.cursor, self.scope = page.cursor, page.scope
            if page.is_last:
                break
        scope = Scope()
        for row in self.rows.values():
            scope = scope.changed(None, row_hash(row))
        assert (page.scope_rows, page.scope_checksum) == (scope.rows, scope.checksum)

    def _apply(self, encoded: bytes) -> None:
        row = msgspec.msgpack.decode(encoded, type=MemberRow)
        if row.gone:
            self.rows.pop(row.member_id, None)
            self.left += [row.member_id] * row.left
        else:
            self.rows[row.member_id] = encoded

    def store_id(self) -> StoreId:
        store = self.till.certificate.store_id
        assert store is not None
        return store

    def points(self, member: str) -> int:
        row = msgspec.msgpack.decode(self.rows[member], type=MemberRow)
        return sum(one.amount for one in row.balances if one.account == "points")

    def look_up(self, member: MemberId) -> LookupReply:
        """By a key that the member has."""
        with self.server.services.database.reading() as snapshot:
            key = snapshot.connection.execute(
                schema.member_keys.select().where(schema.member_keys.c.member_id == member)
            ).first()
        assert key is not None
        request = LookupRequest(protocol=PROTOCOL, member_key=key.key_hash)
        return self.server.line.post("/v1/lookup", request, LookupReply, signer=self.till.key)


@pytest.fixture
def north(server: Server) -> Replica:
    return Replica(server, server.enrol_till("north"))


@pytest.fixture
def south(server: Server) -> Replica:
    return Replica(server, server.enrol_till("south"))


@pytest.fixture
def everywhere(server: Server) -> Replica:
    return Replica(server, server.enrol_till("everywhere"))


def flaws(server: Server) -> list[tuple[str, str]]:
    with server.services.database.reading() as snapshot:
        return [(flaw.code, flaw.where) for flaw in audit(snapshot).flaws]


def enrolled(replica: Replica) -> MemberId:
    profile = MemberProfile(name="Li Lei", phone=str(secrets.randbelow(10**9) + 10**10))
    member = replica.till.enrol_member(profile)
    replica.server.line.push(replica.till)
    return member


def test_without_regions_every_till_holds_everybody(north: Replica, south: Replica) -> None:
    members = {enrolled(north), enrolled(south)}
    for replica in (north, south):
        replica.pull()
        assert set(replica.rows) == members
        assert (replica.scope, replica.resyncs) == ("", 0)


def test_a_store_in_a_region_holds_those_it_knows_and_begins_anew(
    server: Server, north: Replica, south: Replica, everywhere: Replica
) -> None:
    regions = server.services.regions
    mine, theirs = enrolled(north), enrolled(south)
    north.till.sell(10_000, member=theirs, earned=100)
    server.line.push(north.till)
    for replica in (north, south, everywhere):
        replica.pull()
    assert regions.set_store(north.store_id(), "north") == 2
    assert regions.set_store(south.store_id(), "south") == 1
    for replica in (north, south, everywhere):
        replica.pull()
    assert set(north.rows) == {mine, theirs}
    assert set(south.rows) == {theirs}
    assert set(everywhere.rows) == {mine, theirs}
    assert [one.resyncs for one in (north, south, everywhere)] == [1, 1, 0]
    told = {one.region: (one.stores, one.members) for one in regions.states()}
    assert told == {"": (1, 2), "north": (1, 2), "south": (1, 1)}
    regions.set_store(north.store_id(), "")
    north.pull()
    assert (north.scope, north.resyncs) == ("", 2)
    assert flaws(server) == []


def test_a_member_of_another_region_is_looked_up_earns_and_is_kept_true_from_then_on(
    server: Server, north: Replica, south: Replica
) -> None:
    for replica in (north, south):
        server.services.regions.set_store(replica.store_id(), replica.till.certificate.store_id[:5])
    member = enrolled(north)
    south.pull()
    assert south.rows == {}
    (found,) = south.look_up(member).members
    assert found.member_id == member
    south.pull()
    assert set(south.rows) == {member}
    south.till.sell(10_000, member=member, earned=100)
    server.line.push(south.till)
    north.till.sell(20_000, member=member, earned=200)
    server.line.push(north.till)
    for replica in (north, south):
        replica.pull()
        assert replica.points(member) == 300

    server.services.regions.move(member, south.scope)
    north.pull()
    south.pull()
    assert (set(north.rows), north.left) == (set(), [member])
    assert set(south.rows) == {member}
    # A till that was away hears of the leave row, and of the erasure after it.
    server.services.erasure.erase(member, reason="request")
    for replica in (north, south, Replica(server, north.till)):
        replica.pull()
        assert replica.rows == {}
    assert flaws(server) == []


def test_who_was_not_seen_for_long_leaves_save_where_they_were_seen_last(
    server: Server, north: Replica, south: Replica, clock: ManualClock
) -> None:
    for replica, region in ((north, "north"), (south, "south")):
        server.services.regions.set_store(replica.store_id(), region)
    visitor, at_home = enrolled(north), enrolled(north)
    clock.advance(seconds=300 * 24 * 3600)
    south.look_up(visitor)
    clock.advance(seconds=200 * 24 * 3600)
    assert server.services.regions.prune(400) == 1
    for replica in (north, south):
        replica.pull()
    assert set(north.rows) == {at_home}
    assert set(south.rows) == {visitor}
    assert server.services.regions.prune(400) == 0


def test_merged_members_leave_together_and_the_last_who_saw_any_of_them_keeps_them(
    server: Server, north: Replica, south: Replica, clock: ManualClock
) -> None:
    for replica, region in ((north, "north"), (south, "south")):
        server.services.regions.set_store(replica.store_id(), region)
    alias, into, apart = enrolled(north), enrolled(north), enrolled(north)
    server.services.merging.merge(alias, into, verified=Verified.OFFICE)
    # Of these the old cards were not seen for long, but in both regions the members were.
    kept = {enrolled(north): enrolled(north) for _ in range(4)}
    for old, new in kept.items():
        server.services.merging.merge(old, new, verified=Verified.OFFICE)
    for replica in (north, south):
        clock.advance(seconds=150 * 24 * 3600)
        for member in kept.values():
            replica.till.clock.at = clock.at
            replica.till.sell(10_000, member=member, earned=100)
        server.line.push(replica.till)
    south.look_up(into)
    clock.advance(seconds=200 * 24 * 3600)
    assert server.services.regions.prune(400) == 2
    for replica in (north, south):
        replica.pull()
    assert set(north.rows) == {apart, *kept, *kept.values()}
    assert into in south.rows
    assert server.services.regions.prune(400) == 0
    assert flaws(server) == []


def test_whoever_is_seen_by_an_old_card_is_known_with_all_who_they_became(
    server: Server, north: Replica, south: Replica
) -> None:
    for replica, region in ((north, "north"), (south, "south")):
        server.services.regions.set_store(replica.store_id(), region)
    first, second, third = (enrolled(north) for _ in range(3))
    north.till.sell(10_000, member=first, earned=100)
    server.line.push(north.till)
    server.services.merging.merge(first, second, verified=Verified.OFFICE)
    server.services.merging.merge(second, third, verified=Verified.OFFICE)
    south.till.sell(10_000, member=first, earned=10)
    server.line.push(south.till)
    south.pull()
    assert set(south.rows) == {first, second, third}
    assert south.points(third) == 110
    assert flaws(server) == []


def test_a_clock_that_is_ahead_keeps_nobody_in_a_region_for_ever(
    server: Server, north: Replica, south: Replica, clock: ManualClock
) -> None:
    for replica, region in ((north, "north"), (south, "south")):
        server.services.regions.set_store(replica.store_id(), region)
    north.till.clock.advance(seconds=20 * 366 * 24 * 3600)
    member = enrolled(north)
    clock.advance(seconds=24 * 3600)
    south.look_up(member)
    clock.advance(seconds=401 * 24 * 3600)
    assert server.services.regions.prune(400) == 1
    north.pull()
    assert north.rows == {}


def test_many_come_and_go_a_few_at_a_time_and_a_cut_is_gone_on_from(
    server: Server,
    north: Replica,
    south: Replica,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    regions = server.services.regions
    monkeypatch.setattr(region_desk, "AT_ONCE", 2)
    here = {enrolled(north) for _ in range(5)}
    steps: list[int] = []

    def fail_at_the_second(work: Work, region: str, seen: Mapping[MemberId, str]) -> None:
        steps.append(len(seen))
        if len(steps) == 2:
            raise RuntimeError("the power")
        enter(work, region, seen)

    with monkeypatch.context() as power:
        power.setattr(region_desk, "enter", fail_at_the_second)
        with pytest.raises(RuntimeError, match="the power"):
            regions.set_store(north.store_id(), "north")
    north.pull()
    assert set(north.rows) == here
    assert north.scope == ""
    assert regions.set_store(north.store_id(), "north") == 3
    north.pull()
    assert (set(north.rows), north.scope, steps) == (here, "north", [2, 2])

    regions.set_store(south.store_id(), "south")
    clock.advance(seconds=300 * 24 * 3600)
    for member in here:
        south.look_up(member)
    clock.advance(seconds=200 * 24 * 3600)
    assert regions.prune(400) == 5
    north.pull()
    south.pull()
    assert (set(north.rows), set(south.rows)) == (set(), here)
    assert flaws(server) == []


def test_wrong_names_are_refused(server: Server, north: Replica) -> None:
    regions = server.services.regions
    with pytest.raises(DomainError, match="bad-region"):
        regions.set_store(north.store_id(), "x" * 61)
    with pytest.raises(DomainError, match="unknown-store"):
        regions.set_store(StoreId("nowhere"), "north")
    with pytest.raises(DomainError, match="unknown-member"):
        regions.move(MemberId("nobody"), "north")


@dataclass
class Chain:
    """Three tills and a plain list of who should be where, kept beside what the server does."""

    server: Server
    replicas: dict[str, Replica]
    drawn: random.Random
    where: dict[MemberId, set[str]] = field(default_factory=dict)
    merged: dict[MemberId, MemberId] = field(default_factory=dict)

    def seen(self, member: MemberId, region: str) -> None:
        if region:
            self.where[member].add(region)
            if member in self.merged:
                self.seen(self.merged[member], region)

    def free(self) -> list[MemberId]:
        return sorted(set(self.where) - set(self.merged) - set(self.merged.values()))

    def enrol(self, region: str) -> None:
        member = enrolled(self.replicas[region])
        self.where[member] = set()
        self.seen(member, region)

    def sell(self, region: str) -> None:
        member, till = self.drawn.choice(sorted(self.where)), self.replicas[region].till
        till.sell(1000, member=member, earned=10)
        self.server.line.push(till)
        self.seen(member, region)

    def look_up(self, region: str) -> None:
        member = self.drawn.choice(sorted(set(self.where) - set(self.merged)))
        assert self.replicas[region].look_up(member).members
        self.seen(member, region)

    def move(self, region: str) -> None:
        member = self.drawn.choice(sorted(self.where))
        self.server.services.regions.move(member, region)
        head = self.merged.get(member, member)
        for one in self.where:
            if self.merged.get(one, one) == head:
                self.where[one] = {region} - {""}

    def erase(self, _region: str) -> None:
        member = self.drawn.choice(self.free())
        self.server.services.erasure.erase(member, reason="request")
        del self.where[member]

    def merge(self, region: str) -> None:
        if len(self.merged) >= 2:
            self.enrol(region)
            return
        alias, into = self.drawn.sample(self.free(), 2)
        self.server.services.merging.merge(alias, into, verified=Verified.OFFICE)
        self.merged[alias] = into
        for one in sorted(self.where[alias]):
            self.seen(into, one)

    def check(self, region: str) -> None:
        replica = self.replicas[region]
        replica.pull()
        due = {one for one, places in self.where.items() if not region or region in places}
        assert set(replica.rows) == due


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_each_till_holds_its_region_and_counts_as_the_server_does(
    server: Server, north: Replica, south: Replica, everywhere: Replica, seed: int
) -> None:
    replicas = {"north": north, "south": south, "": everywhere}
    chain = Chain(server, replicas, random.Random(seed))
    for region in ("north", "south"):
        server.services.regions.set_store(replicas[region].store_id(), region)
    for region in [*replicas] * 3:
        chain.enrol(region)
    acts = (chain.enrol, *[chain.sell] * 3, *[chain.look_up] * 2, chain.move, chain.merge)
    for step in range(STEPS):
        act = chain.erase if step in {15, 25} else chain.drawn.choice(acts)
        act(chain.drawn.choice([*replicas]))
        for region in replicas:
            if chain.drawn.random() < 0.4:
                chain.check(region)
    for region, replica in replicas.items():
        chain.check(region)
        fresh = Replica(server, replica.till)
        fresh.pull()
        assert fresh.rows == replica.rows
    assert flaws(server) == []

    # Counted anew from nothing, it is the same.
    with server.services.database.writing(is_bare=True) as work:
        work.connection.execute(update(schema.scopes).values(format="old", row_count=99))
        work.connection.execute(update(schema.member_regions).values(is_counted=True))
    assert flaws(server) != []
    count_scopes(server.services.database)
    assert flaws(server) == []
    for region in replicas:
        chain.check(region)
