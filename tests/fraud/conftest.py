"""One shop for all forged tills, one chain of real tills for all tricks at the counter.

Every trick has tills and members of its own, so that one server serves them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.ids import MemberId
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.conditions import Around, Birthday
from shared.loyalty.effects import AmountOff
from shared.loyalty.leasing import Leases
from shared.protocol.lease import LeaseAnswer, LeaseAsk, LeaseReply, LeaseRequest
from shared.protocol.message import PROTOCOL
from shared.trade.fact import BundleRef, LotDraw
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from sync_server.bootstrap import initialise
from sync_server.database import schema
from tests.pricing_builders import earning, goods, offer, programme, tax_class
from tests.support.little_chain import LittleChain
from tests.support.servers import Server, serve_here
from tests.support.till_writer import START, TillWriter

TEA = goods("TEA", 12_50)
BIRTHDAY = offer("present", AmountOff(off_minor=2_00), conditions=(Birthday(within=Around.DAY),))
CLAIMED = offer("off", AmountOff(off_minor=1_00), claimed=True)
RULES = programme(
    BIRTHDAY,
    CLAIMED,
    earning=earning(),
    tax_classes=(tax_class("standard"),),
    leases=Leases(for_points=True),
)


@dataclass
class Shop:
    """A server, and what head office sees of the tills' tricks."""

    server: Server
    rules: BundleRef
    sent: dict[str, int] = field(default_factory=dict)

    def till(self) -> TillWriter:
        """A till whose thief has its key, and writes what he likes."""
        till = self.server.enrol_till()
        till.programme = self.rules
        return till

    def member(self, till: TillWriter, points: int = 0, **profile: str) -> tuple[MemberId, str]:
        """A member with a lot of points, known to the server."""
        number = f"139{len(self.sent):04}{len(till.entries):04}"
        told = MemberProfile(**{"name": "Li Lei", "phone": number, **profile})
        member = till.enrol_member(told)
        lot = till.sell(points * 100, member=member, earned=points) if points else ""
        self.push(till)
        return member, lot

    def push(self, *tills: TillWriter) -> set[str]:
        """Send what is new; what head office is told of it."""
        found: set[str] = set()
        for till in tills:
            start = self.sent.get(till.journal, 0)
            reply = self.server.line.push(till, start)
            self.sent[till.journal] = len(till.entries)
            found |= {one.rule for one in reply.exceptions}
        return found

    def audited(self) -> set[str]:
        """The same, of what is judged behind the pushes."""
        before = self.inbox()
        self.server.services.audit.run()
        self.server.services.returns_audit.run()
        return {rule for key, rule in self.inbox().items() if key not in before}

    def inbox(self) -> dict[str, str]:
        """All exceptions: their rules by natural key."""
        columns = schema.exceptions.c
        with self.server.services.database.reading() as snapshot:
            rows = snapshot.connection.execute(select(columns.natural_key, columns.rule))
            return {row.natural_key: row.rule for row in rows}

    def points(self, member: MemberId) -> int:
        """What a member has."""
        columns = schema.balances.c
        statement = select(columns.amount).where(
            columns.owner == member, columns.account == "points"
        )
        with self.server.services.database.reading() as snapshot:
            return sum(snapshot.connection.execute(statement).scalars())

    def lease(self, till: TillWriter, member: MemberId) -> LeaseAnswer | None:
        """What a till may spend of a member's points; None where it is answered nothing."""
        asks = (LeaseAsk(account="points", owner=member, wanted=0),)
        request = LeaseRequest(protocol=PROTOCOL, asks=asks)
        reply = self.server.line.post("/v1/leases", request, LeaseReply, signer=till.key)
        return next(iter(reply.answers), None)

    def found_by(self, till: TillWriter, phone: str) -> list[str]:
        """Whom a phone finds."""
        key = lookup_hash(till.reply.lookup_key, KeyKind.PHONE, phone)
        return [one.member_id for one in self.server.line.look_up(till, member_key=key).members]

    def spend(
        self, till: TillWriter, member: MemberId, lot: str, points: int, lease: str | None = None
    ) -> str:
        """A sale that is paid with points, in part."""
        draw = LotDraw(lot=lot, points=points)
        return till.sell(points + 100, member=member, spend=(draw,), lease_id=lease)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    clock = ManualClock(START)
    initialise(folder, clock=clock)
    with serve_here(folder, clock=clock) as server:
        server.services.catalogue.put([TEA])
        yield Shop(server, server.services.programme.publish(programme_bytes(RULES)))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LittleChain]:
    rules = msgspec.structs.replace(template("default"), leases=Leases(for_points=True))
    with LittleChain(tmp_path_factory.mktemp("chain"), programme=rules) as made:
        yield made
