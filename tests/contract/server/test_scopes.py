"""What the server counts of each stream is what a till that read it to its end holds."""

import msgspec
import pytest
from sqlalchemy import delete, select, update

from shared.clock import ManualClock
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import (
    BundleRow,
    GoodsRow,
    MemberRow,
    OperatorRow,
    PullReply,
    PullRequest,
    PushReply,
    Stream,
)
from shared.protocol.replica import Scope, is_tombstone, row_hash
from sync_server.database import schema
from sync_server.journal.audit import audit
from sync_server.operators.desk import Role
from sync_server.sync.scopes import count_scopes
from tests.support.enrolled_till import GOODS
from tests.support.servers import Server
from tests.support.till_writer import TillWriter

KINDS = {
    Stream.CATALOGUE: GoodsRow,
    Stream.PROGRAMME: BundleRow,
    Stream.OPERATORS: OperatorRow,
    Stream.MEMBERS: MemberRow,
}


def held(server: Server, till: TillWriter, stream: Stream) -> tuple[Scope, PullReply]:
    """What a till holds that reads a stream from its start, and the last page."""
    scope, cursor = Scope(), None
    while True:
        page = server.line.pull(till, stream, cursor, limit=3)
        for encoded in page.rows:
            row = msgspec.msgpack.decode(encoded, type=KINDS[stream])
            if not is_tombstone(row):
                scope = scope.changed(None, row_hash(bytes(encoded)))
        if page.is_last:
            return scope, page
        assert (page.scope_rows, page.scope_checksum) == (None, None)
        cursor = page.cursor


def assert_agrees(server: Server, till: TillWriter) -> None:
    for stream in Stream:
        scope, page = held(server, till, stream)
        assert (page.scope_rows, page.scope_checksum) == (scope.rows, scope.checksum), stream


def flaws(server: Server) -> list[tuple[str, str]]:
    with server.services.database.reading() as snapshot:
        return [(flaw.code, flaw.where) for flaw in audit(snapshot).flaws]


def test_every_change_of_a_stream_is_counted_where_it_is_written(server: Server) -> None:
    services = server.services
    till = server.enrol_till()
    assert_agrees(server, till)
    services.catalogue.put(GOODS)
    services.programme.publish(programme_bytes(template("default")))
    services.operators.add("Wang", pin="1234", role=Role.CASHIER)
    first, second = till.enrol_member(), till.enrol_member()
    server.line.push(till)
    assert_agrees(server, till)
    _scope, before = held(server, till, Stream.MEMBERS)
    assert before.scope_rows == 2

    # Balances are part of a member's row, so a sale moves the checksum and not the count.
    till.sell(10_000, member=first, earned=100)
    server.line.push(till, 2)
    assert_agrees(server, till)
    _scope, after = held(server, till, Stream.MEMBERS)
    assert after.scope_rows == 2
    assert after.scope_checksum != before.scope_checksum

    services.erasure.erase(second, reason="request")
    assert_agrees(server, till)
    assert held(server, till, Stream.MEMBERS)[1].scope_rows == 1
    assert flaws(server) == []


def test_a_profile_that_comes_later_is_told_to_tills_that_read_the_member_before(
    server: Server,
) -> None:
    till = server.enrol_till()
    till.enrol_member()
    request = till.push_request()
    server.line.post("/v1/sync/push", msgspec.structs.replace(request, attachments=()), PushReply)
    cursor = server.line.pull(till, Stream.MEMBERS).cursor

    server.line.push(till)

    (row,) = server.line.pull(till, Stream.MEMBERS, cursor).rows
    assert msgspec.msgpack.decode(row, type=MemberRow).name == "Li Lei"
    assert_agrees(server, till)


@pytest.mark.parametrize("what", ["nothing", "another release's"])
def test_a_server_that_was_not_counted_yet_is_counted_once(server: Server, what: str) -> None:
    services = server.services
    till = server.enrol_till()
    services.catalogue.put(GOODS)
    for _ in range(3):
        till.enrol_member()
    server.line.push(till)
    change = (
        delete(schema.scopes)
        if what == "nothing"
        else update(schema.scopes).values(format="old", row_count=99)
    )
    with services.database.writing() as work:
        work.connection.execute(change)
        work.connection.execute(update(schema.scope_rows).values(hash="0" * 16))
    assert flaws(server) != []

    count_scopes(services.database)

    assert flaws(server) == []
    assert_agrees(server, till)


def test_a_row_changed_behind_the_servers_back_is_found(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    server.line.push(till)
    with server.services.database.writing() as work:
        work.connection.execute(update(schema.members).values(name="Somebody"))

    assert flaws(server) == [
        ("profile-differs", member),
        ("scope-differs", f"members/{member}"),
        ("scope-differs", "members"),
    ]


def test_a_till_that_held_something_else_is_an_exception_once_a_day(
    server: Server, clock: ManualClock
) -> None:
    till = server.enrol_till()

    def pull(*, is_mismatched: bool) -> None:
        request = PullRequest(
            protocol=2, stream=Stream.CATALOGUE, cursor=None, is_mismatched=is_mismatched
        )
        server.line.post("/v1/sync/pull", request, PullReply, signer=till.key)

    def told() -> list[str]:
        with server.services.database.reading() as snapshot:
            return list(snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars())

    pull(is_mismatched=False)
    assert told() == []
    pull(is_mismatched=True)
    pull(is_mismatched=True)
    assert told() == ["replica-differed"]
    clock.advance(seconds=24 * 3600)
    pull(is_mismatched=True)
    assert told() == ["replica-differed"] * 2
