"""Encrypted files that are harmed: what SQLCipher itself says of them, and what is salvaged."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from desktop.bootstrap import OpenStore
from desktop.store.database import TillFolder
from desktop.store.page_cipher import (
    CLEAR_BYTES,
    PAGE_BYTES,
    SALT_BYTES,
    TAG_BEGINS,
    PageCipher,
    PageTags,
)
from desktop.store.pages import open_pages
from desktop.store.readable_copy import readable_copy
from desktop.store.salvage import Salvaged, salvage
from desktop.store.sealing import unlock
from shared.errors import DomainError, EnvironmentFault
from sync_server.journal.audit import audit
from tests.support.command_line import run_evertill
from tests.support.little_chain import LittleChain
from tests.torture.damage.till_files import FILE, LOG, Sound, connected
from tests.torture.stage import BISCUIT

pytestmark = pytest.mark.xdist_group("torture")

MARKER, KEY = "encryption.json", "till-file.key"


@pytest.fixture
def folder(sealed_sound: Sound, tmp_path: Path) -> TillFolder:
    return TillFolder(Path(shutil.copytree(sealed_sound.folder, tmp_path / "till")))


@pytest.fixture
def in_one_file(folder: TillFolder) -> TillFolder:
    """Nothing in the log any more."""
    with closing(connected(folder)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def page_key(folder: TillFolder) -> bytes:
    key = unlock(folder).key
    assert key is not None
    return key.pages


def harm(file: Path, change: Callable[[bytearray], None]) -> None:
    content = bytearray(file.read_bytes())
    change(content)
    file.write_bytes(content)


def contents(folder: TillFolder) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.path.iterdir() if file.is_file()}


def salvaged_untouched(folder: TillFolder) -> Salvaged:
    before = contents(folder)
    try:
        return salvage(folder)
    finally:
        assert contents(folder) == before


def refusal(folder: TillFolder) -> str:
    with pytest.raises(EnvironmentFault) as caught:
        salvaged_untouched(folder)
    return caught.value.code


def test_decrypted_pages_are_a_database_that_another_sqlite_reads(in_one_file, sealed_sound):
    cipher = PageCipher(page_key(in_one_file))
    with open_pages(in_one_file.database) as pages:
        stored = [page for _number, page in pages.numbered()]
    # Of the first page the salt is not encrypted: its second block stands behind the vector.
    stored[0] = stored[0][CLEAR_BYTES:TAG_BEGINS] + stored[0][SALT_BYTES:]
    clear = [cipher.clear(page) for page in stored]
    image = b"".join(page.ljust(PAGE_BYTES, b"\0") for page in clear)
    # The salt stands where a plain file says what it is; and memory has no logs.
    image = b"SQLite format 3\0" + image[SALT_BYTES:18] + b"\1\1" + image[20:]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(image)
        rows = connection.execute("SELECT seq, bytes FROM entries").fetchall()
    assert dict(rows) == {seq: truth.encoded for seq, truth in sealed_sound.entries.items()}


def test_the_pages_that_are_called_damaged_are_those_of_sqlcipher(in_one_file):
    key = page_key(in_one_file)

    def flip(content: bytearray) -> None:
        for at in (3 * PAGE_BYTES + 900, 8 * PAGE_BYTES - 1, 11 * PAGE_BYTES - 70):
            content[at] ^= 4

    harm(in_one_file.database, flip)
    with open_pages(in_one_file.database) as pages:
        salt = pages.salt(key)
        assert salt is not None
        tags = PageTags(key, salt)
        wrong = [n for n, page in pages.numbered() if not tags.is_right(page, n)]
    with closing(connected(in_one_file)) as connection:
        said = connection.execute("PRAGMA cipher_integrity_check").fetchall()
    assert wrong == [4, 8, 11]
    assert [text.split()[-1] for (text,) in said] == [str(number) for number in wrong]
    assert salvage(in_one_file).checked.damaged == 3


def test_no_copy_of_what_is_encrypted_is_in_clear(folder, sealed_sound):
    with open_pages(folder.database) as pages:
        salt = pages.salt(page_key(folder))
    harm(folder.database, lambda content: content.__setitem__(slice(0, 16), bytes(16)))
    with readable_copy(unlock(folder), salt) as (copy, checked):
        files = contents(copy)
        with closing(connected(folder, copy.database)) as connection:
            assert connection.execute("PRAGMA cipher_integrity_check").fetchall() == []
    assert (len(files), checked.damaged) == (2, 1)
    assert not any(
        truth.encoded in file for truth in sealed_sound.entries.values() for file in files.values()
    )


def test_a_lost_salt_costs_nothing(folder, in_one_file, sealed_sound):
    harm(in_one_file.database, lambda content: content.__setitem__(slice(0, 16), bytes(16)))
    with open_pages(in_one_file.database) as pages:
        assert pages.salt(page_key(in_one_file)) is None
    found = salvaged_untouched(in_one_file)
    assert (found.kept, found.lost) == (len(sealed_sound.entries), 0)
    assert found.identity is not None
    assert found.epochs[0].known is not None


def test_pages_in_each_others_place_cost_no_entry_that_lies_in_one(in_one_file, sealed_sound):
    def turn_around(content: bytearray) -> None:
        pages = [content[at : at + PAGE_BYTES] for at in range(0, len(content), PAGE_BYTES)]
        content[PAGE_BYTES:] = b"".join(reversed(pages[1:]))

    harm(in_one_file.database, turn_around)
    kept = salvaged_untouched(in_one_file).epochs[0].entries
    short = {seq for seq, truth in sealed_sound.entries.items() if len(truth.encoded) < 2000}
    assert len(short) > 40
    assert short <= set(kept)


def test_one_flipped_bit_costs_one_entry_and_no_page(in_one_file, sealed_sound):
    seq = sorted(sealed_sound.entries)[20]
    content = in_one_file.database.read_bytes()
    (place,) = {content.find(one) for one in sealed_sound.witnesses[seq]} - {-1}
    harm(in_one_file.database, lambda changed: changed.__setitem__(place + 200, 0))
    found = salvaged_untouched(in_one_file)
    assert found.epochs[0].lost == [(seq, seq)]
    assert found.checked.damaged == 1


@pytest.mark.parametrize("change", ["{", "", None, "another id"])
def test_the_key_beside_the_files_proves_itself_where_nothing_says_so(folder, sealed_sound, change):
    marker = folder.path / MARKER
    told = json.loads(marker.read_text())
    if change is None:
        marker.unlink()
    elif change == "another id":
        marker.write_text(json.dumps({**told, "key_id": "0" * 32}))
    else:
        marker.write_text(change)
    found = salvaged_untouched(folder)
    assert (found.kept, found.lost) == (len(sealed_sound.entries), 0)
    assert found.folder.key is not None


def test_without_its_key_nothing_is_read_and_it_is_said_why(folder, tmp_path, monkeypatch, capsys):
    key = (folder.path / KEY).read_bytes()
    (folder.path / KEY).unlink()
    assert refusal(folder) == "file-key-missing"
    (folder.path / KEY).write_bytes(key[:-1] + bytes([key[-1] ^ 1]))
    assert refusal(folder) == "file-key-wrong"
    (folder.path / MARKER).write_text("{")
    assert refusal(folder) == "encryption-unreadable"
    (folder.path / MARKER).unlink()
    assert refusal(folder) == "encryption-unreadable"
    data = ("--data", str(folder.path), "--language", "zh_CN")
    said = run_evertill(monkeypatch, capsys, "salvage", *data)
    assert said.code == 2
    assert MARKER in said.err


def give_another_key(folder: TillFolder, other: Path) -> None:
    with OpenStore(TillFolder(other), seals=True):
        pass
    for name in (MARKER, KEY):
        shutil.copy(other / name, folder.path / name)


def test_files_of_another_till_are_told_from_damaged_ones(folder, tmp_path):
    give_another_key(folder, tmp_path / "other")
    assert refusal(folder) == "file-key-wrong"


def test_a_file_that_was_copied_alone_is_not_said_to_be_whole(folder, tmp_path):
    alone = TillFolder(tmp_path / "alone")
    alone.path.mkdir()
    shutil.copy(folder.database, alone.path)
    with pytest.raises(DomainError) as caught:
        salvage(alone)
    assert caught.value.code == "nothing-salvaged"


def test_a_plain_file_in_a_folder_that_has_a_key_is_read(sound, tmp_path):
    folder = TillFolder(Path(shutil.copytree(sound.folder, tmp_path / "till")))
    # As it is left where there was no room for the encrypted copy.
    give_another_key(folder, tmp_path / "other")
    harm(folder.database, lambda content: content.__setitem__(slice(0, 16), bytes(16)))
    assert salvaged_untouched(folder).kept == len(sound.entries)


def test_a_log_of_anything_and_a_file_cut_short(folder, sealed_sound):
    harm(folder.path / LOG, lambda content: content.__setitem__(slice(None), b"\xa5" * 50_001))
    found = salvaged_untouched(folder)
    assert 0 < found.kept < len(sealed_sound.entries)
    assert found.kept + found.lost == len(sealed_sound.entries)
    (folder.path / LOG).write_bytes((sealed_sound.folder / LOG).read_bytes())
    (folder.path / FILE).write_bytes(b"")
    found = salvaged_untouched(folder)
    assert found.kept > 0
    assert found.kept + found.lost == len(sealed_sound.entries)


def test_what_was_salvaged_of_an_encrypted_till_is_sent(tmp_path, monkeypatch, capsys):
    with LittleChain(tmp_path, tills=1, sealed={1}) as chain:
        here = chain.tills[0]
        for _ in range(6):
            here.sell(BISCUIT)
        here.till.close()
        whole = salvage(here.folder)
        before = chain.server.accepted().get(whole.epochs[0].journal, 0)

        def harm_each_page(content: bytearray) -> None:
            content[:SALT_BYTES] = bytes(SALT_BYTES)
            # The HMAC of every page, and nothing else.
            content[PAGE_BYTES - 1 :: PAGE_BYTES] = bytes(len(content) // PAGE_BYTES)

        harm(here.folder.database, harm_each_page)
        data = ("--data", str(here.folder.path))
        done = run_evertill(monkeypatch, capsys, "salvage", *data, "--send", "--json")
        told = json.loads(done.out)
        said = run_evertill(monkeypatch, capsys, "salvage", *data, "--language", "zh_CN")

        assert (done.code, said.code) == (0, 0)
        assert (told["kept"], told["lost"]) == (whole.kept, 0)
        assert told["pages"]["damaged"] == told["pages"]["checked"] > 10
        assert "页已损坏" in said.out
        assert chain.server.accepted()[whole.epochs[0].journal] == whole.kept > before
        with chain.server.services.database.reading() as snapshot:
            report = audit(snapshot)
        assert (report.flaws, report.holes) == ([], [])
        chain.tills.clear()
