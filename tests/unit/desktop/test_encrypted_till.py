"""A till's files, encrypted: keys and where they lie, older files, kills in the middle, no key."""

import json
import multiprocessing
import os
import shutil
import signal
import stat
from contextlib import closing
from pathlib import Path

import keyring
import pytest
import sqlcipher3.dbapi2
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordDeleteError

from desktop.bootstrap import OpenStore
from desktop.reckoning.file import read_till
from desktop.store import sealing
from desktop.store.database import TillFolder
from desktop.store.file_key import IV_BYTES, FileKey, new_file_key, read_encryption
from desktop.store.identity import key_files, load_keys
from desktop.store.masked_file import MaskedFile
from desktop.store.salvage import salvage
from desktop.store.sealing import is_plain, seal, unlock
from desktop.store.verification import verify_till
from desktop.store.wiping import Wiped, write_wiped
from shared.errors import EnvironmentFault
from shared.language import Language, words
from tests.support.command_line import run_evertill
from tests.support.desk import BISCUIT_CODE, open_desk


class MemoryStore(KeyringBackend):
    """A key store that is there."""

    priority = 1  # type: ignore[assignment]  # a property of the class in the library

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.is_locked:
            raise RuntimeError("locked")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.is_locked:
            raise RuntimeError("locked")
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def store():
    made = MemoryStore()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(NoKeyring())


@pytest.fixture
def sold(folder: TillFolder) -> TillFolder:
    """A plain till that has sold and closed; its log has not been emptied into the file."""
    desk = open_desk(folder)
    desk.enrol("李雷一号", "13800138000")
    for _ in range(3):
        desk.sell(BISCUIT_CODE)
    desk.till.close()
    return folder


def refused(folder: TillFolder, *, seals: bool = True) -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as caught:
        OpenStore(folder, seals=seals)
    for language in Language:
        assert words(language).error(caught.value) != caught.value.code
    return caught.value


def contents(folder: TillFolder) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in sorted(folder.path.iterdir())
        if file.name != "till.lock"
    }


def entries_of(folder: TillFolder) -> list[bytes]:
    key = unlock(folder).key
    kept = read_till(folder.database, key.database if key is not None else "")
    assert kept.broken_chains() == []
    return [entry.encoded for entry in kept.entries()]


def test_a_new_till_is_encrypted_from_its_first_byte_on(tmp_path):
    folder = TillFolder(tmp_path / "till")
    with OpenStore(folder, seals=True):
        files = contents(folder)
    assert not any(content.startswith(b"SQLite") for content in files.values())
    told = read_encryption(folder.path)
    assert told is not None
    assert told.kept == "owner-file"
    key_file = folder.path / "till-file.key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with closing(sqlcipher3.dbapi2.connect(str(folder.database))) as connection:
        connection.execute("PRAGMA cipher_log_level = NONE")
        with pytest.raises(sqlcipher3.dbapi2.DatabaseError):
            connection.execute("SELECT * FROM sqlite_schema").fetchall()


def test_a_plain_till_is_encrypted_with_the_next_start_and_goes_on(sold):
    before = entries_of(sold)
    signing = set(load_keys(sold))

    with OpenStore(sold, seals=True) as opened:
        assert set(load_keys(opened.folder)) == signing
    assert not is_plain(sold.database)
    assert entries_of(sold) == before
    assert len((sold.path / "till.key").read_bytes()) > 32

    desk = open_desk(sold)
    desk.sell(BISCUIT_CODE)
    desk.till.close()
    assert entries_of(sold)[: len(before)] == before
    assert len(entries_of(sold)) > len(before)
    report = verify_till(sold)
    assert (report.is_clean, report.encryption) == (True, "owner-file")
    private = "李雷一号".encode()
    assert [name for name, content in contents(sold).items() if private in content] == []


def test_a_key_lies_in_the_key_store_where_there_is_one(sold, store):
    with OpenStore(sold, seals=True):
        pass
    told = read_encryption(sold.path)
    assert told is not None
    assert told.kept == "key-store"
    (raw,) = (bytes.fromhex(kept) for kept in store.kept.values())
    assert not (sold.path / "till-file.key").exists()
    assert [name for name, content in contents(sold).items() if raw in content] == []
    assert FileKey(raw).id == told.key_id
    assert verify_till(sold).encryption == "key-store"

    before = contents(sold)
    store.is_locked = True
    assert refused(sold).code == "key-store-closed"
    store.is_locked = False
    store.kept.clear()
    assert refused(sold, seals=False).code == "file-key-not-stored"
    assert contents(sold) == before


