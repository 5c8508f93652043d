"""Copies: made while the server serves, read back, counted as durable, restored on any database."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Row, select, text, update

from shared.clock import ManualClock
from shared.errors import DomainError, EnvironmentFault
from shared.journal.keys import sign_statement
from shared.loyalty.bundle import programme_bytes, template
from shared.protocol.message import (
    CONTENT_TYPE,
    PROTOCOL,
    BundleRow,
    MemberRow,
    PullReply,
    PullRequest,
    Stream,
)
from shared.trade.fact import BundleRef
from shared.trade.profile import MemberProfile
from sync_server.backup.archive import ArchiveWriter
from sync_server.backup.copying import Copy
from sync_server.backup.restoring import Restored, Source, restore
from sync_server.bootstrap import KEYS_FOLDER, open_copier
from sync_server.database import schema
from sync_server.members.erasure_list import LIST_FILE
from sync_server.web.reading import OfficeReader
from tests.support.servers import Server, fresh_database, serve_here
from tests.support.till_writer import Line, Refused, rows_of

PASSPHRASE = "four words of a song"


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    """What stands for another device."""
    return tmp_path / "usb"


@pytest.fixture(params=["to sqlite", "to postgresql"])
def target_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where a copy is restored to."""
    if request.param == "to sqlite":
        yield None
        return
    with fresh_database(request.getfixturevalue("postgres")) as url:
        yield url


def back_up(server: Server, usb: Path, *, off_machine: bool = True) -> Copy:
    with open_copier(server.folder, clock=server.services.clock) as copier:
        quick = replace(copier, log2_n=4)
        return quick.make(usb, PASSPHRASE, off_machine=off_machine)


def restored(
    copy: Copy, folder: Path, url: str | None, clock: ManualClock, **more: object
) -> Restored:
    source = Source(backup=copy.file, passphrase=PASSPHRASE, **more)
    return restore(folder, source, clock=clock, url=url)


def members(line: Line, till: object) -> dict[str, MemberRow]:
    return {row.member_id: row for row in rows_of(line.pull(till, Stream.MEMBERS), MemberRow)}


def test_what_is_in_a_copy_on_another_device_is_durable_and_nothing_else(
    server: Server, usb: Path
) -> None:
    till, other = server.enrol_till("east"), server.enrol_till("west")
    for amount in (100, 200, 300):
        till.sell(amount)
    assert server.line.push(till, 0, 2).durable_seq == 0

    copy = back_up(server, usb)
    reply = server.line.push(till)

    assert (reply.next_seq, reply.durable_seq) == (3, 2)
    assert reply.backup_at == copy.made_at
    other.sell(100)
    assert server.line.push(other).durable_seq == 0


def test_a_copy_on_this_machine_makes_nothing_durable(server: Server, usb: Path) -> None:
    till = server.enrol_till()
    till.sell(100)
    server.line.push(till)

    back_up(server, usb, off_machine=False)

    reply = server.line.push(till)
    assert (reply.durable_seq, reply.backup_at) == (0, None)


def test_an_older_till_is_told_of_backups_nothing_it_cannot_read(server: Server, usb: Path) -> None:
    till = server.enrol_till()
    till.sell(100)
    back_up(server, usb)

    def raw(protocol: int) -> dict[str, object]:
        body = msgspec.msgpack.encode(
            msgspec.structs.replace(till.push_request(), protocol=protocol)
        )
        headers = {"Content-Type": CONTENT_TYPE}
        answer = server.line.client.post("/v1/sync/push", content=body, headers=headers)
        return dict(msgspec.msgpack.decode(answer.content))

    first = {"next_seq", "head_hash", "durable_seq", "exceptions", "server_time", "hlc"}
    assert set(raw(1)) == first
    assert set(raw(2)) == first | {"backup_at"}


