"""What a push may rely on, on every database."""

import hashlib
import secrets

import msgspec
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from shared.ids import EntryId, LotId, MemberId
from shared.journal.attachment import attach
from shared.journal.certificate import sign_head
from shared.journal.chain import append
from shared.journal.entry import EPOCH_PREFIX
from shared.journal.keys import new_signing_key
from shared.protocol.message import MemberRow, PushReply, PushRequest, Stream
from shared.trade.fact import LotDraw
from shared.trade.profile import MemberProfile
from shared.trade.ticket import SaleCompleted
from sync_server.database import schema
from sync_server.journal.audit import audit
from tests.support.servers import Server
from tests.support.till_writer import Refused, TillWriter, rows_of


def test_entries_are_kept_verbatim_and_acknowledged(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(1250, member=member, earned=12)

    reply = server.line.push(till)

    assert (reply.next_seq, reply.head_hash) == (2, till.head.hash)
    assert reply.durable_seq == 0
    assert stored_bytes(server, till) == [entry.entry.encoded for entry in till.entries]
    assert_clean(server)


def test_the_same_push_again_changes_nothing(server: Server) -> None:
    till = server.enrol_till()
    till.sell(1250, member=till.enrol_member(), earned=12)
    first = server.line.push(till)
    before = everything(server)

    again = server.line.push(till)

    assert (again.next_seq, again.head_hash) == (first.next_seq, first.head_hash)
    assert everything(server) == before


def test_a_push_that_overlaps_what_is_known_adds_the_rest(server: Server) -> None:
    till = server.enrol_till()
    for amount in (100, 200, 300):
        till.sell(amount)
    server.line.push(till, 0, 2)

    assert server.line.push(till, 1).next_seq == 3
    assert_clean(server)


def test_a_push_without_entries_asks_where_the_server_stands(server: Server) -> None:
    till = server.enrol_till()
    till.sell(100)
    server.line.push(till)

    assert server.line.push(till, 1).next_seq == 1


def test_a_gap_is_told_with_the_place_to_go_on_from(server: Server) -> None:
    till = server.enrol_till()
    for amount in (100, 200, 300):
        till.sell(amount)
    server.line.push(till, 0, 1)

    with pytest.raises(Refused) as refused:
        server.line.push(till, 2)

    assert refused.value.status == 409
    assert refused.value.reply.code == "gap"
    assert refused.value.reply.next_seq == 1
    assert refused.value.reply.head_hash == till.heads[1].hash


def test_the_chain_of_a_till_begins_at_its_certificate(server: Server) -> None:
    till = server.enrol_till()
    till.sell(100)
    server.line.push(till)

    genesis = hashlib.sha256(EPOCH_PREFIX + till.reply.certificate.payload).digest()
    with server.services.database.reading() as snapshot:
        first = snapshot.connection.execute(
            select(schema.entries.c.prev_hash).where(schema.entries.c.journal == till.journal)
        ).scalar_one()
    assert first == genesis


def test_two_tills_that_spend_one_lot_offline_end_in_an_exception_and_equal_books(
    server: Server,
) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    lot = LotId(first.sell(10_000, member=member, earned=100))
    server.line.push(first)
    first_spend = first.sell(500, member=member, spend=(LotDraw(lot=lot, points=100),))
    second_spend = second.sell(500, member=member, spend=(LotDraw(lot=lot, points=100),))

    assert server.line.push(first, 2).exceptions == ()
    reply = server.line.push(second)

    (notice,) = reply.exceptions
    assert notice.rule == "lot-overspent"
    assert set(notice.facts) == {EntryId(lot), first_spend, second_spend}
    assert points(server, first, member) == -100
    assert server.line.push(second).exceptions == reply.exceptions
    assert_clean(server)


def test_a_draw_that_arrives_before_its_lot_is_no_exception(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    lot = LotId(first.sell(10_000, member=member, earned=100))
    second.sell(500, member=member, spend=(LotDraw(lot=lot, points=100),))

    server.line.push(second)
    reply = server.line.push(first)

    assert reply.exceptions == ()
    assert points(server, first, member) == 0


def test_a_lot_that_was_overdrawn_before_it_arrived_is_found_when_it_does(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    lot = LotId(first.sell(10_000, member=member, earned=100))
    second.sell(500, member=member, spend=(LotDraw(lot=lot, points=150),))

    assert server.line.push(second).exceptions == ()
    (notice,) = server.line.push(first).exceptions

    assert notice.rule == "lot-overspent"


def test_more_units_returned_than_sold_are_found_and_booked(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    sale = first.sell(3000, quantity=3)
    server.line.push(first)
    first.take_back(sale, 2000, quantity=2)
    second.take_back(sale, 2000, quantity=2)

    assert server.line.push(first, 1).exceptions == ()
    (notice,) = server.line.push(second).exceptions

    assert notice.rule == "receipt-returned-twice"
    assert sale in notice.facts
    assert_clean(server)


def test_two_enrolments_with_one_phone_are_kept_and_linked(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    profile = MemberProfile(name="Han Meimei", phone="13900139000")
    holder = first.enrol_member(profile)
    other = second.enrol_member(profile)

    assert server.line.push(first).exceptions == ()
    (notice,) = server.line.push(second).exceptions

    assert notice.rule == "duplicate-member-key"
    rows = {row.member_id: row for row in members(server, first)}
    assert rows[holder].keys
    assert rows[other].keys == ()
    assert rows[other].name == "Han Meimei"


def test_a_restored_image_becomes_a_branch_that_is_booked(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(100, member=member, earned=1)
    till.sell(200, member=member, earned=2)
    server.line.push(till)
    twin = till.copy(2)
    twin.sell(400, member=member, earned=4)

    reply = server.line.push(twin, 2)
    twin.sell(800, member=member, earned=8)
    till.sell(1600, member=member, earned=16)
    on_branch, on_trunk = server.line.push(twin, 3), server.line.push(till, 3)

    assert {notice.rule for notice in reply.exceptions} == {"fork", "receipt-number-twice"}
    assert set(reply.exceptions[0].facts) == {till.entries[2].id, twin.entries[2].id}
    assert (on_branch.next_seq, on_branch.head_hash) == (4, twin.head.hash)
    assert (on_trunk.next_seq, on_trunk.head_hash) == (4, till.head.hash)
    assert points(server, till, member) == 1 + 2 + 4 + 8 + 16
    assert forks(server) == [(0, 2)]
    assert_clean(server)


def test_a_branch_of_a_branch_is_kept_too(server: Server) -> None:
    till = server.enrol_till()
    till.sell(1)
    till.sell(2)
    server.line.push(till)
    twin = till.copy(1)
    twin.sell(4)
    twin.sell(8)
    server.line.push(twin, 1)
    third = twin.copy(2)
    third.sell(16)

    reply = server.line.push(third, 2)

    assert {notice.rule for notice in reply.exceptions} == {"fork", "receipt-number-twice"}
    assert forks(server) == [(0, 1), (1, 2)]
    assert_clean(server)


def test_a_till_that_left_the_chain_unnoticed_is_led_back_to_the_last_common_entry(
    server: Server,
) -> None:
    till = server.enrol_till()
    for amount in range(5):
        till.sell(amount)
    server.line.push(till)
    twin = till.copy(2)
    for amount in range(10, 13):
        twin.sell(amount)

    with pytest.raises(Refused) as refused:
        server.line.push(twin, 4)
    assert refused.value.reply.code == "unknown-parent"
    assert refused.value.reply.next_seq is not None

    assert server.line.push(twin, refused.value.reply.next_seq).next_seq == 5
    assert_clean(server)


def test_a_fact_seen_before_in_another_epoch_is_booked_once(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(100, member=member, earned=1)
    sale = till.sell(200, member=member, earned=2)
    server.line.push(till)
    twin = till.copy(2)
    body = till.entries[2].envelope.body
    twin.clock.advance(hours=1)
    twin.write(read_sale(body), entry_id=sale)

    server.line.push(twin, 2)

    assert points(server, till, member) == 3
    assert_clean(server)


def test_another_fact_under_a_known_id_is_kept_but_not_booked(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    sale = first.sell(200)
    second.sell(999, entry_id=sale)
    server.line.push(first)

    (notice,) = server.line.push(second).exceptions

    assert notice.rule == "entry-id-reused"
    assert stored_bytes(server, second) == [second.entries[0].entry.encoded]
    assert_clean(server)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "moon_landed"}, "unknown-fact"),
        ({"version": 99}, "unknown-fact"),
        ({"post_version": 99}, "unknown-post-version"),
        ({"body": msgspec.Raw(b'{"nonsense":1}')}, "bad-fact"),
        ({"id": "e" * 10_000}, "bad-envelope"),
        ({"kind": "k" * 200}, "bad-envelope"),
        ({"hlc": "-fffffffffffffff"}, "bad-envelope"),
        ({"business_date": "never"}, "bad-envelope"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_a_fact_that_cannot_be_read_goes_to_quarantine_and_blocks_nothing(
    server: Server, change: dict[str, object], reason: str
) -> None:
    till = server.enrol_till()
    forge_last(till, **change)
    till.sell(100)

    assert server.line.push(till).next_seq == 2

    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(select(schema.quarantine)).all()
    assert [(row.seq, row.reason) for row in rows] == [(0, reason)]
    assert stored_bytes(server, till)[0] == till.entries[0].entry.encoded
    assert_clean(server)


@pytest.mark.parametrize("field", ["receipt_no", "store_id", "till_id"])
def test_an_id_too_long_for_an_index_goes_to_quarantine_on_every_database(
    server: Server, field: str
) -> None:
    till = server.enrol_till()
    till.sell(100)
    told = msgspec.json.decode(till.entries[0].envelope.body)
    told[field] = secrets.token_hex(5_000)
    till = server.enrol_till()
    forge_last(till, body=msgspec.Raw(msgspec.json.encode(told)))
    till.sell(100)

    assert server.line.push(till).next_seq == 2

    with server.services.database.reading() as snapshot:
        rows = snapshot.connection.execute(select(schema.quarantine)).all()
    assert [(row.seq, row.reason) for row in rows] == [(0, "bad-fact")]
    assert_clean(server)


def test_an_attachment_may_come_later_than_its_entry(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    request = till.push_request()
    server.line.post("/v1/sync/push", msgspec.structs.replace(request, attachments=()), PushReply)
    assert members(server, till)[0].name == ""

    server.line.push(till)

    (row,) = members(server, till)
    assert (row.member_id, row.name, row.phone_tail) == (member, "Li Lei", "8000")


def test_an_attachment_with_other_content_is_dropped_and_found(server: Server) -> None:
    till = server.enrol_till()
    till.enrol_member()
    (named,) = till.attachments[till.entries[0].id]
    till.attachments[till.entries[0].id] = [msgspec.structs.replace(named, content=b"{}")]

    (notice,) = server.line.push(till).exceptions

    assert notice.rule == "attachment-unproven"
    assert members(server, till)[0].name == ""
    assert_clean(server)


def test_an_attachment_that_no_entry_names_is_dropped(server: Server) -> None:
    till = server.enrol_till()
    sale = till.sell(100)
    till.attachments[sale] = [attach(b"somebody's name")]

    server.line.push(till)

    with server.services.database.reading() as snapshot:
        assert snapshot.connection.execute(select(schema.attachments)).all() == []


def test_a_second_enrolment_under_one_id_does_not_replace_who_somebody_is(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    second.enrol_member(MemberProfile(name="Impostor", phone="13700137000"), member)
    server.line.push(first)

    server.line.push(second)

    assert members(server, first)[0].name == "Li Lei"


def test_the_database_itself_refuses_to_change_what_is_only_added_to(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    sale = till.sell(100, member=member, earned=1)
    till.take_back(sale, 200, quantity=2)
    server.line.push(till)
    erased = till.enrol_member(MemberProfile(name="Gone"))
    server.line.push(till, 3)
    server.services.erasure.erase(erased, reason="request")
    spend = {"position": 0, "lease_id": "lease", "amount": 1}
    with server.services.database.writing() as work:
        work.insert(schema.lease_spends, [{"entry_id": sale, "member_id": member, **spend}])
        work.insert(schema.gift_cards, [{"card_id": "card", "entry_id": sale, "last_day": None}])
        word = {"number": 0, "statement": b"word", "made_at": "2026"}
        work.insert(schema.key_statements, [word])

    changes = [
        (table, change)
        for table in schema.APPEND_ONLY
        for change in (update(table).values(shard=1), delete(table))
    ]
    for target, change in changes:
        with server.services.database.writing() as work:
            assert work.connection.execute(select(target)).first() is not None
            with pytest.raises(DBAPIError, match="append-only"):
                work.connection.execute(change)
            work.connection.rollback()


def test_nothing_of_a_refused_push_is_kept(server: Server) -> None:
    till = server.enrol_till()
    till.sell(100)
    before = everything(server)
    request = till.push_request()
    forged = sign_head(
        new_signing_key(),
        journal=till.journal,
        epoch=0,
        seq=0,
        head_hash=till.head.hash,
    )

    with pytest.raises(Refused) as refused:
        send(server, msgspec.structs.replace(request, head_signature=forged))

    assert (refused.value.status, refused.value.reply.code) == (401, "bad-signature")
    assert everything(server) == before


# What the tests look at.


def send(server: Server, request: PushRequest) -> PushReply:
    return server.line.post("/v1/sync/push", request, PushReply)


def assert_clean(server: Server) -> None:
    with server.services.database.reading() as snapshot:
        report = audit(snapshot)
    assert report.flaws == []
    assert report.entries > 0


def stored_bytes(server: Server, till: TillWriter) -> list[bytes]:
    columns = schema.entries.c
    with server.services.database.reading() as snapshot:
        statement = select(columns.bytes).where(columns.journal == till.journal)
        return list(snapshot.connection.execute(statement.order_by(columns.seq)).scalars())


def everything(server: Server) -> dict[str, list[object]]:
    """All rows of all tables but the time of a till's last contact."""
    with server.services.database.reading() as snapshot:
        return {
            table.name: sorted(map(repr, snapshot.connection.execute(select(table)).all()))
            for table in schema.metadata.sorted_tables
        }


def members(server: Server, till: TillWriter) -> list[MemberRow]:
    return rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow)


def points(server: Server, till: TillWriter, member: MemberId) -> int:
    (row,) = [row for row in members(server, till) if row.member_id == member]
    return sum(balance.amount for balance in row.balances if balance.account == "points")


def forks(server: Server) -> list[tuple[int, int]]:
    columns = schema.epochs.c
    statement = (
        select(columns.forked_epoch, columns.forked_seq)
        .where(columns.forked_epoch.is_not(None))
        .order_by(columns.epoch)
    )
    with server.services.database.reading() as snapshot:
        return [tuple(row) for row in snapshot.connection.execute(statement)]


def read_sale(body: msgspec.Raw) -> SaleCompleted:
    return msgspec.json.decode(body, type=SaleCompleted)


def forge_last(till: TillWriter, **change: object) -> None:
    """Append a sale whose envelope says something else."""
    till.sell(100)
    till.heads.pop()
    sold = till.entries.pop()
    envelope = msgspec.structs.replace(sold.envelope, **change)
    head, chained = append(till.head, envelope)
    till.heads.append(head)
    till.entries.append(chained)
