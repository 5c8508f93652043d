"""What is kept and not booked: until somebody decides, or a later release reads it."""

import msgspec
import pytest
from sqlalchemy import delete, select, update

from shared.clock import ManualClock
from shared.errors import DomainError
from shared.ids import LotId, TillId
from shared.journal.chain import append
from shared.protocol.message import MemberRow, Stream
from shared.trade import kinds
from shared.trade.fact import LotDraw
from shared.trade.server import PointsTransferred
from shared.trade.ticket import SaleCompleted
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.sync.quarantine import Decision
from tests.support.servers import Server
from tests.support.till_writer import Refused, TillWriter, rows_of


def revoke(server: Server, till: TillWriter) -> int:
    assert till.certificate.till_id is not None
    return server.services.commands.revoke(TillId(till.certificate.till_id))


def looker(server: Server) -> TillWriter:
    return server.enrol_till("looker")


def points(server: Server, till: TillWriter) -> int:
    rows = rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow)
    return sum(b.amount for row in rows for b in row.balances if b.account == "points")


def assert_clean(server: Server) -> None:
    with server.services.database.reading() as snapshot:
        assert audit(snapshot).flaws == []


def rules(server: Server) -> list[str]:
    with server.services.database.reading() as snapshot:
        found = select(schema.exceptions.c.rule).order_by(schema.exceptions.c.entry_id)
        return list(snapshot.connection.execute(found).scalars())


@pytest.fixture
def revoked(server: Server) -> TillWriter:
    """A till that sold 1 point before it was revoked and 2 and 4 after, all sent."""
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(100, member=member, earned=1)
    server.line.push(till)
    assert revoke(server, till) == 1
    till.sell(200, member=member, earned=2)
    till.sell(400, member=member, earned=4)
    assert server.line.push(till, 2).next_seq == 4
    return till


def test_what_a_revoked_till_sends_is_acknowledged_and_counts_for_nothing(
    server: Server, revoked: TillWriter
) -> None:
    waiting = server.services.quarantine.waiting()

    assert [(one.seq, one.reason, one.can_be_booked) for one in waiting] == [
        (2, "revoked-till", True),
        (3, "revoked-till", True),
    ]
    assert points(server, looker(server)) == 1
    assert server.line.push(revoked, 2).next_seq == 4
    assert_clean(server)


def test_a_revoked_till_reads_nothing_more(server: Server, revoked: TillWriter) -> None:
    with pytest.raises(Refused) as refused:
        server.line.pull(revoked, Stream.MEMBERS)

    assert (refused.value.status, refused.value.reply.code) == (401, "revoked-key")
    with pytest.raises(Refused):
        server.line.look_up(revoked, member_key="0" * 32)


def test_head_office_books_one_entry_and_gives_up_another(
    server: Server, revoked: TillWriter
) -> None:
    quarantine = server.services.quarantine
    quarantine.decide(revoked.journal, 0, 3, Decision.BOOKED)
    quarantine.decide(revoked.journal, 0, 2, Decision.REJECTED)

    assert points(server, looker(server)) == 1 + 4
    assert quarantine.waiting() == []
    for decision in (Decision.BOOKED, Decision.REJECTED):
        with pytest.raises(DomainError) as refused:
            quarantine.decide(revoked.journal, 0, 3, decision)
        assert refused.value.code == "not-in-quarantine"
    assert_clean(server)
    with server.services.database.reading() as snapshot:
        told = snapshot.connection.execute(
            select(schema.entries.c.kind).where(schema.entries.c.kind == "quarantine_decided")
        ).all()
    assert len(told) == 2


def test_a_member_enrolled_by_a_revoked_till_is_nobody_until_it_is_booked(server: Server) -> None:
    till = server.enrol_till()
    revoke(server, till)
    till.enrol_member()
    server.line.push(till)
    reader = looker(server)
    assert server.line.pull(reader, Stream.MEMBERS).rows == ()

    server.services.quarantine.decide(till.journal, 0, 0, Decision.BOOKED)

    (row,) = rows_of(server.line.pull(reader, Stream.MEMBERS), MemberRow)
    assert (row.name, len(row.keys)) == ("Li Lei", 1)
    assert_clean(server)


def test_a_revoked_till_may_be_enrolled_again_and_its_old_tail_still_waits(
    server: Server, revoked: TillWriter
) -> None:
    assert revoked.certificate.till_id is not None
    code = server.services.enrolment.issue_code(revoked.certificate.till_id)
    again = server.line.enrol(code)
    again.sell(100)
    revoked.sell(800)

    assert server.line.push(again).next_seq == 1
    server.line.push(revoked, 4)

    assert [one.seq for one in server.services.quarantine.waiting()] == [2, 3, 4]
    assert revoke(server, again) == 1
    assert_clean(server)


