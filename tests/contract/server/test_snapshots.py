"""Files from which new tills begin: made of one moment, given to whom they are for, dropped."""

import hashlib
import sqlite3
import unicodedata
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import pytest
import zstandard

from shared.clock import ManualClock
from shared.errors import EnvironmentFault
from shared.protocol.message import PROTOCOL, MemberRow, Stream
from shared.protocol.replica import Scope, row_hash
from shared.protocol.request_signature import sign_request
from shared.protocol.snapshot import SnapshotReply, SnapshotRequest, SnapshotTerms, proved_terms
from sync_server.database.process_lock import ProcessLock
from sync_server.database.transaction import Snapshot
from sync_server.sync import snapshots as made_here
from sync_server.sync.snapshot_file import Filled
from tests.support.servers import Server
from tests.support.till_writer import TillWriter


def rows_of(file: Path) -> list[bytes]:
    """The rows of a file, read with Python's own SQLite."""
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    blocks = connection.execute("SELECT body FROM blocks ORDER BY number").fetchall()
    connection.close()
    return [
        row
        for (body,) in blocks
        for row in msgspec.msgpack.decode(zstandard.decompress(body), type=list[bytes])
    ]


def pulled(server: Server, till: TillWriter) -> dict[str, bytes]:
    """Rows of all members, page by page."""
    found: dict[str, bytes] = {}
    cursor = None
    while True:
        page = server.line.pull(till, Stream.MEMBERS, cursor, limit=3)
        for encoded in page.rows:
            row = msgspec.msgpack.decode(encoded, type=MemberRow)
            found[row.member_id] = bytes(encoded)
            if row.gone:
                del found[row.member_id]
        cursor = page.cursor
        if page.is_last:
            return found


def statement(server: Server, till: TillWriter, protocol: int = PROTOCOL) -> SnapshotTerms | None:
    request = SnapshotRequest(protocol=protocol, stream=Stream.MEMBERS)
    reply = server.line.post("/v1/sync/snapshot", request, SnapshotReply, signer=till.key)
    if reply.snapshot is None:
        return None
    key = server.services.vault.signing.public
    return proved_terms(reply.snapshot, key, journal=till.certificate.journal)


def fetched(server: Server, till: TillWriter, name: str, asked: str = "") -> tuple[int, bytes]:
    path = f"/v1/sync/snapshot/{name}"
    nonce = server.services.nonces.issue()
    headers = sign_request(till.key, method="GET", path=path, body=b"", nonce=nonce)
    if asked:
        headers["Range"] = asked
    response = server.line.client.get(path, headers=headers)
    return response.status_code, response.content


@pytest.fixture
def till(server: Server) -> TillWriter:
    """A till with members who have bought."""
    till = server.enrol_till()
    members = [till.enrol_member() for _ in range(11)]
    for member in members[:4]:
        till.sell(10_000, member=member, earned=100)
    server.line.push(till)
    server.services.erasure.erase(members[0], reason="request")
    return till


def test_a_snapshot_is_what_pages_tell_and_what_the_server_counts(
    server: Server, till: TillWriter
) -> None:
    (made,) = server.services.snapshots.make()
    rows, scope = rows_of(made.file), Scope()
    for row in rows:
        scope = scope.changed(None, row_hash(row))
    assert {msgspec.msgpack.decode(row, type=MemberRow).member_id: row for row in rows} == pulled(
        server, till
    )
    assert (made.terms.rows, made.terms.checksum) == (scope.rows, scope.checksum)
    assert scope.rows == 10
    assert made.terms.sha256 == hashlib.sha256(made.file.read_bytes()).hexdigest()
    assert statement(server, till) == made.terms
    assert statement(server, till, protocol=PROTOCOL - 1) is None


def test_the_bytes_are_given_whole_or_in_ranges_to_tills_and_nobody_else(
    server: Server, till: TillWriter
) -> None:
    (made,) = server.services.snapshots.make()
    content, name = made.file.read_bytes(), made.terms.sha256
    assert fetched(server, till, name) == (200, content)
    assert fetched(server, till, name, "bytes=100-299") == (206, content[100:300])
    assert fetched(server, till, name, f"bytes={len(content) - 5}-") == (206, content[-5:])
    assert fetched(server, till, name, f"bytes={len(content)}-")[0] == 416
    for unknown in ("0" * 64, "..%2F..%2Fkeys", "x"):
        assert fetched(server, till, unknown)[0] == 404
    assert server.line.client.get(f"/v1/sync/snapshot/{name}").status_code == 401


def test_who_is_erased_is_in_no_file_afterwards(server: Server, till: TillWriter) -> None:
    services = server.services
    (made,) = services.snapshots.make()
    member = msgspec.msgpack.decode(rows_of(made.file)[0], type=MemberRow).member_id
    services.erasure.erase(member, reason="request")
    assert list(made.file.parent.iterdir()) == []
    assert statement(server, till) is None
    assert fetched(server, till, made.terms.sha256)[0] == 404

    # Erased while one is being made: it is not kept, whoever makes it.
    (other,) = [row for row in pulled(server, till) if row != member][:1]

    def erase(_scope: str, _done: int, _total: int) -> None:
        with services.database.writing() as work:
            services.erasure._forget(work, other, "request")  # type: ignore[arg-type]  # an id

    if services.database.is_sqlite:
        with pytest.raises(EnvironmentFault, match="snapshot-stopped"):
            services.snapshots.make(progress=erase)
        assert list(made.file.parent.iterdir()) == []


