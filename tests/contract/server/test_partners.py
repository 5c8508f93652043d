"""What members buy at partners: booked once, spent only once, settled to the cent."""

from datetime import date

import msgspec
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.errors import DomainError
from shared.ids import MemberId
from shared.ledger.account import AccountKind
from shared.loyalty.bundle import programme_bytes, template
from shared.loyalty.document import Names
from shared.loyalty.leasing import Leases
from shared.loyalty.partners import Statement
from shared.protocol.lease import LeaseAsk, LeaseReply, LeaseRequest
from shared.protocol.message import PROTOCOL, MemberRow, Stream
from shared.trade.profile import MemberProfile
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.members.merging import Verified
from tests.support.partners import CINEMA
from tests.support.servers import Server
from tests.support.till_writer import TillWriter, rows_of

PHONE = "13800138000"
RULES = msgspec.structs.replace(
    template("default"), partners=(CINEMA,), leases=Leases(for_points=True)
)
YEAR = (date(2026, 1, 1), date(2026, 12, 31))


@pytest.fixture
def till(server: Server) -> TillWriter:
    server.services.programme.publish(programme_bytes(RULES))
    return server.enrol_till()


@pytest.fixture
def li(server: Server, till: TillWriter) -> MemberId:
    """A member with a phone, a card and 300 points."""
    member = till.enrol_member(MemberProfile(name="Li Lei", phone=PHONE, card="C1"))
    till.sell(300_00, member=member, earned=300)
    server.line.push(till)
    return member


def book(server: Server, *rows: str) -> tuple[int, int, list[tuple[int, str]]]:
    document = "\n".join(("reference,day,member,spend,points", *rows)).encode()
    done = server.services.partners.book("cinema", document)
    return done.booked, done.repeated, [(line, error.code) for line, _, error in done.refused]


def points(server: Server, till: TillWriter, member: MemberId) -> int:
    """As tills are told."""
    page = server.line.pull(till, Stream.MEMBERS)
    (row,) = (row for row in rows_of(page, MemberRow) if row.member_id == member)
    return sum(one.amount for one in row.balances if one.account == AccountKind.POINTS)


def settled(server: Server, *days: date) -> list[Statement]:
    first, last = days or YEAR
    return server.services.partners.statement("cinema", first, last)


def test_a_sale_is_booked_once_whoever_it_names_the_member_by(
    server: Server, clock: ManualClock, till: TillWriter, li: MemberId
) -> None:
    rows = (f"A1,2026-02-27,{PHONE},50.00,", "A2,2026-02-28,C1,30.99,", f"A3,2026-03-01,{li},1,")
    assert book(server, *rows) == (3, 0, [])
    assert points(server, till, li) == 300 + 25 + 15
    assert book(server, *rows, "A4,2026-03-01,C1,2.00,") == (1, 3, [])
    assert points(server, till, li) == 300 + 25 + 15 + 1
    (one,) = settled(server)
    assert (one.sales, one.spend_minor, one.points) == (4, 83_99, 41)
    # 41 points at 0.90 for a hundred are 0.369.
    assert (one.owed_minor, one.settlement_minor) == (37, 37)
    (one,) = settled(server, date(2026, 2, 28), date(2026, 2, 28))
    assert (one.sales, one.points) == (1, 15)
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []
        lots = snapshot.connection.execute(
            select(schema.lots.c.earned_on).where(schema.lots.c.earned_on == "2026-02-27")
        ).all()
    assert len(lots) == 1
    # Also a file that is sent again much later changes nothing.
    clock.advance(seconds=200 * 24 * 3600)
    assert book(server, *rows) == (0, 3, [])


