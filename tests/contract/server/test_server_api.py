"""What tills may rely on beside the push, and what bad input is answered with."""

import re
from collections.abc import Callable

import msgspec
import pytest

from shared.catalogue.goods import Goods
from shared.clock import ManualClock
from shared.ids import EntryId, GoodsId, JournalId
from shared.journal import strict
from shared.journal.certificate import decode_certificate
from shared.journal.keys import (
    Signed,
    SigningKey,
    new_signing_key,
    parse_public_key,
    sign_statement,
)
from shared.journal.server_key import certified_server_key
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.cursor import checksum
from shared.protocol.message import (
    BODY_BYTES_MAX,
    CONTENT_TYPE,
    PROTOCOL,
    BundleRow,
    EnrolReply,
    EnrolRequest,
    ErrorReply,
    GoodsRow,
    MemberRow,
    OperatorRow,
    PullRequest,
    PushRequest,
    Stream,
)
from shared.protocol.request_signature import sign_request
from shared.trade.fact import BundleRef
from shared.trade.profile import KeyKind, MemberProfile, lookup_hash
from sync_server.database.schema import attachments, member_keys, shards
from sync_server.operators.desk import Role
from sync_server.web.reading import OfficeReader
from tests.support.servers import Server
from tests.support.till_writer import Refused, TillWriter, rows_of

# Enrolment.


def test_a_certificate_is_vouched_for_up_to_the_pinned_root(server: Server) -> None:
    till = server.enrol_till()
    root = parse_public_key(till.reply.root_key)

    payload = till.reply.certificate.verify(
        certified_server_key(root, till.reply.server_key),
        purpose="certificate",
        audience=till.journal,
    )

    certificate = decode_certificate(payload)
    assert (certificate.epoch, certificate.key_id) == (0, till.key.id)


def test_a_lost_answer_to_an_enrolment_is_given_again(server: Server) -> None:
    code, key = new_code(server), new_signing_key()

    assert server.line.enrol(code, key).reply == server.line.enrol(code.lower(), key).reply


def test_a_code_enrols_one_key_only(server: Server) -> None:
    code = new_code(server)
    server.line.enrol(code)

    assert refusal(lambda: server.line.enrol(code)) == (403, "code-refused")


def test_a_code_dies_of_wrong_attempts(server: Server) -> None:
    code = new_code(server)
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for _ in range(5):
        assert refusal(lambda: server.line.enrol(wrong)) == (403, "code-refused")

    assert refusal(lambda: server.line.enrol(code)) == (403, "code-refused")


def test_a_code_ends_after_a_day(server: Server, clock: ManualClock) -> None:
    code = new_code(server)
    clock.advance(hours=24, seconds=1)

    assert refusal(lambda: server.line.enrol(code)) == (403, "code-refused")


def test_guessing_codes_is_slowed_down_by_address(server: Server) -> None:
    for _ in range(20):
        refusal(lambda: server.line.enrol("AAAA-AAAA-AAAA-AAAA"))

    assert refusal(lambda: server.line.enrol(new_code(server))) == (429, "too-many-attempts")


def test_a_till_enrolled_again_goes_on_in_the_next_epoch_of_its_journal(server: Server) -> None:
    store = server.services.stores.add_store("East", "Asia/Shanghai")
    till_id = server.services.stores.add_till(store.store_id, "1").till_id
    first = server.line.enrol(server.services.enrolment.issue_code(till_id))
    second = server.line.enrol(server.services.enrolment.issue_code(till_id))
    first.sell(100)
    second.sell(200)

    assert second.journal == first.journal
    assert (first.certificate.epoch, second.certificate.epoch) == (0, 1)
    assert server.line.push(first).next_seq == 1
    assert server.line.push(second).next_seq == 1


# Pull and look-up.


def test_all_streams_arrive_page_by_page(server: Server) -> None:
    till = server.enrol_till()
    articles = [goods(number) for number in range(7)]
    server.services.catalogue.put(articles)
    seen: list[GoodsRow] = []
    cursor, is_last = None, False
    while not is_last:
        page = server.line.pull(till, Stream.CATALOGUE, cursor, limit=3)
        assert page.checksum == checksum(bytes(row) for row in page.rows)
        seen += rows_of(page, GoodsRow)
        cursor, is_last = page.cursor, page.is_last

    documents = [msgspec.json.decode(row.document, type=Goods) for row in seen]
    assert documents == articles
    assert server.line.pull(till, Stream.CATALOGUE, cursor).rows == ()