def test_an_unknown_till_cannot_be_revoked(server: Server) -> None:
    with pytest.raises(DomainError) as refused:
        server.services.commands.revoke(TillId("nobody"))
    assert refused.value.code == "unknown-till"


def of_a_later_release(till: TillWriter) -> None:
    """A sale whose version only a later release knows; then an ordinary one."""
    till.heads.pop()
    sold = till.entries.pop()
    envelope = msgspec.structs.replace(sold.envelope, version=77)
    head, chained = append(till.head, envelope)
    till.heads.append(head)
    till.entries.append(chained)


@pytest.fixture
def newer(server: Server) -> TillWriter:
    """A till of a later release, with sales of 1, 2 and 4 points; the first two cannot be read."""
    till = server.enrol_till()
    member = till.enrol_member()
    for earned in (1, 2):
        till.sell(100, member=member, earned=earned)
        of_a_later_release(till)
    till.sell(100, member=member, earned=4)
    server.line.push(till)
    return till


def test_what_cannot_be_read_cannot_be_booked_by_hand_either(
    server: Server, newer: TillWriter
) -> None:
    with pytest.raises(DomainError) as refused:
        server.services.quarantine.decide(newer.journal, 0, 1, Decision.BOOKED)

    assert refused.value.code == "cannot-be-booked"
    assert len(server.services.quarantine.waiting()) == 2


def test_after_an_upgrade_the_quarantine_is_read_once_more_and_only_once(
    server: Server, newer: TillWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantine = server.services.quarantine
    assert quarantine.retry() == 0
    assert points(server, newer) == 4

    # The later release: it knows the version, and its fingerprint is another.
    known = dict(kinds._decoders)
    known["sale_completed", 77] = known["sale_completed", SaleCompleted.version]
    monkeypatch.setattr(kinds, "_decoders", known)
    monkeypatch.setattr("sync_server.sync.quarantine.READER", "a later release")

    assert quarantine.retry() == 2
    assert quarantine.retry() == 0
    assert points(server, newer) == 1 + 2 + 4
    assert_clean(server)


def test_an_upgrade_books_nothing_of_a_revoked_till(
    server: Server, revoked: TillWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_server.sync.quarantine.READER", "a later release")

    assert server.services.quarantine.retry() == 0
    assert len(server.services.quarantine.waiting()) == 2


def test_what_waits_for_a_quarter_of_an_hour_is_an_alarm_once(
    server: Server, newer: TillWriter, clock: ManualClock
) -> None:
    quarantine = server.services.quarantine
    clock.advance(seconds=15 * 60)
    assert quarantine.alarm() == 0
    clock.advance(seconds=1)

    assert quarantine.alarm() == 2
    assert quarantine.alarm() == 0

    assert rules(server) == ["quarantine-waiting"] * 2


def test_more_than_are_told_at_once_are_all_told_in_the_end(
    server: Server, newer: TillWriter, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_server.sync.quarantine.ALARMS_AT_ONCE", 1)
    clock.advance(seconds=15 * 60 + 1)

    told = [server.services.quarantine.alarm() for _ in range(3)]

    assert told == [1, 1, 0]
    assert rules(server) == ["quarantine-waiting"] * 2


def test_an_entry_booked_behind_the_decisions_back_is_found(
    server: Server, revoked: TillWriter
) -> None:
    with server.services.database.writing() as work:
        work.connection.execute(update(schema.quarantine).values(decision="booked"))
    with server.services.database.reading() as snapshot:
        assert "postings-differ" in {flaw.code for flaw in audit(snapshot).flaws}
    with server.services.database.writing() as work:
        work.connection.execute(delete(schema.quarantine))
    with server.services.database.reading() as snapshot:
        assert "postings-differ" in {flaw.code for flaw in audit(snapshot).flaws}


def test_a_till_that_speaks_as_the_server_counts_for_nothing(server: Server) -> None:
    """Points that a till moves to a member of its choice, signed with its own good key."""
    till = server.enrol_till()
    member = till.enrol_member()
    till.write(
        PointsTransferred(
            natural_key="mine",
            reason="adjustment",
            from_member=None,
            from_lots=(),
            to_member=member,
            to_lots=(LotDraw(lot=LotId("gift"), points=5_000),),
        )
    )
    till.sell(100, member=member, earned=1)
    assert server.line.push(till).next_seq == 3
    (waiting,) = server.services.quarantine.waiting()
    assert (waiting.seq, waiting.reason, waiting.can_be_booked) == (1, "fact-of-server", False)
    assert points(server, looker(server)) == 1
    assert_clean(server)
