"""What lies in the data folder: keys, one process, no trace of the erased, safe settings."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlcipher3 import dbapi2

from shared.clock import ManualClock
from shared.errors import EnvironmentFault
from shared.journal.chain import begin_chain, verify_chain
from shared.protocol.message import Stream
from shared.trade.profile import MemberProfile
from sync_server.bootstrap import DATABASE_FILE, KEYS_FOLDER, initialise, open_services
from sync_server.database.process_lock import ProcessLock
from sync_server.database.schema import metadata
from sync_server.database.sqlite_library import check_settings, sqlite_engine
from sync_server.journal.audit import audit
from tests.support.servers import Server, serve_here

PERSON = MemberProfile(
    name="Zhuge Kongming",
    phone="13912345678",
    card="CARD-998877665544",
    birthday="--07-23",
    email="kongming@example.org",
)


def test_erasure_leaves_no_trace_in_any_file_and_both_chains_whole(
    folder: Path, clock: ManualClock
) -> None:
    with serve_here(folder, clock=clock) as server:
        till = server.enrol_till()
        member = till.enrol_member(PERSON)
        till.sell(10_000, member=member, earned=100)
        server.line.push(till)
        for number in range(40):
            till.enrol_member(MemberProfile(name=f"Other {number}", phone=f"1370000{number:04}"))
        server.line.push(till, 2)
        server.line.pull(till, Stream.MEMBERS)
        (salted,) = till.attachments[till.entries[0].id]
        traces = [*(text.encode() for text in words_of(PERSON)), salted.salt, salted.content]
        assert any(trace in content for trace in traces for content in contents(folder))

        server.services.erasure.erase(member, reason="request")

        assert [t for t in traces for c in contents(folder) if t in c] == []
        with server.services.database.reading() as snapshot:
            assert audit(snapshot).flaws == []
        head = begin_chain(till.journal, 0, till.reply.certificate.payload)
        rows = [(entry.entry.encoded, entry.hash) for entry in till.entries]
        assert verify_chain(head, rows) == till.head
    assert [t for t in traces for c in contents(folder) if t in c] == []


def test_keys_are_files_for_their_owner_only_and_not_in_the_database(folder: Path) -> None:
    keys = sorted((folder / KEYS_FOLDER).iterdir())

    assert [key.name for key in keys] == ["lookup.key", "pepper.key", "root.key", "signing.key"]
    assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
    stored = (folder / DATABASE_FILE).read_bytes()
    assert [key.name for key in keys if key.read_bytes() in stored] == []


def test_a_key_that_others_can_read_is_refused(folder: Path) -> None:
    (folder / KEYS_FOLDER / "signing.key").chmod(0o644)

    assert fault_of_opening(folder) == "key-open-to-others"


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda folder: (folder / KEYS_FOLDER / "signing.key").unlink(), "key-missing"),
        (lambda folder: os.truncate(folder / KEYS_FOLDER / "lookup.key", 5), "key-damaged"),
        (lambda folder: (folder / DATABASE_FILE).unlink(), "not-initialised"),
        (lambda folder: stamp_revision(folder, "0999"), "schema-newer"),
    ],
    ids=["no key", "short key", "no database", "later release"],
)
def test_a_folder_that_is_not_whole_is_refused(folder: Path, harm: object, code: str) -> None:
    assert callable(harm)
    harm(folder)

    assert fault_of_opening(folder) == code


def test_a_second_set_up_replaces_nothing(folder: Path) -> None:
    before = contents(folder / KEYS_FOLDER)

    with pytest.raises(EnvironmentFault) as fault:
        initialise(folder)

    assert fault.value.code == "keys-exist"
    assert contents(folder / KEYS_FOLDER) == before


def test_a_second_process_on_the_same_file_is_told_to_use_postgresql(folder: Path) -> None:
    with ProcessLock(folder / DATABASE_FILE):
        second = subprocess.run(
            [sys.executable, "-m", "sync_server", "serve", "--data", str(folder), "--port", "0"],
            capture_output=True,
            text=True,
            check=False,
        )

    assert second.returncode == 2
    assert "PostgreSQL" in second.stderr
    assert "Traceback" not in second.stderr


def test_an_old_sqlite_library_is_refused() -> None:
    library = SimpleNamespace(sqlite_version_info=(3, 51, 2), sqlite_version="3.51.2")

    with pytest.raises(EnvironmentFault) as fault:
        sqlite_engine(":memory:", library=library)

    assert fault.value.code == "sqlite-too-old"


@pytest.mark.parametrize(
    "setting", ["journal_mode=DELETE", "synchronous=NORMAL", "secure_delete=OFF"]
)
def test_settings_that_break_promises_are_refused(tmp_path: Path, setting: str) -> None:
    connection = dbapi2.connect(str(tmp_path / "some.db"))
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", setting):
        connection.execute(f"PRAGMA {pragma}").fetchall()

    with pytest.raises(EnvironmentFault) as fault:
        check_settings(connection)

    connection.close()
    assert fault.value.code == "sqlite-unsafe"
    assert fault.value.fields["setting"] == setting.partition("=")[0]


def test_the_migrations_make_the_tables_that_the_code_knows(server: Server) -> None:
    engine: Engine = server.services.database.engine
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def words_of(profile: MemberProfile) -> list[str]:
    return [profile.name, profile.phone, profile.card, profile.birthday, profile.email]


def contents(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def fault_of_opening(folder: Path) -> str:
    with pytest.raises(EnvironmentFault) as fault, open_services(folder):
        pass
    return fault.value.code


def stamp_revision(folder: Path, revision: str) -> None:
    engine = sqlite_engine(str(folder / DATABASE_FILE))
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))
    engine.dispose()