def test_a_row_that_changes_between_pages_comes_again(server: Server) -> None:
    till = server.enrol_till()
    server.services.catalogue.put([goods(number) for number in range(4)])
    first = server.line.pull(till, Stream.CATALOGUE, limit=2)
    server.services.catalogue.put([goods(0, price=999)])

    rest = rows_of(server.line.pull(till, Stream.CATALOGUE, first.cursor), GoodsRow)

    assert [row.goods_id for row in rest] == ["sku2", "sku3", "sku0"]
    assert msgspec.json.decode(rest[-1].document, type=Goods).list_price_minor == 999


def test_an_unchanged_import_changes_nothing(server: Server) -> None:
    articles = [goods(number) for number in range(3)]

    assert server.services.catalogue.put(articles) == 3
    assert server.services.catalogue.put(articles) == 0


def test_a_published_programme_is_signed_and_numbered(server: Server) -> None:
    till = server.enrol_till()
    document = programme_bytes(template("default"))
    ref = server.services.programme.publish(document)
    assert server.services.programme.publish(document) == ref

    (row,) = rows_of(server.line.pull(till, Stream.PROGRAMME), BundleRow)

    root = parse_public_key(till.reply.root_key)
    key = certified_server_key(root, till.reply.server_key)
    payload = row.statement.verify(key, purpose="bundle", audience="all")
    assert msgspec.json.decode(payload, type=BundleRef) == ref
    assert (row.document, ref.version) == (document, 1)


def test_an_operator_comes_with_a_hash_of_the_pin_alone(server: Server) -> None:
    till = server.enrol_till()
    server.services.operators.add("王芳", pin="4711", role=Role.MANAGER)

    (row,) = rows_of(server.line.pull(till, Stream.OPERATORS), OperatorRow)

    assert (row.name, row.role, row.active) == ("王芳", "manager", True)
    assert row.pin_hash.startswith("$argon2id$")


