"""Any order of arrival, repeats and late attachments of profile facts give the same profile.

Against a brute model that goes through all facts again for every field and every consent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from shared.clock import HybridTime, hybrid_milliseconds
from shared.ids import EntryId, MemberId
from shared.protocol.message import MemberRow, PushReply
from shared.trade.consent import Consent
from shared.trade.profile import MemberProfile
from shared.trade.profile_change import ConsentDecided
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.members.rows import find_member
from tests.support.servers import Server
from tests.support.till_writer import START, TillWriter

FIELDS = ("name", "phone", "card", "birthday", "email", "language")
AHEAD = timedelta(minutes=10)
CLOCKS = (timedelta(0), timedelta(hours=-5), timedelta(minutes=8), timedelta(days=1))
"""How far tills' clocks are off; the last one is not believed."""

STEPS = ("change", "change", "change", "change", "decide", "decide", "push", "push", "pull")
LENGTH = 18


def walk(chance: Random) -> Iterator[tuple[Any, ...]]:
    """Steps of three tills that mostly say different things about the same few fields."""
    for _ in range(LENGTH):
        till = chance.randrange(3)
        match kind := chance.choice(STEPS):
            case "change":
                names = chance.sample(FIELDS, chance.randint(1, 3))
                yield kind, till, {name: chance.choice(["", "1", "2", "3"]) for name in names}
            case "decide":
                yield kind, till, chance.choice(list(Consent)[:2]), chance.random() < 0.6
            case "push":
                yield kind, till, chance.random() < 0.3
            case _:
                yield kind, till


@dataclass
class Told:
    """A fact about the profile, as its till wrote it."""

    entry: EntryId
    hlc: HybridTime
    fields: dict[str, str]
    consents: tuple[ConsentDecided, ...] = ()


@dataclass
class World:
    """One member, known to three tills of one server."""

    server: Server
    tills: list[TillWriter]
    sent: list[int]
    known: list[MemberRow | None] = field(default_factory=lambda: [None] * 3)
    told: list[Told] = field(default_factory=list)
    member: MemberId = field(init=False)

    def enrol(self) -> None:
        till = self.tills[0]
        self.member = till.enrol_member(MemberProfile(name="0", phone="13800138000"))
        self.push(0)

    def step(self, kind: str, till: int, *what: Any) -> None:
        match kind:
            case "change" | "decide":
                self._write(kind, till, *what)
            case "push":
                self.push(till, *what)
            case "pull":
                self.known[till] = self.row()

    def _write(self, kind: str, number: int, *what: Any) -> None:
        till, row = self.tills[number], self.known[number]
        if row is not None and row.changed_hlc:
            till.hybrid.witness(HybridTime(row.changed_hlc))
        fields: dict[str, str] = what[0] if kind == "change" else {}
        decided: tuple[ConsentDecided, ...] = ()
        if kind == "decide":
            consent, is_granted = what
            stand = row.consents if row else ()
            seen = tuple(one.decision for one in stand if one.consent == consent)
            decided = (ConsentDecided(consent=consent, is_granted=is_granted, seen=seen),)
        till.change_member(self.member, *decided, **fields)
        envelope = till.entries[-1].envelope
        self.told.append(Told(envelope.id, envelope.hlc, fields, decided))

    def push(self, number: int, without_attachments: bool = False) -> None:
        till = self.tills[number]
        request = till.push_request(self.sent[number])
        if without_attachments:
            request = msgspec.structs.replace(request, attachments=())
        self.server.line.post("/v1/sync/push", request, PushReply)
        self.sent[number] = len(till.entries)

    def settle(self, order: list[int]) -> None:
        """All that is there arrives, much of it once more."""
        for number in order:
            self.push(number)
        for number, till in enumerate(self.tills):
            start = max(0, len(till.entries) - 10)
            self.server.line.push(till, start)
            self.sent[number] = len(till.entries)

    def row(self) -> MemberRow:
        with self.server.services.database.reading() as snapshot:
            (found,) = find_member(snapshot, self.member)
        return found

    def profile(self) -> dict[str, str]:
        columns = schema.members.c
        statement = select(*(columns[name] for name in FIELDS))
        with self.server.services.database.reading() as snapshot:
            found = snapshot.connection.execute(statement.where(columns.member_id == self.member))
            return dict(found.mappings().one())


def brute_field(world: World, name: str) -> str:
    """The value of whoever nobody else comes after."""
    saying = [one for one in world.told if name in one.fields]
    for one in saying:
        if not any(after(other, one) for other in saying if other is not one):
            return one.fields[name]
    return {"name": "0", "phone": "13800138000"}.get(name, "")


def after(one: Told, other: Told) -> bool:
    """Whether one holds against the other."""
    if is_wrong(one) != is_wrong(other):
        return is_wrong(other)
    return one.hlc > other.hlc or (one.hlc == other.hlc and one.entry > other.entry)


def is_wrong(one: Told) -> bool:
    return hybrid_milliseconds(one.hlc) > (START + AHEAD).timestamp() * 1000


def brute_granted(world: World, consent: Consent) -> bool:
    """Every decision that nobody saw is a grant, and there is one."""
    mine = [(told, one) for told in world.told for one in told.consents if one.consent is consent]
    unseen = [one for told, one in mine if not any(told.entry in other.seen for _, other in mine)]
    return bool(unseen) and all(one.is_granted for one in unseen)


def test_any_order_of_arrival_gives_the_same_profile(server):
    writers = [server.enrol_till() for _ in range(3)]
    sent = [0, 0, 0]

    # Seeds, not lists of steps: those that come first are too short to contradict each other.
    @settings(max_examples=15, deadline=None, derandomize=True, database=None)
    @given(st.integers(min_value=0, max_value=2**32))
    def check(seed) -> None:
        chance = Random(seed)
        world = World(server, writers, sent)
        world.enrol()
        for writer in writers:
            writer.clock.at = START + chance.choice(CLOCKS)
            # Another till each time: what its clock showed before is not remembered.
            writer.hybrid._last = 0
        for step in walk(chance):
            world.step(*step)
        world.settle(chance.sample(range(3), 3))
        assert world.profile() == {name: brute_field(world, name) for name in FIELDS}
        row = world.row()
        standing = [one for one in row.consents if not one.is_granted]
        for consent in Consent:
            decided = [one for one in row.consents if one.consent == consent]
            is_granted = bool(decided) and consent not in {one.consent for one in standing}
            assert is_granted is brute_granted(world, consent)

    check()
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