def drop(folder: TillFolder) -> None:
    (folder.path / "till-file.key").unlink()


def exchange(folder: TillFolder) -> None:
    (folder.path / "till-file.key").write_bytes(new_file_key().raw)


def shorten(folder: TillFolder) -> None:
    (folder.path / "till-file.key").write_bytes(b"short")


def garble(folder: TillFolder) -> None:
    (folder.path / "encryption.json").write_text("{}")


@pytest.mark.parametrize("seals", [True, False])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (drop, "file-key-missing"),
        (exchange, "file-key-wrong"),
        (shorten, "file-key-wrong"),
        (garble, "encryption-unreadable"),
    ],
)
def test_without_the_right_key_nothing_is_touched(sold, spoil, code, seals):
    with OpenStore(sold, seals=True):
        pass
    spoil(sold)
    before = contents(sold)
    assert refused(sold, seals=seals).code == code
    assert contents(sold) == before


def test_a_signing_key_of_another_folder_is_no_use(sold, tmp_path):
    with OpenStore(sold, seals=True) as opened:
        stolen = (sold.path / "till.key").read_bytes()
        assert load_keys(opened.folder)
    other = TillFolder(tmp_path / "other")
    with OpenStore(other, seals=True) as opened:
        (other.path / "till.key").write_bytes(stolen)
        with pytest.raises(EnvironmentFault) as caught:
            load_keys(opened.folder)
    assert caught.value.code == "till-key-missing"


def test_no_room_for_the_copy_leaves_the_till_selling(sold, monkeypatch, caplog):
    before = entries_of(sold)

    def no_room(_copy: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "flush_file", no_room)
        with OpenStore(sold, seals=True) as opened:
            assert opened.folder.key is None
    assert is_plain(sold.database)
    assert entries_of(sold) == before
    assert not (sold.path / sealing.COPY_NAME).exists()
    with OpenStore(sold, seals=True) as opened:
        assert opened.folder.key is not None
    assert entries_of(sold) == before


