"""What members owe is paid by what they earn later: once, to the point, and for good."""

from typing import Any

import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.ids import EntryId, LotId, MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import programme_bytes
from shared.trade.fact import LotDraw
from shared.trade.kinds import read_fact
from shared.trade.profile import MemberProfile
from shared.trade.server import PointsTransferred
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.members.merging import Verified
from tests.contract.server.test_partners import RULES, book
from tests.support.servers import Server
from tests.support.till_writer import TillWriter

DEBT = LotId("debt")


@pytest.fixture
def till(server: Server) -> TillWriter:
    server.services.programme.publish(programme_bytes(RULES))
    return server.enrol_till()


@pytest.fixture
def li(server: Server, till: TillWriter) -> MemberId:
    """A member who owes 40: points of a sale that came back were spent already."""
    member = till.enrol_member(MemberProfile(name="Li Lei", card="C1"))
    sale = till.sell(100_00, member=member, earned=100)
    till.sell(60_00, member=member, spend=(LotDraw(lot=LotId(sale), points=60),))
    till.take_back(
        sale,
        100_00,
        member=member,
        taken=(LotDraw(lot=LotId(sale), points=40), LotDraw(lot=DEBT, points=60)),
    )
    server.line.push(till)
    assert lots(server, member) == {DEBT: -60}
    return member


def lots(server: Server, member: MemberId) -> dict[str, int]:
    columns = schema.balances.c
    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(
            select(columns.lot, columns.amount).where(
                columns.owner == member,
                columns.account == AccountKind.POINTS.value,
                columns.amount != 0,
            )
        )
        return {row.lot: row.amount for row in rows}


def transfers(server: Server) -> list[PointsTransferred]:
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
        rows = snapshot.connection.execute(
            select(schema.entries.c.bytes)
            .where(schema.entries.c.kind == PointsTransferred.kind)
            .order_by(schema.entries.c.server_seq)
        ).scalars()
        found: list[Any] = [read_fact(decode_entry(one).envelope) for one in rows]
    return found


def exceptions(server: Server) -> list[str]:
    with server.services.database.reading() as snapshot:
        return list(snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars())


def test_what_is_earned_later_pays_at_once(server: Server, till: TillWriter, li: MemberId) -> None:
    first = till.sell(25_00, member=li, earned=25)
    server.line.push(till, 4)
    assert lots(server, li) == {DEBT: -35}
    second = till.sell(50_00, member=li, earned=50)
    server.line.push(till, 5)
    assert lots(server, li) == {second: 15}
    told = transfers(server)
    assert [(one.reason, one.from_lots, one.to_lots) for one in told] == [
        ("recovery", (LotDraw(lot=LotId(lot), points=n),), (LotDraw(lot=DEBT, points=n),))
        for lot, n in ((first, 25), (second, 35))
    ]
    # A repeated push pays nothing twice.
    server.line.push(till)
    assert lots(server, li) == {second: 15}
    assert exceptions(server) == []


def test_the_earliest_expiry_pays_first_and_what_has_lapsed_pays_nothing(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    gone = till.sell(50_00, member=li, earned=50, expires_on="2026-02-28")
    late = till.sell(50_00, member=li, earned=50, expires_on="2027-12-31")
    soon = till.sell(50_00, member=li, earned=50, expires_on="2026-12-31")
    server.line.push(till, 4)
    assert lots(server, li) == {gone: 50, late: 40}
    (told,) = transfers(server)
    assert told.from_lots == (
        LotDraw(lot=LotId(soon), points=50),
        LotDraw(lot=LotId(late), points=10),
    )


def test_a_lot_that_paid_gets_back_what_a_till_spent_that_did_not_know(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    """It knew of the points and not of the debt: the books are right, and nobody did wrong."""
    other = server.enrol_till("other")
    sale = till.sell(100_00, member=li, earned=100)
    server.line.push(till, 4)
    assert lots(server, li) == {sale: 40}
    other.sell(90_00, member=li, spend=(LotDraw(lot=LotId(sale), points=90),))
    server.line.push(other)
    assert lots(server, li) == {DEBT: -50}
    assert exceptions(server) == []
    # More than the lot ever had is still found.
    other.sell(30_00, member=li, spend=(LotDraw(lot=LotId(sale), points=30),))
    server.line.push(other, 1)
    assert exceptions(server) == ["lot-overspent"]
    assert lots(server, li) == {sale: -20, DEBT: -60}
    back = till.sell(200_00, member=li, earned=200)
    server.line.push(till, 5)
    assert lots(server, li) == {sale: -20, back: 140}


def test_a_better_payer_that_comes_later_pays_instead(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    """As if both had come at once: the earliest expiry pays first."""
    late = till.sell(100_00, member=li, earned=100, expires_on="2027-12-31")
    server.line.push(till, 4)
    assert lots(server, li) == {late: 40}
    soon = till.sell(50_00, member=li, earned=50, expires_on="2026-12-31")
    server.line.push(till, 5)
    assert lots(server, li) == {late: 90}
    told = transfers(server)[-1]
    assert told.from_lots == (LotDraw(lot=LotId(soon), points=50),)
    assert told.to_lots == (LotDraw(lot=LotId(late), points=50),)
    assert exceptions(server) == []


def test_points_from_a_partner_pay_too(server: Server, till: TillWriter, li: MemberId) -> None:
    assert book(server, "A1,2026-03-01,C1,200.00,") == (1, 0, [])
    assert sum(lots(server, li).values()) == 40
    assert DEBT not in lots(server, li)


def test_who_merges_pays_what_the_other_owes(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    other = till.enrol_member(MemberProfile(name="Li Lei", card="C2"))
    sale = till.sell(100_00, member=other, earned=100)
    server.line.push(till, 4)
    merge = server.services.merging.merge(li, other, verified=Verified.OFFICE)
    assert (lots(server, li), lots(server, other)) == ({}, {sale: 40})
    # Undone, each has what it would have without it.
    server.services.merging.unmerge(merge)
    assert (lots(server, li), lots(server, other)) == ({DEBT: -60}, {sale: 100})


def test_a_lot_whose_own_entry_has_not_come_is_not_what_is_owed(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    """It may be in quarantine: nobody knows yet what it had."""
    unknown = LotId(EntryId("0" * 32))
    till.sell(10_00, member=li, spend=(LotDraw(lot=unknown, points=10),))
    earned = till.sell(100_00, member=li, earned=100)
    server.line.push(till, 4)
    assert lots(server, li) == {unknown: -10, earned: 40}


def test_nobody_who_owes_nothing_is_moved(server: Server, till: TillWriter) -> None:
    member = till.enrol_member(MemberProfile(name="Han", card="C9"))
    sale = till.sell(50_00, member=member, earned=50)
    server.line.push(till)
    assert lots(server, member) == {sale: 50}
    assert transfers(server) == []


def test_a_debt_stays_paid_when_what_paid_it_would_have_lapsed(
    server: Server, clock: ManualClock, till: TillWriter, li: MemberId
) -> None:
    till.sell(60_00, member=li, earned=60, expires_on="2026-03-31")
    server.line.push(till, 4)
    assert lots(server, li) == {}
    clock.advance(seconds=60 * 24 * 3600)
    later = till.sell(10_00, member=li, earned=10, expires_on="2027-03-31")
    server.line.push(till, 5)
    assert lots(server, li) == {later: 10}