def test_a_copy_that_cannot_be_read_back_is_no_copy(
    server: Server, usb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    till = server.enrol_till()
    till.sell(100)
    server.line.push(till)
    monkeypatch.setattr(ArchiveWriter, "close", _closing_on_a_bad_disk(usb))

    with pytest.raises(EnvironmentFault) as fault:
        back_up(server, usb)

    assert fault.value.code == "backup-unreadable"
    assert server.line.push(till).durable_seq == 0
    assert list(usb.glob("*evertill*")) == []


def _closing_on_a_bad_disk(usb: Path) -> Callable[[ArchiveWriter], str]:
    close = ArchiveWriter.close

    def spoil(writer: ArchiveWriter) -> str:
        sha256 = close(writer)
        (file,) = usb.glob("*.part")
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        return sha256

    return spoil


def test_head_office_and_metrics_tell_of_the_last_backup(
    server: Server, usb: Path, clock: ManualClock
) -> None:
    office = OfficeReader(server.services.database)
    assert office.totals().backup_at is None
    assert "evertill_last_backup_timestamp_seconds 0.0" in server.line.client.get("/metrics").text

    back_up(server, usb)
    back_up(server, usb, off_machine=False)

    assert office.totals().backup_at == clock.now().isoformat(timespec="milliseconds")
    metric = "evertill_last_backup_timestamp_seconds"
    told = re.search(rf"^{metric} (\S+)$", server.line.client.get("/metrics").text, re.MULTILINE)
    assert told is not None
    assert float(told[1]) == clock.now().timestamp()


def test_a_passphrase_that_can_be_guessed_is_refused(server: Server, usb: Path) -> None:
    with open_copier(server.folder) as copier, pytest.raises(DomainError) as refused:
        copier.make(usb, "short", off_machine=True)
    assert refused.value.code == "passphrase-too-short"


def test_a_restored_server_has_every_row_and_goes_on_in_a_new_generation(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock, target_url: str | None
) -> None:
    till = server.enrol_till()
    member = till.enrol_member()
    till.sell(10_000, member=member, earned=100)
    server.line.push(till)
    server.services.programme.publish(programme_bytes(template("default")))
    cursor = server.line.pull(till, Stream.MEMBERS).cursor
    before = rows(server)
    copy = back_up(server, usb)

    told = restored(copy, tmp_path / "again", target_url, clock)

    assert told.report.flaws == []
    with serve_here(tmp_path / "again", clock=clock) as again:
        after = rows(again)
        assert {
            name: found - after[name] for name, found in before.items() if found - after[name]
        } == {"shards": before["shards"]}
        with pytest.raises(Refused) as refused:
            again.line.pull(till, Stream.MEMBERS, cursor)
        assert (refused.value.status, refused.value.reply.code) == (410, "resync-required")
        assert (
            members(again.line, till)[member].balances
            == members(server.line, till)[member].balances
        )
        till.sell(100)
        assert again.line.push(till, 2).next_seq == 3
        assert again.line.push(till, 3).durable_seq == 0
        # A till that is enrolled from now on has room for its epoch in its receipts' numbers.
        assert 0 < again.enrol_till("new").certificate.epoch < 100
        # A version that was published after the copy is not given to another document.
        assert again.services.programme.publish(other_programme()).version > 100


def test_a_member_erased_after_the_copy_does_not_come_back_with_it(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock, target_url: str | None
) -> None:
    till = server.enrol_till()
    known = till.enrol_member(MemberProfile(name="Zhuge Kongming", phone="13912345678"))
    server.line.push(till)
    copy = back_up(server, usb)
    later = till.enrol_member(MemberProfile(name="Sima Zhongda", phone="13987654321"))
    server.line.push(till, 1)
    for member in (known, later):
        server.services.erasure.erase(member, reason="request")
    # The machine is gone; the list beside the copy is not.
    assert (usb / LIST_FILE).read_text().count("\n") == 2

    told = restored(copy, tmp_path / "again", target_url, clock)

    assert told.erased == 1
    assert told.report.flaws == []
    with serve_here(tmp_path / "again", clock=clock) as again:
        assert again.line.push(till).next_seq == 2
        found = members(again.line, till)
        assert (found[known].gone, found[later].gone) == (True, True)
        with again.services.database.reading() as snapshot:
            assert snapshot.connection.execute(select(schema.attachments)).all() == []
    if target_url is None:
        traces = (b"Kongming", b"13912345678")
        files = [f for f in (tmp_path / "again").rglob("*") if f.is_file()]
        assert [f.name for f in files for trace in traces if trace in f.read_bytes()] == []


def test_what_the_server_itself_wrote_after_the_copy_is_listed_and_never_renumbered(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    server.enrol_till()
    copy = back_up(server, usb)
    server.services.programme.publish(programme_bytes(template("default")))

    told = restored(copy, tmp_path / "again", None, clock, old=server.folder)

    assert told.lost_from == (0, 1)
    assert [(one.seq, one.kind) for one in told.lost] == [(1, "programme_published")]
    clock.advance(seconds=1)
    second = restored(copy, tmp_path / "again-again", None, clock, old=tmp_path / "again")
    lost = {(one.epoch, one.seq) for one in second.lost}
    with serve_here(tmp_path / "again-again", clock=clock) as again:
        kept = {(row.epoch, row.seq) for row in own_entries(again)}
        rules = again.services.database
        with rules.reading() as snapshot:
            raised = snapshot.connection.execute(select(schema.exceptions.c.rule)).scalars().all()
    assert lost
    assert lost & kept == set()
    assert raised == ["server-restored"]


def test_two_restores_of_one_copy_give_no_version_of_a_programme_twice(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    copy = back_up(server, usb)
    clock.advance(seconds=60 * 60)
    versions: list[int] = []
    for number in range(2):
        folder = tmp_path / f"life-{number}"
        restored(copy, folder, None, clock)
        with serve_here(folder, clock=clock) as again:
            for edition in range(3):
                clock.advance(seconds=60)
                told = msgspec.structs.replace(template("default"), id=f"{number}-{edition}")
                versions.append(again.services.programme.publish(programme_bytes(told)).version)

    # A till that knows those of the first life refuses lower ones, and the same with other words.
    assert versions == sorted(set(versions))


def test_a_programme_that_a_till_has_from_a_lost_life_is_outbid_by_the_one_in_force(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock, target_url: str | None
) -> None:
    till = server.enrol_till()
    server.services.programme.publish(programme_bytes(template("default")))
    copy = back_up(server, usb)
    # Far above what a restore leaves out: as where a clock was set back between two lives.
    with server.services.database.writing() as work:
        work.connection.execute(update(schema.shards).values(bundle_floor=10**6))
    server.services.programme.publish(other_programme())
    known = newest_bundle(server.line.pull(till, Stream.PROGRAMME))

    restored(copy, tmp_path / "again", target_url, clock)

    with serve_here(tmp_path / "again", clock=clock) as again:
        again.line.push(till)
        for _ in range(2):
            page = again.line.post("/v1/sync/pull", shown(known), PullReply, signer=till.key)
            row = newest_bundle(page)
            assert version_of(row) == 10**6 + 1
            assert row.document == programme_bytes(template("default"))
        forged = sign_statement(
            till.key, purpose="bundle", audience="all", payload=row.statement.payload
        )
        with pytest.raises(Refused) as refused:
            again.line.post(
                "/v1/sync/pull",
                shown(msgspec.structs.replace(row, statement=forged)),
                PullReply,
                signer=till.key,
            )
    assert refused.value.reply.code == "wrong-statement"


def newest_bundle(page: PullReply) -> BundleRow:
    return max(rows_of(page, BundleRow), key=version_of)


def version_of(row: BundleRow) -> int:
    return msgspec.json.decode(row.statement.payload, type=BundleRef).version


def shown(row: BundleRow) -> PullRequest:
    return PullRequest(
        protocol=PROTOCOL, stream=Stream.PROGRAMME, cursor=None, programme=row.statement
    )


def test_a_copy_of_a_restored_server_keeps_the_versions_it_left_out(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    copy = back_up(server, usb)
    clock.advance(seconds=60 * 60)
    restored(copy, tmp_path / "first", None, clock)
    with serve_here(tmp_path / "first", clock=clock) as first:
        later = back_up(first, usb)
        known = first.services.programme.publish(programme_bytes(template("default"))).version

    restored(later, tmp_path / "second", None, clock)

    with serve_here(tmp_path / "second", clock=clock) as second:
        assert second.services.programme.publish(other_programme()).version > known


def test_a_code_that_was_used_after_the_copy_enrols_no_second_till(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    store = server.services.stores.add_store("East", "Asia/Shanghai")
    till = server.services.stores.add_till(store.store_id, "1")
    code = server.services.enrolment.issue_code(till.till_id)
    copy = back_up(server, usb)
    server.line.enrol(code)

    restored(copy, tmp_path / "again", None, clock)

    with serve_here(tmp_path / "again", clock=clock) as again, pytest.raises(Refused) as refused:
        again.line.enrol(code)
    assert refused.value.reply.code == "code-refused"


def test_a_restore_touches_no_server_that_is_there(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    copy = back_up(server, usb)
    folder = tmp_path / "again"
    restored(copy, folder, None, clock)

    with pytest.raises(EnvironmentFault) as fault:
        restored(copy, folder, None, clock)
    assert fault.value.code == "folder-has-server"

    source = Source(backup=copy.file, passphrase=PASSPHRASE)
    told = restore(folder, source, clock=clock, replace=True)
    assert told.moved_to is not None
    assert (told.moved_to / KEYS_FOLDER / "signing.key").exists()


def test_a_database_that_is_not_empty_is_not_restored_into(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock, postgres: str
) -> None:
    copy = back_up(server, usb)
    with fresh_database(postgres) as url:
        restored(copy, tmp_path / "one", url, clock)
        with pytest.raises(EnvironmentFault) as fault:
            restored(copy, tmp_path / "two", url, clock)
    assert fault.value.code == "database-not-empty"


def test_a_restore_that_fails_leaves_everything_as_it_was(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = back_up(server, usb)
    folder = tmp_path / "again"
    restored(copy, folder, None, clock)
    before = (folder / KEYS_FOLDER / "signing.key").read_bytes()
    source = Source(backup=copy.file, passphrase=PASSPHRASE)

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr("sync_server.backup.restoring.upgrade_in", full)
        for place in (folder, tmp_path / "fresh"):
            with pytest.raises(OSError, match="No space"):
                restore(place, source, clock=clock, replace=True)

    assert not list(folder.glob("replaced-*"))
    assert (folder / KEYS_FOLDER / "signing.key").read_bytes() == before
    with serve_here(folder, clock=clock) as again:
        assert rows(again)["entries"] > set()
    assert restored(copy, tmp_path / "fresh", None, clock).report.flaws == []


def test_a_copy_without_the_root_key_asks_for_it(
    server: Server, usb: Path, tmp_path: Path, clock: ManualClock
) -> None:
    root = server.folder / KEYS_FOLDER / "root.key"
    raw = root.read_bytes()
    root.unlink()
    copy = back_up(server, usb)
    assert not copy.has_root_key

    with pytest.raises(EnvironmentFault) as fault:
        restored(copy, tmp_path / "again", None, clock)
    assert fault.value.code == "root-key-needed"

    assert restored(copy, tmp_path / "again", None, clock, root_key=raw).report.flaws == []


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("standby", "is_durable"),
    [
        ("('sync', 'streaming', '10.1.2.3')", True),
        ("('quorum', 'streaming', '10.1.2.3')", True),
        ("('async', 'streaming', '10.1.2.3')", False),
        ("('sync', 'catchup', '10.1.2.3')", False),
        ("('sync', 'streaming', '127.0.0.1')", False),
        ("('sync', 'streaming', NULL)", False),
    ],
)
def test_a_synchronous_standby_on_another_machine_counts_as_a_copy(
    server: Server, standby: str, is_durable: bool
) -> None:
    till = server.enrol_till()
    till.sell(100)
    stand_in(server, standby, "on")

    assert server.line.push(till).durable_seq == (1 if is_durable else 0)


@pytest.mark.parametrize("server", ["postgresql"], indirect=True)
def test_a_standby_that_commits_do_not_wait_for_does_not_count(server: Server) -> None:
    till = server.enrol_till()
    till.sell(100)
    stand_in(server, "('sync', 'streaming', '10.1.2.3')", "local")

    assert server.line.push(till).durable_seq == 0


def stand_in(server: Server, standby: str, commit: str) -> None:
    """A view of standbys, seen before the system's own, and settings as with a real one."""
    view = "planted.pg_stat_replication (sync_state text, state text, client_addr inet)"
    setting = f"CASE $1 WHEN 'synchronous_commit' THEN '{commit}' ELSE 'one' END"
    function = "planted.current_setting(text) RETURNS text"
    with server.services.database.writing() as work:
        name = work.connection.execute(text("SELECT current_database()")).scalar_one()
        for statement in (
            "CREATE SCHEMA planted",
            f"CREATE TABLE {view}",
            f"INSERT INTO planted.pg_stat_replication VALUES {standby}",
            f"CREATE FUNCTION {function} LANGUAGE sql AS $$ SELECT {setting} $$",
            f'ALTER DATABASE "{name}" SET search_path = planted, public, pg_catalog',
        ):
            work.connection.execute(text(statement))
    server.services.database.close()


def rows(server: Server) -> dict[str, set[str]]:
    with server.services.database.reading() as snapshot:
        return {
            table.name: set(map(repr, snapshot.connection.execute(select(table)).all()))
            for table in schema.metadata.sorted_tables
            if table.name not in {"copies", "durable"}
        }


def own_entries(server: Server) -> list[Row[Any]]:
    entries, shards = schema.entries.c, schema.shards.c
    statement = select(schema.entries).where(
        entries.journal == select(shards.own_journal).scalar_subquery()
    )
    with server.services.database.reading() as snapshot:
        return list(snapshot.connection.execute(statement).all())


def other_programme() -> bytes:
    programme = template("default")
    return programme_bytes(msgspec.structs.replace(programme, id="another"))