def test_points_that_pay_earn_nothing_and_are_owed_in_turn(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    assert book(server, "B1,2026-03-01,C1,10.00,200") == (1, 0, [])
    assert points(server, till, li) == 300 - 200 + 4
    (one,) = settled(server)
    assert (one.spend_minor, one.points, one.owed_minor) == (8_40, 4, 4)
    assert (one.points_spent, one.value_spent_minor, one.settlement_minor) == (200, 160, -156)
    assert book(server, "B2,2026-03-01,C1,10.00,200") == (0, 0, [(2, "points-not-enough")])


def test_what_a_till_may_spend_offline_pays_at_no_partner(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    asked = LeaseRequest(protocol=PROTOCOL, asks=(LeaseAsk(account="points", owner=li),))
    server.line.post("/v1/leases", asked, LeaseReply, signer=till.key)
    with server.services.database.reading() as snapshot:
        (held,) = snapshot.connection.execute(select(schema.leases.c.amount)).scalars()
    assert 0 < held <= 300
    row = "C1,2026-03-01,C1,10.00,{}"
    assert book(server, row.format(301 - held)) == (0, 0, [(2, "points-not-enough")])
    assert points(server, till, li) == 300


def test_an_alias_earns_for_the_person(server: Server, till: TillWriter, li: MemberId) -> None:
    other = till.enrol_member(MemberProfile(name="Li Lei", card="C2"))
    server.line.push(till, 2)
    server.services.merging.merge(other, li, verified=Verified.OFFICE)
    assert book(server, f"D1,2026-03-01,{other},20.00,", "D2,2026-03-01,C2,20.00,") == (2, 0, [])
    assert points(server, till, li) == 320


def test_rates_of_each_time_hold_for_their_sales(
    server: Server, clock: ManualClock, till: TillWriter, li: MemberId
) -> None:
    clock.advance(seconds=10 * 24 * 3600)
    dearer = msgspec.structs.replace(
        CINEMA, price_per_block_minor=900, names=Names(zh="影", en="C")
    )
    server.services.programme.publish(
        programme_bytes(msgspec.structs.replace(RULES, partners=(dearer,)))
    )
    clock.advance(seconds=24 * 3600)
    # Both come in one file, after the change.
    assert book(server, "E1,2026-03-01,C1,20.00,", "E2,2026-03-12,C1,20.00,") == (2, 0, [])
    assert sorted(one.owed_minor for one in settled(server)) == [9, 90]
    assert points(server, till, li) == 320


@pytest.mark.parametrize(
    "row",
    [
        "F1,2026-02-30,C1,1.00,",
        "F1,2026-03-01,C1,one,",
        "F1,2026-03-01,C1,1.005,",
        "F1,2026-03-01,C1,1.00,-5",
        "F1,2026-03-01,C1,1.00,½",
        ",2026-03-01,C1,1.00,",
        "F1,2026-03-01,,1.00,",
        "F1,2026-03-01,C1",
        "F1,2026-03-01,C1,1.00,,",
        '"F1',
        "F\x001,2026-03-01,C1,1.00,",
        "F\x851,2026-03-01,C1,1.00,",
    ],
)
def test_of_a_file_that_cannot_be_read_nothing_is_booked(
    server: Server, till: TillWriter, li: MemberId, row: str
) -> None:
    with pytest.raises(DomainError, match="partner-file"):
        book(server, "F0,2026-03-01,C1,20.00,", row)
    assert points(server, till, li) == 300


def test_a_row_that_cannot_be_booked_is_told_and_the_others_are(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    rows = (
        "G1,2026-03-01,13999999999,20.00,",
        "G2,2026-03-01,C1,0,",
        "G3,2026-03-01,C1,-5,",
        "G4,2026-03-01,C1,0.50,100",
        "G5,2026-03-01,C1,20.00,",
        "G6,2026-03-04,C1,20.00,",
        "G7,2025-11-01,C1,20.00,",
        "G5,2026-03-01,C1,21.00,",
    )
    assert book(server, *rows) == (
        1,
        0,
        [
            (2, "partner-member-unknown"),
            (3, "amount-not-positive"),
            (4, "amount-not-positive"),
            (5, "tender-exceeds-due"),
            (7, "partner-day"),
            (8, "partner-day"),
            (9, "partner-reference"),
        ],
    )
    assert points(server, till, li) == 310
    server.services.erasure.erase(li, reason="request")
    assert book(server, "G8,2026-03-01,C1,20.00,")[2] == [(2, "partner-member-unknown")]
    with pytest.raises(DomainError, match="not-in-programme"):
        server.services.partners.book("theatre", b"")


def test_a_row_that_may_mean_two_members_is_booked_for_neither(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    till.enrol_member(MemberProfile(name="Han", card=PHONE))
    server.line.push(till, 2)
    assert book(server, f"H1,2026-03-01,{PHONE},20.00,")[2] == [(2, "partner-member-unclear")]
    assert points(server, till, li) == 300


def give_back(server: Server, *rows: str) -> tuple[int, int, list[tuple[int, str]]]:
    document = "\n".join(("reference,day,member,spend,points,returns", *rows)).encode()
    done = server.services.partners.book("cinema", document)
    return done.booked, done.repeated, [(line, error.code) for line, _, error in done.refused]


def test_what_comes_back_in_parts_sums_to_the_sale(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    # 10.00, of which 200 points pay 1.60; the rest earns 4.
    assert book(server, "J1,2026-03-01,C1,10.00,200") == (1, 0, [])
    assert points(server, till, li) == 300 - 200 + 4
    first = "J2,2026-03-01,C1,3.33,,J1"
    assert give_back(server, first, "J3,2026-03-01,C1,3.33,,J1") == (2, 0, [])
    (one,) = settled(server)
    # 6.66 of 10.00: 133 of 200 points are back, 2 of 4 are taken, each rounded down.
    assert points(server, till, li) == 104 + 133 - 2
    assert (one.sales, one.returns, one.points, one.points_spent) == (1, 2, 2, 67)
    assert one.spend_minor == 8_40 - (3_33 - 53) - (3_33 - 53)
    assert one.value_spent_minor == 1_60 - 1_06
    # Sent again, nothing changes; the last cent brings the rest of all.
    assert give_back(server, first, "J4,2026-03-02,C1,3.34,,J1") == (1, 1, [])
    assert points(server, till, li) == 300
    (one,) = settled(server)
    assert (one.spend_minor, one.points, one.points_spent, one.settlement_minor) == (0, 0, 0, 0)
    # Its days settle each.
    (sold,) = settled(server, date(2026, 3, 1), date(2026, 3, 1))
    (back,) = settled(server, date(2026, 3, 2), date(2026, 3, 2))
    assert (sold.sales, sold.returns, back.sales, back.returns) == (1, 2, 0, 1)
    assert sold.settlement_minor + back.settlement_minor == 0
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []


def test_earned_points_that_were_spent_are_owed(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    assert book(server, "K1,2026-02-27,C1,200.00,") == (1, 0, [])
    assert points(server, till, li) == 400
    assert book(server, "K2,2026-03-01,C1,3.20,400") == (1, 0, [])
    assert points(server, till, li) == 0
    assert give_back(server, "K4,2026-03-01,C1,200.00,,K1") == (1, 0, [])
    assert points(server, till, li) == -100
    assert book(server, "K5,2026-03-01,C1,300.00,") == (1, 0, [])
    assert points(server, till, li) == 50


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("L9,2026-03-01,C1,5.00,,nothing", "partner-return"),
        ("L9,2026-03-01,C1,5.00,10,L1", "partner-return"),
        ("L9,2026-02-26,C1,5.00,,L1", "partner-return"),
        ("L9,2026-03-01,C2,5.00,,L1", "partner-return"),
        ("L9,2026-03-01,C1,5.00,,L2", "partner-return"),
        ("L9,2026-03-01,C1,0,,L1", "refund-exceeds-sale"),
        ("L9,2026-03-01,C1,6.01,,L1", "refund-exceeds-sale"),
        ("L1,2026-02-27,C1,10.00,,L1", "partner-reference"),
        ("L2,2026-02-28,C1,4.00,,", "partner-reference"),
        ("L2,2026-02-28,C1,4.00,,L9", "partner-reference"),
    ],
)
def test_a_return_that_cannot_be_is_told(
    server: Server, till: TillWriter, li: MemberId, row: str, code: str
) -> None:
    till.enrol_member(MemberProfile(name="Han", card="C2"))
    server.line.push(till, 2)
    assert book(server, "L1,2026-02-27,C1,10.00,") == (1, 0, [])
    assert give_back(server, "L2,2026-02-28,C1,4.00,,L1") == (1, 0, [])
    before = points(server, till, li)
    assert give_back(server, row) == (0, 0, [(2, code)])
    assert points(server, till, li) == before


def test_statements_read_what_partners_did_and_no_other_entries(
    server: Server, till: TillWriter, li: MemberId
) -> None:
    """However long the books are."""
    assert book(server, "M1,2026-02-27,C1,10.00,") == (1, 0, [])
    if not server.services.database.is_sqlite:
        return
    with server.services.database.reading() as snapshot:
        plan = snapshot.connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT bytes FROM entries WHERE shard = ? AND "
            "kind IN ('partner_sold', 'partner_returned') AND received_at >= ? AND received_at < ?",
            (0, "2026-01-01", "2026-06-01"),
        ).all()
    assert ["ix_entries_of_partners" in row.detail for row in plan] == [True]