def test_a_fresh_one_is_used_again_and_an_old_one_made_anew(
    server: Server, till: TillWriter, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = server.services.snapshots
    assert desk.make_if_due() == 0
    monkeypatch.setattr(made_here, "ROWS_MIN", 5)
    assert desk.make_if_due() == 1
    first = statement(server, till)
    till.enrol_member()
    server.line.push(till)
    assert desk.make_if_due() == 0
    assert statement(server, till) == first
    clock.advance(seconds=25 * 3600)
    assert desk.make_if_due() == 1
    second = statement(server, till)
    assert first is not None
    assert second is not None
    assert (second.rows, first.rows) == (11, 10)
    # Whoever is fetching the first can go on; with the third it goes.
    assert fetched(server, till, first.sha256)[0] == 200
    till.enrol_member()
    server.line.push(till)
    desk.make()
    assert fetched(server, till, first.sha256)[0] == 404


def test_one_of_another_life_of_the_server_is_not_given(server: Server, till: TillWriter) -> None:
    (made,) = server.services.snapshots.make()
    terms = msgspec.structs.replace(made.terms, generation="0" * 16)
    made.file.with_suffix(".json").write_bytes(msgspec.json.encode(terms))
    assert statement(server, till) is None
    assert fetched(server, till, made.terms.sha256)[0] == 404


def test_rows_that_are_not_what_is_counted_make_no_snapshot(
    server: Server, till: TillWriter
) -> None:
    with server.services.database.writing(is_bare=True) as work:
        work.connection.exec_driver_sql("UPDATE members SET tier = 'gold' WHERE gone = false")
    with pytest.raises(EnvironmentFault, match="snapshot-miscounted"):
        server.services.snapshots.make()
    assert statement(server, till) is None


def test_a_crash_between_an_erasure_and_its_files_serves_nobody_who_was_erased(
    server: Server, till: TillWriter
) -> None:
    services = server.services
    (made,) = services.snapshots.make()
    member = msgspec.msgpack.decode(rows_of(made.file)[0], type=MemberRow).member_id

    def crash() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(services.erasure, drop_snapshots=crash).erase(member, reason="request")
    assert made.file.exists()
    assert fetched(server, till, made.terms.sha256)[0] == 404
    assert not made.file.exists()
    assert statement(server, till) is None
    (again,) = services.snapshots.make()
    assert len(rows_of(again.file)) == len(pulled(server, till))


def test_regions_with_the_same_members_have_files_of_their_own(
    server: Server, till: TillWriter
) -> None:
    assert till.certificate.store_id is not None
    server.services.regions.set_store(till.certificate.store_id, "east")
    made = server.services.snapshots.make(["east", ""])
    assert made[0].terms.rows == made[1].terms.rows
    newest = server.services.snapshots.newest
    for one in made:
        assert newest(one.terms.generation, one.terms.scope) == one


def test_a_region_is_one_however_its_accents_are_typed(server: Server, till: TillWriter) -> None:
    assert till.certificate.store_id is not None
    apart = unicodedata.normalize("NFD", "Québec")
    server.services.regions.set_store(till.certificate.store_id, apart)
    server.services.snapshots.make()
    found = statement(server, till)
    assert found is not None
    assert found.scope == "Québec"


def test_a_scope_that_cannot_be_made_keeps_no_other_and_is_tried_again_later_and_later(
    server: Server, till: TillWriter, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = server.services.snapshots
    other = server.enrol_till("elsewhere")
    assert other.certificate.store_id is not None
    server.services.regions.set_store(other.certificate.store_id, "east")
    other.enrol_member()
    server.line.push(other)
    monkeypatch.setattr(made_here, "ROWS_MIN", 1)
    fill, tried = made_here.fill_snapshot, list[str]()

    def fail_for_all(snapshot: Snapshot, file: Path, *, scope: str, progress: Any) -> Filled:
        tried.append(scope)
        if not scope:
            raise OSError(28, "No space left on device")
        return fill(snapshot, file, scope=scope, progress=progress)

    with monkeypatch.context() as disk:
        disk.setattr(made_here, "fill_snapshot", fail_for_all)
        for minutes in (0, 5, 6, 10, 11):
            clock.advance(seconds=minutes * 60)
            with suppress(OSError):
                desk.make_if_due()
    # At once, after ten minutes, and not again within twenty.
    assert tried == ["", "east", "", ""]
    assert statement(server, other) is not None
    assert statement(server, till) is None
    clock.advance(seconds=40 * 60)
    assert desk.make_if_due() == 1
    assert statement(server, till) is not None


def test_a_file_that_would_fill_the_disk_is_not_begun(
    server: Server, till: TillWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(made_here, "ROW_BYTES", 10**15)
    with pytest.raises(EnvironmentFault, match="snapshot-no-room"):
        server.services.snapshots.make()
    assert list(server.services.snapshots.folder.iterdir()) == []


def test_two_processes_do_not_take_away_what_the_other_has_begun(
    server: Server, till: TillWriter
) -> None:
    desk = server.services.snapshots
    desk.make()
    with ProcessLock(desk.folder), pytest.raises(EnvironmentFault, match="snapshots-being-made"):
        replace(desk, _making=Lock()).make()
    assert len(desk.make()) == 1
