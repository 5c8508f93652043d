"""A server that was restored: it asks for less, tills send again, and what nobody has is a hole."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from shared.clock import ManualClock
from shared.protocol.message import MemberRow, PushReply, Stream
from sync_server.backup.copying import Copy, read_back
from sync_server.backup.filling import fill_from
from sync_server.backup.restoring import Source, restore
from sync_server.bootstrap import initialise, open_copier
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import Server, serve_here
from tests.support.till_writer import Refused, TillWriter, rows_of

PASSPHRASE = "four words of a song"


@pytest.fixture
def till(server: Server) -> TillWriter:
    """A till with a member and eight sales of 1, 2, 4 … points, nothing of it sent."""
    till = server.enrol_till()
    member = till.enrol_member()
    for number in range(8):
        till.sell(100 << number, member=member, earned=1 << number)
    return till


def push(server: Server, till: TillWriter, start: int, stop: int | None = None) -> PushReply:
    """Push from an entry on, before which the till has nothing any more."""
    request = msgspec.structs.replace(till.push_request(start, stop), oldest_seq=start)
    return server.line.post("/v1/sync/push", request, PushReply)


def points(server: Server, till: TillWriter) -> int:
    rows = rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow)
    return sum(b.amount for row in rows for b in row.balances if b.account == "points")


def holes(server: Server) -> list[str]:
    with server.services.database.reading() as snapshot:
        report = audit(snapshot)
    assert report.flaws == []
    return [hole.partition("/")[2] for hole in report.holes]


def rules(server: Server) -> list[str]:
    with server.services.database.reading() as snapshot:
        found = select(schema.exceptions.c.rule).order_by(schema.exceptions.c.rule)
        return list(snapshot.connection.execute(found).scalars())


def back_up(server: Server, folder: Path) -> Copy:
    with open_copier(server.folder, clock=server.services.clock) as copier:
        return replace(copier, log2_n=4).make(folder, PASSPHRASE, off_machine=True)


def test_what_the_till_still_has_is_not_taken_for_a_hole(server: Server, till: TillWriter) -> None:
    with pytest.raises(Refused) as refused:
        server.line.push(till, 4)

    assert (refused.value.reply.code, refused.value.reply.next_seq) == ("gap", 0)
    assert holes(server) == []


def test_what_the_till_has_no_more_is_a_hole_and_the_rest_is_booked(
    server: Server, till: TillWriter
) -> None:
    server.line.push(till, 0, 2)

    reply = push(server, till, 5)
    again = push(server, till, 5)

    assert (reply.next_seq, reply.head_hash) == (9, till.head.hash)
    assert (again.next_seq, again.exceptions) == (9, reply.exceptions)
    assert points(server, till) == 1 + 16 + 32 + 64 + 128
    assert holes(server) == ["0/2-4"]
    assert rules(server) == ["hole"]
    till.sell(100)
    assert server.line.push(till, 9).next_seq == 10


def test_a_second_hole_of_one_journal_is_another_one(server: Server, till: TillWriter) -> None:
    push(server, till, 1, 3)
    push(server, till, 5)

    assert holes(server) == ["0/0-0", "0/3-4"]
    assert rules(server) == ["hole", "hole"]


@pytest.mark.parametrize(
    "parts", [((2, 5),), ((2, 3), (3, 5)), ((2, 9),), ((0, 4), (3, 6)), ((2, 4), (2, 4), (4, 5))]
)
def test_a_hole_is_filled_by_a_later_upload_whole_or_in_parts(
    server: Server, till: TillWriter, parts: tuple[tuple[int, int], ...]
) -> None:
    server.line.push(till, 0, 2)
    push(server, till, 5)

    for start, stop in parts:
        server.line.push(till, start, stop)

    assert points(server, till) == 255
    assert holes(server) == []
    till.sell(100)
    assert server.line.push(till, 9).next_seq == 10
    assert rules(server) == ["hole"]


def test_a_hole_that_is_half_filled_is_a_smaller_one(server: Server, till: TillWriter) -> None:
    server.line.push(till, 0, 2)
    push(server, till, 6)

    server.line.push(till, 2, 4)

    assert holes(server) == ["0/4-5"]
    with pytest.raises(Refused) as refused:
        server.line.push(till, 5, 6)
    assert (refused.value.reply.code, refused.value.reply.next_seq) == ("unknown-parent", 0)
    assert server.line.push(till, 0, 6).next_seq == 9
    assert holes(server) == []


@pytest.mark.parametrize("length", [3, 5, 7])
def test_what_does_not_lead_to_what_is_kept_fills_no_hole_but_is_a_branch(
    server: Server, till: TillWriter, length: int
) -> None:
    server.line.push(till, 0, 2)
    push(server, till, 5)
    twin = till.copy(2)
    for _ in range(length):
        twin.sell(50)

    server.line.push(twin, 2)

    # Three in the hole, which do not lead out of it; fewer could still be the right ones.
    assert holes(server) == ["0/2-4"]
    # Each number that the branch repeats is told by itself.
    assert [one for one in rules(server) if one != "receipt-number-twice"] == ["fork", "hole"]
    server.line.push(till, 2, 5)
    assert holes(server) == []
    assert points(server, till) == 255


def test_an_epoch_of_which_a_till_has_nothing_any_more_ends_in_a_hole(
    server: Server, till: TillWriter, tmp_path: Path
) -> None:
    server.line.push(till, 0, 2)

    reply = push(server, till, 9)

    assert reply.next_seq == 9
    assert holes(server) == ["0/2-8"]
    # A copy of it is whole: what is missing is known to be.
    assert back_up(server, tmp_path / "usb").contents.next_seqs[till.journal, 0] == 9


@pytest.mark.parametrize("hole", [(0, 3), (2, 5)])
def test_a_copy_with_a_hole_is_whole_and_another_one_fills_it(
    server: Server, till: TillWriter, tmp_path: Path, clock: ManualClock, hole: tuple[int, int]
) -> None:
    start, stop = hole
    early = back_up(server, tmp_path / "early")
    server.line.push(till)
    full = back_up(server, tmp_path / "full")
    restore(tmp_path / "again", Source(backup=early.file, passphrase=PASSPHRASE), clock=clock)
    with serve_here(tmp_path / "again", clock=clock) as again:
        if start:
            again.line.push(till, 0, start)
        push(again, till, stop)
        holed = back_up(again, tmp_path / "holed")
        assert read_back(holed.file, PASSPHRASE).next_seqs[till.journal, 0] == 9
        services = again.services

        assert fill_from(services.database, services.ingest, early.file, PASSPHRASE)[0].entries == 0
        assert holes(again) == [f"0/{start}-{stop - 1}"]
        (filled,) = fill_from(services.database, services.ingest, full.file, PASSPHRASE)

        assert filled.entries == stop - start
        assert holes(again) == []
        assert points(again, till) == 255
        rows = rows_of(again.line.pull(till, Stream.MEMBERS), MemberRow)
        assert [row.name for row in rows] == ["Li Lei"]


@pytest.mark.parametrize("lost", [0, 3])
def test_a_till_enrolled_after_the_copy_is_taken_in_again(
    server: Server, tmp_path: Path, clock: ManualClock, lost: int
) -> None:
    copy = back_up(server, tmp_path / "usb")
    till = server.enrol_till()
    member = till.enrol_member()
    for number in range(4):
        till.sell(100, member=member, earned=1 << number)
    server.line.push(till)
    restore(tmp_path / "again", Source(backup=copy.file, passphrase=PASSPHRASE), clock=clock)

    with serve_here(tmp_path / "again", clock=clock) as again:
        # It has no row there yet, and nothing to send: the server still learns of it.
        with pytest.raises(Refused) as refused:
            again.line.push(till, 5)
        assert (refused.value.status, refused.value.reply.next_seq) == (409, 0)
        assert push(again, till, lost).next_seq == 5
        assert points(again, till) == (15 if lost == 0 else 4 + 8)
        assert holes(again) == ([] if lost == 0 else ["0/0-2"])
        assert "till-adopted" in rules(again)
        (known,) = again.services.stores.tills()
        assert (known.journal, known.number) == (till.journal, till.certificate.till_number)
        # A new epoch never has a number that was given before.
        code = again.services.enrolment.issue_code(known.till_id)
        assert till.certificate.epoch < again.line.enrol(code).certificate.epoch < 1000


def test_no_other_servers_till_is_taken_in(
    server: Server, tmp_path: Path, clock: ManualClock
) -> None:
    with serve_here(_elsewhere(tmp_path), clock=clock) as stranger:
        till = stranger.enrol_till()
    till.sell(100)

    with pytest.raises(Refused) as refused:
        server.line.push(till)

    assert refused.value.status == 401


def _elsewhere(folder: Path) -> Path:
    initialise(folder / "elsewhere")
    return folder / "elsewhere"