def test_a_page_says_which_own_entries_its_balances_contain(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    first.sell(1000, member=member, earned=10)
    server.line.push(first)
    first.sell(2000, member=member, earned=20)

    assert server.line.pull(first, Stream.MEMBERS).applied_through == 2
    assert server.line.pull(second, Stream.MEMBERS).applied_through == 0


def test_a_cursor_of_another_database_asks_for_everything_again(server: Server) -> None:
    till = server.enrol_till()
    page = server.line.pull(till, Stream.MEMBERS)
    with server.services.database.writing() as work:
        work.connection.execute(shards.update().values(generation="restored"))

    assert refusal(lambda: server.line.pull(till, Stream.MEMBERS, page.cursor)) == (
        410,
        "resync-required",
    )


def test_a_member_is_found_by_phone_and_card(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member(MemberProfile(name="A", phone="13800138000", card="77001"))
    server.line.push(till)
    key = till.reply.lookup_key

    for kind, text in ((KeyKind.PHONE, "+86 138-0013-8000"), (KeyKind.CARD, "77001")):
        (row,) = server.line.look_up(till, member_key=lookup_hash(key, kind, text)).members
        assert row.member_id == member
    assert server.line.look_up(till, member_key="0" * 32).members == ()


def test_a_receipt_comes_with_its_returns(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    sale = first.sell(3000, quantity=3)
    server.line.push(first)
    second.take_back(sale, 1000)
    server.line.push(second)

    receipt = server.line.look_up(first, receipt_no="001-000000").receipt

    assert receipt is not None
    assert receipt.entry == first.entries[0].entry.encoded
    assert receipt.returns == (second.entries[0].entry.encoded,)
    assert server.line.look_up(first, receipt_no="009-000000").receipt is None


def test_an_erased_member_is_a_tombstone_and_never_comes_back(server: Server) -> None:
    first, second = server.enrol_till("east"), server.enrol_till("west")
    member = first.enrol_member()
    server.line.push(first)
    cursor = server.line.pull(second, Stream.MEMBERS).cursor
    server.services.erasure.erase(member, reason="request")
    server.services.erasure.erase(member, reason="request")

    server.line.push(first)
    second.sell(100, member=member, earned=1)
    server.line.push(second)

    rows = rows_of(server.line.pull(second, Stream.MEMBERS, cursor), MemberRow)
    assert rows == [MemberRow(member_id=member, gone=True)]
    key = lookup_hash(first.reply.lookup_key, KeyKind.PHONE, "13800138000")
    assert server.line.look_up(second, member_key=key).members == ()


def test_personal_data_that_arrives_after_the_erasure_is_not_kept(server: Server) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    attached = dict(till.attachments)
    till.attachments = {entry: [] for entry in attached}
    server.line.push(till)
    server.services.erasure.erase(member, reason="request")
    till.attachments = attached

    server.line.push(till)

    (row,) = rows_of(server.line.pull(till, Stream.MEMBERS), MemberRow)
    assert row == MemberRow(member_id=member, gone=True)


def test_an_enrolment_that_arrives_after_the_erasure_brings_nobody_back(server: Server) -> None:
    away, second = server.enrol_till("east"), server.enrol_till("west")
    member = away.enrol_member()
    second.sell(100, member=member, earned=1)
    server.line.push(second)
    server.services.erasure.erase(member, reason="request")

    server.line.push(away)

    rows = rows_of(server.line.pull(second, Stream.MEMBERS), MemberRow)
    assert rows == [MemberRow(member_id=member, gone=True)]
    with server.services.database.reading() as snapshot:
        assert snapshot.connection.execute(attachments.select()).all() == []
        assert snapshot.connection.execute(member_keys.select()).all() == []


# Bad input.

Forge = Callable[[TillWriter], PushRequest]


def another_key(till: TillWriter) -> PushRequest:
    thief = TillWriter(till.certificate, new_signing_key(), till.reply)
    thief.heads, thief.entries, thief.attachments = till.heads, till.entries, till.attachments
    return thief.push_request()


def own_certificate(till: TillWriter) -> PushRequest:
    """A certificate the till made itself."""
    forged = sign_statement(
        new_signing_key(),
        purpose="certificate",
        audience=till.journal,
        payload=till.reply.certificate.payload,
    )
    return msgspec.structs.replace(till.push_request(), certificate=forged)


def other_purpose(till: TillWriter) -> PushRequest:
    named = till.reply.certificate
    changed = Signed("bundle", named.audience, named.key_id, named.payload, named.signature)
    return msgspec.structs.replace(till.push_request(), certificate=changed)


def other_journal(till: TillWriter) -> PushRequest:
    journal = JournalId("00000000-0000-4000-8000-000000000000")
    return msgspec.structs.replace(till.push_request(), journal=journal)


def swapped(till: TillWriter) -> PushRequest:
    request = till.push_request()
    return msgspec.structs.replace(request, entries=request.entries[::-1])


def altered(till: TillWriter) -> PushRequest:
    request = till.push_request()
    changed = request.entries[1].replace(b'"total":200', b'"total":900')
    assert changed != request.entries[1]
    return msgspec.structs.replace(request, entries=(request.entries[0], changed))


def left_out(till: TillWriter) -> PushRequest:
    request = till.push_request()
    return msgspec.structs.replace(request, entries=request.entries[1:])


def signed_elsewhere(till: TillWriter) -> PushRequest:
    request = till.push_request()
    earlier = till.push_request(0, 1)
    return msgspec.structs.replace(request, head_signature=earlier.head_signature)


def too_many(till: TillWriter) -> PushRequest:
    request = till.push_request()
    return msgspec.structs.replace(request, entries=request.entries[:1] * 501)


def too_heavy(till: TillWriter) -> PushRequest:
    request = till.push_request()
    return msgspec.structs.replace(request, entries=(b" " * 60_000,) * 18)


def huge_entry(till: TillWriter) -> PushRequest:
    request = till.push_request()
    return msgspec.structs.replace(request, entries=(b" " * 65_537,))


def short_hash(till: TillWriter) -> PushRequest:
    return msgspec.structs.replace(till.push_request(), prev_hash=b"short")


def bad_clock(till: TillWriter) -> PushRequest:
    return msgspec.structs.replace(till.push_request(), hlc="tomorrow")


def beyond(till: TillWriter) -> PushRequest:
    return till.push_request(1)


@pytest.mark.parametrize(
    ("forge", "status", "code"),
    [
        (another_key, 401, "bad-signature"),
        (own_certificate, 401, "wrong-statement"),
        (other_purpose, 401, "wrong-statement"),
        (other_journal, 401, "wrong-statement"),
        (swapped, 400, "wrong-place"),
        (altered, 400, "broken-chain"),
        (left_out, 400, "wrong-place"),
        (signed_elsewhere, 401, "bad-signature"),
        (too_many, 413, "too-many-entries"),
        (too_heavy, 413, "push-too-large"),
        (huge_entry, 413, "entry-too-large"),
        (short_hash, 400, "bad-message"),
        (bad_clock, 400, "bad-message"),
        (beyond, 409, "gap"),
    ],
)
def test_a_push_that_is_not_right_is_refused_whole(
    server: Server, forge: Forge, status: int, code: str
) -> None:
    till = server.enrol_till()
    till.sell(100)
    till.sell(200)

    body = msgspec.msgpack.encode(forge(till))

    assert post(server, "/v1/sync/push", body) == (status, code)
    assert server.line.push(till).next_seq == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad-message"),
        (b"\xc1", 400, "bad-message"),
        (b"\x92" * 100_000, 400, "bad-message"),
        (msgspec.msgpack.encode([1, 2]), 400, "bad-message"),
        (msgspec.msgpack.encode({"protocol": PROTOCOL}), 400, "bad-message"),
        (msgspec.msgpack.encode({"protocol": 99, "new": 1}), 426, "protocol-unsupported"),
        (msgspec.msgpack.encode({"protocol": "1"}), 400, "bad-message"),
        (b"\xdd\xff\xff\xff\xff", 400, "bad-message"),
        (b" " * (BODY_BYTES_MAX + 1), 413, "body-too-large"),
    ],
    ids=["empty", "reserved", "deep", "list", "bare", "later", "text", "huge-claim", "oversized"],
)
def test_a_body_that_is_no_push_is_refused(
    server: Server, body: bytes, status: int, code: str
) -> None:
    assert post(server, "/v1/sync/push", body) == (status, code)


def test_unknown_fields_are_refused(server: Server) -> None:
    till = server.enrol_till()
    fields = msgspec.msgpack.decode(msgspec.msgpack.encode(till.push_request()))
    body = msgspec.msgpack.encode({**fields, "colour": "red"})

    assert post(server, "/v1/sync/push", body) == (400, "bad-message")


def test_a_body_without_a_stated_size_is_stopped_at_the_limit(server: Server) -> None:
    chunks = (b" " * 65_536 for _ in range(40))

    assert post(server, "/v1/sync/push", chunks) == (413, "body-too-large")  # type: ignore[arg-type]  # streamed


def test_another_content_type_is_refused(server: Server) -> None:
    response = server.line.client.post("/v1/sync/push", json={"protocol": 1})

    assert response.status_code == 415


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/nothing", 404), ("/v1/sync/push", 405), ("/favicon.ico", 404)]
)
def test_other_addresses_are_answered_with_a_code(server: Server, path: str, status: int) -> None:
    response = server.line.client.get(path)

    assert response.status_code == status
    assert msgspec.msgpack.decode(response.content, type=ErrorReply).code


