"""A till and what is not its server, or says what cannot be right: words, and selling goes on."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from desktop.bootstrap import OpenStore
from desktop.reckoning.file import read_till
from desktop.store.database import TillFolder
from desktop.sync.enrolment import enrol_till
from desktop.sync.http import ServerConnection
from shared.errors import DomainError, EvertillError, ProtocolError
from shared.journal.keys import SigningKey, sign_statement
from shared.language import Language, words
from shared.loyalty.bundle import bundle_ref, programme_bytes, template
from shared.protocol.cursor import checksum
from shared.protocol.message import BundleRow, EnrolReply, GoodsRow, PullReply
from tests.support.enrolled_till import BISCUITS, enrol_locally
from tests.support.little_chain import LittleChain, TillHere

BISCUIT = BISCUITS.barcodes[0]


@contextmanager
def something_else(status: int, body: bytes, kind: str = "text/html") -> Iterator[str]:
    """A web server that is not ours."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - the library's names

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def said(error: EvertillError) -> str:
    for language in Language:
        assert words(language).error(error)
    return error.code


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[LittleChain]:
    with LittleChain(tmp_path, tills=1) as made:
        yield made


def last_error(till: TillHere) -> str:
    """The code on the top bar after one try; its words must exist in both languages."""
    till.sync()
    status = till.till._status
    assert status is not None
    assert not status.is_online
    said(EvertillError(status.error_code, **status.error_fields))
    return status.error_code


PORTAL = b"<html><body>Welcome to Coffee WiFi. Please sign in.</body></html>"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, PORTAL, "not-our-server"),
        (200, b"", "not-our-server"),
        (200, b"\x80", "not-our-server"),
        (200, b'{"ok": true}', "not-our-server"),
        (200, msgspec.msgpack.encode({"protocol": 1}), "not-our-server"),
        (404, PORTAL, "not-our-server"),
        (401, PORTAL, "not-our-server"),
        (500, PORTAL, "server-error"),
        (502, b"Bad Gateway", "server-error"),
    ],
)
def test_whatever_else_answers_is_told_and_the_till_sells_on(tmp_path, status, body, code):
    from tests.support.desk import open_desk  # noqa: PLC0415

    with something_else(status, body) as url:
        folder = enrol_locally(tmp_path / "till", server_url=url)
        desk = open_desk(folder)
        told = []
        desk.till.surroundings = replace(desk.till.surroundings, on_sync=told.append)
        desk.till.sync.try_once()
        assert told[-1].error_code == code
        said(EvertillError(code, **told[-1].error_fields))
        desk.sell(BISCUIT)
        assert desk.till.unsent() == 2
        desk.till.close()
    kept = read_till(folder.database)
    assert kept.broken_chains() == []


@pytest.mark.parametrize("status", [200, 500])
def test_enrolling_at_something_else_leaves_the_folder_without_identity(tmp_path, status):
    folder = TillFolder(tmp_path / "till")
    with something_else(status, PORTAL) as url, OpenStore(folder) as store:
        with pytest.raises(EvertillError) as caught:
            enrol_till(store.writer, folder, url=url, code="ABCD")
        assert said(caught.value) in {"not-our-server", "server-error"}
        assert store.identity() is None


def test_nobody_at_the_address_and_no_second_enrolment(tmp_path, chain):
    folder = TillFolder(tmp_path / "new-till")
    with OpenStore(folder) as store, pytest.raises(EvertillError) as caught:
        store.enrol(url="http://127.0.0.1:9", code="ABCD")
    assert said(caught.value) == "server-unreachable"
    with OpenStore(folder) as store, pytest.raises(EvertillError) as caught:
        store.enrol(url=chain.server.url, code="WRONG-CODE")
    said(caught.value)
    till = chain.tills[0].till
    with pytest.raises(DomainError) as twice:
        till.store.enrol(url=chain.server.url, code="ABCD")
    assert said(twice.value) == "already-enrolled"


def test_a_certificate_of_a_stranger_is_refused(tmp_path, chain, monkeypatch):
    services = chain.server.services
    store_row = services.stores.add_store("新店", "Asia/Shanghai")
    code = services.enrolment.issue_code(services.stores.add_till(store_row.store_id, "T").till_id)
    stranger = SigningKey(b"x" * 32)
    enrol = ServerConnection.enrol

    def forged(connection: ServerConnection, request: Any) -> EnrolReply:
        reply = enrol(connection, request)
        own = sign_statement(
            stranger,
            purpose="certificate",
            audience=reply.certificate.audience,
            payload=reply.certificate.payload,
        )
        return msgspec.structs.replace(reply, certificate=own)

    monkeypatch.setattr(ServerConnection, "enrol", forged)
    folder = TillFolder(tmp_path / "new-till")
    with OpenStore(folder) as store:
        with pytest.raises(ProtocolError) as caught:
            store.enrol(url=chain.server.url, code=code)
        assert said(caught.value) in {"wrong-statement", "bad-signature", "bad-certificate"}
        assert store.identity() is None


def altered_pull(monkeypatch: pytest.MonkeyPatch, stream: str, change: Any) -> None:
    pull = ServerConnection.pull

    def pulling(connection: ServerConnection, request: Any) -> PullReply:
        reply = pull(connection, request)
        return change(reply) if request.stream == stream else reply

    monkeypatch.setattr(ServerConnection, "pull", pulling)