@pytest.mark.parametrize("step", ["keep_new_key", "wrap_keys"])
def test_no_room_for_a_key_leaves_the_till_selling(sold, monkeypatch, step):
    before = entries_of(sold)

    def no_room(*_told: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(sealing, step, no_room)
        with OpenStore(sold, seals=True) as opened:
            assert load_keys(opened.folder)
    assert is_plain(sold.database) is (step == "keep_new_key")
    with OpenStore(sold, seals=True) as opened:
        assert load_keys(opened.folder)
    assert not is_plain(sold.database)
    assert {len(file.read_bytes()) for file in key_files(sold)} == {60}
    assert entries_of(sold) == before


def test_a_wiped_till_leaves_nothing_however_it_was_cut_off_before(sold, store):
    with OpenStore(sold, seals=True):
        pass
    for name in (
        "till.key.new",
        "till-file.key.new",
        sealing.COPY_NAME,
        f"{sealing.COPY_NAME}-wal",
    ):
        (sold.path / name).write_bytes(b"half of it")
    write_wiped(sold, Wiped(command_id="x", store_name="s", till_name="t", at="today"))
    store.is_locked = True
    for left in ({"wiped.json", "till.lock", "encryption.json"}, {"wiped.json", "till.lock"}):
        with pytest.raises(EnvironmentFault) as caught:
            OpenStore(sold)
        assert caught.value.code == "till-wiped"
        assert {file.name for file in sold.path.iterdir()} == left
        # It is open again with the next start.
        store.is_locked = False
    assert store.kept == {}


@pytest.mark.parametrize("told", [b"", b"{", b"null"])
def test_a_file_that_nobody_can_read_destroys_no_till(sold, told):
    before = entries_of(sold)
    (sold.path / "wiped.json").write_bytes(told)
    with pytest.raises(EnvironmentFault) as caught:
        OpenStore(sold)
    assert caught.value.code == "till-wiped"
    (sold.path / "wiped.json").unlink()
    with OpenStore(sold):
        pass
    assert entries_of(sold) == before


def test_a_copy_that_lacks_something_is_not_taken(sold, monkeypatch):
    real = sealing._compare

    def spoiled(plain):
        plain.execute("DELETE FROM sealed.goods WHERE rowid = 1 OR 1")
        real(plain)

    monkeypatch.setattr(sealing, "_compare", spoiled)
    with OpenStore(sold, seals=True) as opened:
        assert opened.folder.key is None
    assert is_plain(sold.database)


STEPS = [
    ("keep_new_key", "before"),
    ("keep_new_key", "after"),
    ("_compare", "before"),
    ("flush_file", "before"),
    ("_put_in_place", "before"),
    ("_put_in_place", "after"),
    ("wrap_keys", "after"),
]


def seal_and_die(path: Path, name: str, when: str) -> None:
    real = getattr(sealing, name)

    def dying(*told):
        if when == "after":
            real(*told)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(sealing, name, dying)
    seal(TillFolder(path))


@pytest.mark.parametrize(("name", "when"), STEPS)
def test_killed_in_the_middle_nothing_is_lost(sold, name, when):
    before = entries_of(sold)
    forking = multiprocessing.get_context("fork")
    child = forking.Process(target=seal_and_die, args=(sold.path, name, when))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL

    with OpenStore(sold, seals=False) as opened:
        assert load_keys(opened.folder)
    assert entries_of(sold) == before
    with OpenStore(sold, seals=True) as opened:
        assert opened.folder.key is not None
        assert load_keys(opened.folder)
    assert entries_of(sold) == before
    assert verify_till(sold).is_clean
    assert not (sold.path / sealing.COPY_NAME).exists()


@pytest.mark.parametrize("is_database_there", [True, False])
def test_where_nothing_says_where_the_key_is_no_other_takes_its_place(sold, is_database_there):
    with OpenStore(sold, seals=True):
        pass
    (sold.path / "encryption.json").unlink()
    if not is_database_there:
        sold.database.unlink()
    before = contents(sold)
    assert refused(sold).code == "encryption-unreadable"
    assert refused(sold, seals=False).code == "encryption-unreadable"
    assert contents(sold) == before


def test_a_backtest_reads_an_encrypted_till(sold, tmp_path):
    from desktop.backtest.journal_sales import _entries, is_journal  # noqa: PLC0415

    before = entries_of(sold)
    with OpenStore(sold, seals=True):
        pass
    assert is_journal(sold.database)
    assert _entries(sold.database) == before
    alone = tmp_path / "alone" / sold.database.name
    alone.parent.mkdir()
    shutil.copy(sold.database, alone)
    assert is_journal(alone)
    with pytest.raises(EnvironmentFault) as caught:
        _entries(alone)
    assert caught.value.code == "backtest-no-journal"


def test_salvage_finds_the_key_where_the_till_does(sold, store):
    with OpenStore(sold, seals=True):
        pass
    found = salvage(sold)
    assert (found.kept, found.lost) == (len(entries_of(sold)), 0)
    store.is_locked = True
    with pytest.raises(EnvironmentFault) as locked:
        salvage(sold)
    store.is_locked = False
    (sold.path / "encryption.json").write_text("{")
    with pytest.raises(EnvironmentFault) as nameless:
        salvage(sold)
    assert (locked.value.code, nameless.value.code) == ("key-store-closed", "encryption-unreadable")


def test_verify_names_where_the_key_is(sold, monkeypatch, capsys):
    with OpenStore(sold, seals=True):
        pass
    done = run_evertill(monkeypatch, capsys, "verify", "--data", str(sold.path), "--json")
    assert json.loads(done.out)["encryption"] == "owner-file"


@pytest.mark.parametrize("sizes", [(1, 15, 16, 17, 100), (40_000,), (3, 4, 5)])
def test_a_masked_file_is_read_as_it_was_written(tmp_path, sizes):
    key, content = new_file_key(), b""
    file = MaskedFile(tmp_path / "file", key)
    for number, size in enumerate(sizes):
        piece = bytes([65 + number]) * size
        MaskedFile(file.path, key).append(piece)
        content += piece
        assert file.size == len(content)
    assert b"".join(file.chunks()) == content
    written = file.path.read_bytes()
    assert len(written) == IV_BYTES + len(content)
    assert content[-16:] not in written
    assert b"".join(MaskedFile(file.path, new_file_key()).chunks()) != content


def test_a_masked_file_with_a_torn_head_begins_anew(tmp_path):
    file = MaskedFile(tmp_path / "file", new_file_key())
    file.path.write_bytes(b"torn")
    assert file.size == 0
    file.append(b"content")
    assert b"".join(file.chunks()) == b"content"