def test_a_pull_must_be_signed(server: Server) -> None:
    request = PullRequest(protocol=PROTOCOL, stream=Stream.MEMBERS, cursor=None)

    assert post(server, "/v1/sync/pull", msgspec.msgpack.encode(request)) == (
        401,
        "unsigned-request",
    )


def test_a_pull_by_a_key_nobody_enrolled_is_refused(server: Server) -> None:
    nonce = server.line.hello().nonce

    assert signed_pull(server, new_signing_key(), nonce) == (401, "unknown-key")


def test_a_pull_with_a_nonce_of_its_own_is_refused(server: Server) -> None:
    till = server.enrol_till()

    assert signed_pull(server, till.key, "A" * 43) == (401, "bad-nonce")


def test_a_nonce_ends_after_ten_minutes(server: Server, clock: ManualClock) -> None:
    till = server.enrol_till()
    nonce = server.line.hello().nonce
    clock.advance(minutes=10)
    assert signed_pull(server, till.key, nonce)[0] == 200
    clock.advance(seconds=1)

    assert signed_pull(server, till.key, nonce) == (401, "old-nonce")


def test_a_signature_is_good_for_its_own_body_and_path_only(server: Server) -> None:
    till = server.enrol_till()
    nonce = server.line.hello().nonce
    body = msgspec.msgpack.encode(
        PullRequest(protocol=PROTOCOL, stream=Stream.MEMBERS, cursor=None)
    )
    other = msgspec.msgpack.encode(
        PullRequest(protocol=PROTOCOL, stream=Stream.OPERATORS, cursor=None)
    )
    headers = sign_request(till.key, method="POST", path="/v1/sync/pull", body=body, nonce=nonce)

    assert post(server, "/v1/sync/pull", other, headers) == (401, "bad-signature")
    assert post(server, "/v1/lookup", body, headers) == (401, "bad-signature")