def test_a_page_damaged_on_the_way_is_not_applied_and_asked_for_again(chain, monkeypatch):
    till = chain.tills[0]
    changed = replace(BISCUITS, list_price_minor=999)
    chain.server.services.catalogue.put([changed])
    with monkeypatch.context() as context:

        def flip(reply: PullReply) -> PullReply:
            first = bytearray(bytes(reply.rows[0]))
            first[-1] ^= 1
            rows = (msgspec.Raw(bytes(first)), *reply.rows[1:])
            return msgspec.structs.replace(reply, rows=rows)

        altered_pull(context, "catalogue", flip)
        assert last_error(till) == "bad-page"
        assert till.counter.scanning.find(BISCUIT).list_price_minor == 1250
    assert till.sync()
    assert till.counter.scanning.find(BISCUIT).list_price_minor == 999


def test_rows_that_are_no_rows_are_a_bad_page(chain, monkeypatch):
    till = chain.tills[0]
    chain.server.services.catalogue.put([replace(BISCUITS, list_price_minor=998)])

    def nonsense(reply: PullReply) -> PullReply:
        rows = (msgspec.Raw(msgspec.msgpack.encode({"no": "row"})),)
        sums = checksum(bytes(row) for row in rows)
        return msgspec.structs.replace(reply, rows=rows, checksum=sums)

    altered_pull(monkeypatch, "catalogue", nonsense)
    assert last_error(till) == "bad-page"


def bundle_page(reply: PullReply, row: BundleRow) -> PullReply:
    rows = (msgspec.Raw(msgspec.msgpack.encode(row)),)
    sums = checksum(bytes(one) for one in rows)
    return msgspec.structs.replace(reply, rows=rows, checksum=sums)


def programme_row(chain: LittleChain, version: int, key: SigningKey | None = None) -> BundleRow:
    """A programme as the server (or whoever has a key) signs it."""
    document = programme_bytes(template("plain"))
    payload = msgspec.json.encode(bundle_ref(version, document))
    signing = key or chain.server.services.vault.signing
    statement = sign_statement(signing, purpose="bundle", audience="all", payload=payload)
    return BundleRow(document=document, statement=statement)


def test_an_older_programme_is_not_taken_over(chain, monkeypatch):
    till = chain.tills[0]
    services = chain.server.services
    newer = msgspec.structs.replace(template("default"), id="newer")
    services.programme.publish(programme_bytes(newer))
    assert till.sync()
    assert till.till.pricing().ref.version == 2
    with monkeypatch.context() as context:
        row = programme_row(chain, 1)
        altered_pull(context, "programme", lambda reply: bundle_page(reply, row))
        assert last_error(till) == "programme-rollback"
    assert till.till.pricing().programme.id == "newer"
    assert till.sync()


def test_a_programme_signed_by_a_stranger_is_not_taken_over(chain, monkeypatch):
    till = chain.tills[0]
    row = programme_row(chain, 9, SigningKey(b"z" * 32))
    altered_pull(monkeypatch, "programme", lambda reply: bundle_page(reply, row))
    assert last_error(till) in {"wrong-statement", "bad-signature"}
    assert till.till.pricing().ref.version == 1


def test_a_signed_programme_with_an_exchanged_document_is_not_taken_over(chain, monkeypatch):
    till = chain.tills[0]
    row = msgspec.structs.replace(
        programme_row(chain, 9), document=programme_bytes(template("default"))
    )
    altered_pull(monkeypatch, "programme", lambda reply: bundle_page(reply, row))
    assert last_error(till) == "programme-altered"
    assert till.till.pricing().ref.version == 1


def test_a_server_that_claims_more_than_was_sent_is_not_believed(chain, monkeypatch):
    till = chain.tills[0]
    push = ServerConnection.push

    def claiming(connection: ServerConnection, request: Any) -> Any:
        reply = push(connection, request)
        return msgspec.structs.replace(reply, next_seq=reply.next_seq + 5)

    monkeypatch.setattr(ServerConnection, "push", claiming)
    till.sell(BISCUIT)
    before = till.till.unsent()
    assert last_error(till) == "server-ahead"
    assert till.till.unsent() == before > 0


def test_goods_of_a_shape_that_only_a_later_release_knows_stop_sync_in_words(chain, monkeypatch):
    till = chain.tills[0]
    chain.server.services.catalogue.put([replace(BISCUITS, list_price_minor=997)])

    def later(reply: PullReply) -> PullReply:
        row = msgspec.msgpack.decode(bytes(reply.rows[0]), type=GoodsRow)
        document = row.document.replace(b'"sold_by":"unit"', b'"sold_by":"volume"')
        row = msgspec.structs.replace(row, document=document)
        rows = (msgspec.Raw(msgspec.msgpack.encode(row)),)
        sums = checksum(bytes(one) for one in rows)
        return msgspec.structs.replace(reply, rows=rows, checksum=sums)

    altered_pull(monkeypatch, "catalogue", later)
    assert last_error(till) == "bad-page"
    till.sell(BISCUIT)


def test_a_time_that_is_none_in_a_reply_is_not_our_server(chain, monkeypatch):
    till = chain.tills[0]
    push = ServerConnection.push

    def timeless(connection: ServerConnection, request: Any) -> Any:
        return msgspec.structs.replace(push(connection, request), hlc="noon")

    monkeypatch.setattr(ServerConnection, "push", timeless)
    till.sell(BISCUIT)
    assert last_error(till) == "not-our-server"
    monkeypatch.undo()
    assert till.sync()
    assert till.till.unsent() == 0


def test_a_reference_that_is_none_under_a_right_signature_is_a_bad_page(chain, monkeypatch):
    till = chain.tills[0]
    signing = chain.server.services.vault.signing
    statement = sign_statement(signing, purpose="bundle", audience="all", payload=b"{}")
    row = BundleRow(document=programme_bytes(template("plain")), statement=statement)
    altered_pull(monkeypatch, "programme", lambda reply: bundle_page(reply, row))
    assert last_error(till) == "bad-page"
