"""What tills wait for does not take longer for all that was ever booked.

On SQLite; PostgreSQL plans by what it has counted.
"""

import re

import msgspec
import pytest

from shared.ids import LotId
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.lease import LeaseAsk, LeaseReply, LeaseRequest
from shared.protocol.message import PROTOCOL, LookupReply, LookupRequest, Stream
from shared.trade.fact import LotDraw
from shared.trade.profile import MemberProfile
from sync_server.database import schema
from sync_server.database.migrate import upgrade_in
from sync_server.members.merging import Verified
from tests.support.query_plans import plans
from tests.support.servers import Server
from tests.support.taxed_cards import CARD, taxed_card_facts
from tests.support.till_writer import where

GROWING = (
    schema.entries,
    schema.attachments,
    schema.postings,
    schema.balances,
    schema.lots,
    schema.tickets,
    schema.returned_lines,
    schema.approvals,
    schema.exceptions,
    schema.exception_facts,
    schema.natural_keys,
    schema.lease_spends,
    schema.members,
    schema.member_keys,
    schema.key_claims,
    schema.member_days,
    schema.member_entries,
    schema.scope_rows,
)
"""Tables that grow with every sale or member. The others have a row for each till, or are small."""
READS_ALL = re.compile(rf"(SCAN|SEARCH) ({'|'.join(one.name for one in GROWING)})\b")
BY_MORE_THAN_SHARD = re.compile(r"\(shard=\? AND |\(rowid=\?\)")

on_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


def slow(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Statements that read a growing table from end to end."""
    reading = {
        statement: [
            step for step in steps if READS_ALL.search(step) and not BY_MORE_THAN_SHARD.search(step)
        ]
        # The newest place of a stream is the end of an index.
        for statement, steps in found.items()
        if "max(" not in statement
    }
    return {statement: steps for statement, steps in reading.items() if steps}


@on_sqlite
def test_an_older_database_is_told_of_its_new_tables_as_well(server: Server) -> None:
    with server.services.database.writing(is_bare=True) as work:
        work.connection.exec_driver_sql("DELETE FROM sqlite_stat1")
        upgrade_in(work)
        told = work.connection.exec_driver_sql("SELECT tbl FROM sqlite_stat1").scalars()
        assert set(told) >= {one.name for one in GROWING}


@on_sqlite
def test_no_statement_of_a_push_a_pull_or_a_look_up_reads_everything(
    server: Server,
) -> None:
    database = server.services.database
    till, other = server.enrol_till("one"), server.enrol_till("two")
    server.services.programme.publish(programme_bytes(template("default")))
    with plans(database.engine) as found:
        members = [till.enrol_member(_profile(number)) for number in range(3)]
        sales = [till.sell(10_000, member=member, earned=100) for member in members]
        for _ in "twice":
            till.take_back(sales[0], 5_000)
        place = {name: where(till)[name] for name in ("store_id", "till_id")}
        for fact in taxed_card_facts()[:4]:
            till.write(msgspec.structs.replace(fact, **place))
        server.line.push(till)
        assert server.line.push(till).exceptions
        asked = LeaseRequest(protocol=PROTOCOL, asks=(LeaseAsk(account="gift-card", owner=CARD),))
        answer = server.line.post("/v1/leases", asked, LeaseReply, signer=till.key).answers[0]
        assert answer.card_tax is not None
        # The same phone once more, and more points than there are: exceptions, too.
        twin = other.enrol_member(_profile(0))
        for _ in "twice":
            draw = LotDraw(lot=LotId(sales[1]), points=80)
            other.sell(10_000, member=members[1], spend=(draw,))
        assert len(server.line.push(other).exceptions) >= 2
        for stream in Stream:
            server.line.pull(till, stream)
        for named in ({"member_key": "0" * 32}, {"receipt_no": "001-000005"}):
            request = LookupRequest(protocol=PROTOCOL, **named)
            server.line.post("/v1/lookup", request, LookupReply, signer=till.key)
        services = server.services
        for audit in (services.audit, services.returns_audit, services.cards_audit):
            audit.run()
        server.services.merging.merge(twin, members[0], verified=Verified.OFFICE)
    assert len(found) > 40
    assert slow(found) == {}


def _profile(number: int) -> MemberProfile:
    return MemberProfile(name="顾客", phone=str(13_000_000_000 + number))