@pytest.mark.parametrize("cursor", ["", "!", "AAAA", "é"])
def test_a_cursor_that_is_none_is_refused(server: Server, cursor: str) -> None:
    till = server.enrol_till()

    assert refusal(lambda: server.line.pull(till, Stream.MEMBERS, cursor)) == (400, "bad-cursor")


def test_a_cursor_of_another_stream_is_refused(server: Server) -> None:
    till = server.enrol_till()
    cursor = server.line.pull(till, Stream.MEMBERS).cursor

    assert refusal(lambda: server.line.pull(till, Stream.OPERATORS, cursor)) == (
        400,
        "bad-cursor",
    )


@pytest.mark.parametrize("limit", [0, -1, 2001])
def test_a_page_size_out_of_bounds_is_refused(server: Server, limit: int) -> None:
    till = server.enrol_till()

    refused = refusal(lambda: server.line.pull(till, Stream.MEMBERS, limit=limit))
    assert refused == (400, "bad-message")


@pytest.mark.parametrize(
    "asked", [{"member_key": "x"}, {"receipt_no": "a b"}, {"receipt_no": "\0"}]
)
def test_a_malformed_look_up_is_refused(server: Server, asked: dict[str, str]) -> None:
    till = server.enrol_till()

    assert refusal(lambda: server.line.look_up(till, **asked)) == (400, "bad-message")


@pytest.mark.parametrize("code", ["", "AAAA", "\0" * 16, "A" * 10_000, "AAAA-AAAA-AAAA-AAAU"])
def test_a_malformed_code_is_refused(server: Server, code: str) -> None:
    assert refusal(lambda: server.line.enrol(code)) == (403, "code-refused")


def test_a_malformed_key_is_refused(server: Server) -> None:
    request = EnrolRequest(protocol=PROTOCOL, code=new_code(server), public_key="no key")

    assert refusal(lambda: server.line.post("/v1/enrol", request, EnrolReply)) == (400, "bad-key")


def test_text_that_a_database_cannot_hold_goes_to_quarantine(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = server.enrol_till()
    monkeypatch.setattr(strict, "NUL", re.compile(rb"(?!)()"))  # a till that does not mind it
    till.sell(100, entry_id=EntryId("0\0"))

    assert server.line.push(till).next_seq == 1
    assert [each.reason for each in OfficeReader(server.services.database).quarantined()] == [
        "bad-envelope"
    ]


def test_machines_can_ask_how_the_server_is(server: Server) -> None:
    client = server.line.client
    server.enrol_till()

    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    figures = client.get("/metrics").text
    assert "evertill_entries 1.0" in figures
    assert 'route="/v1/enrol",status="200"' in figures
    document = client.get("/openapi.json").json()
    assert "PushRequest" in document["components"]["schemas"]
    assert set(document["paths"]) >= {"/v1/hello", "/v1/enrol", "/v1/sync/push", "/v1/sync/pull"}


# What the tests use.


def new_code(server: Server) -> str:
    store = server.services.stores.add_store(f"S{len(server.services.stores.stores())}", "UTC")
    till = server.services.stores.add_till(store.store_id, "1")
    return server.services.enrolment.issue_code(till.till_id)


def goods(number: int, price: int = 100) -> Goods:
    return Goods(
        sku=GoodsId(f"sku{number}"),
        name_zh="茶",
        name_en="Tea",
        tax_class="standard",
        list_price_minor=price,
    )


def refusal(act: Callable[[], object]) -> tuple[int, str]:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.status, refused.value.reply.code


def post(
    server: Server, path: str, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, str]:
    response = server.line.client.post(
        path, content=body, headers={"Content-Type": CONTENT_TYPE, **(headers or {})}
    )
    if response.status_code == 200:
        return 200, ""
    return response.status_code, msgspec.msgpack.decode(response.content, type=ErrorReply).code


def signed_pull(server: Server, key: SigningKey, nonce: str) -> tuple[int, str]:
    request = PullRequest(protocol=PROTOCOL, stream=Stream.MEMBERS, cursor=None)
    body = msgspec.msgpack.encode(request)
    headers = sign_request(key, method="POST", path="/v1/sync/pull", body=body, nonce=nonce)
    return post(server, "/v1/sync/pull", body, headers)
