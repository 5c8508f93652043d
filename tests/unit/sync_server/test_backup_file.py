"""The file of a copy: whatever is changed, moved or cut off in it is noticed; commands say so."""

import json
import struct
import sys
from pathlib import Path

import pytest

from shared.errors import EnvironmentFault
from shared.journal.entry import chain_hash
from sync_server.backup.archive import MAGIC, ArchiveReader, ArchiveWriter, End, Record, Rows
from sync_server.backup.content import Inspection
from sync_server.commands import main
from tests.support.servers import server_process

PASSPHRASE = "four words of a song"
RECORDS: tuple[Record, ...] = (
    Rows("goods", ("goods_id", "document"), [["A", b"\x00\xff"], ["B", b""]]),
    Rows("goods", ("goods_id", "document"), [["C", b"x" * 40]]),
    End({"goods": 3}),
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A small copy."""
    return write(tmp_path / "copy", RECORDS)


def write(file: Path, records: tuple[Record, ...]) -> Path:
    about = {"revision": "0003", "generation": "g", "made_at": "2026-03-01T09:00:00.000+00:00"}
    with ArchiveWriter(file, PASSPHRASE, **about, log2_n=1) as writer:
        for record in records:
            writer.add(record)
        writer.close()
    return file


def read(file: Path, passphrase: str = PASSPHRASE) -> list[Record]:
    with ArchiveReader(file, passphrase) as reader:
        return list(reader.records())


def frames(file: Path) -> tuple[bytes, list[bytes]]:
    content = file.read_bytes()
    (length,) = struct.unpack_from(">I", content, len(MAGIC))
    at = len(MAGIC) + 4 + length
    start, found = content[:at], []
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        found.append(content[at : at + 4 + length])
        at += 4 + length
    return start, found


def test_what_was_written_is_read(archive: Path) -> None:
    assert read(archive) == list(RECORDS)


def test_nothing_of_it_can_be_read_without_the_passphrase(archive: Path) -> None:
    assert b"goods" not in archive.read_bytes()
    with pytest.raises(EnvironmentFault) as fault:
        read(archive, "four words of a poem")
    assert fault.value.code == "backup-passphrase"


def test_every_changed_byte_is_noticed(archive: Path) -> None:
    content = archive.read_bytes()
    for at in range(len(content)):
        archive.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(EnvironmentFault):
            read(archive)


def test_every_end_that_is_missing_is_noticed(archive: Path) -> None:
    content = archive.read_bytes()
    for length in range(len(content)):
        archive.write_bytes(content[:length])
        with pytest.raises(EnvironmentFault):
            read(archive)


@pytest.mark.parametrize("order", [(0, 1), (0, 2), (1, 0, 2), (0, 1, 1, 2), (0, 1, 2, 2), ()])
def test_frames_cannot_be_left_out_moved_or_repeated(archive: Path, order: tuple[int, ...]) -> None:
    start, found = frames(archive)
    archive.write_bytes(start + b"".join(found[number] for number in order))
    with pytest.raises(EnvironmentFault):
        read(archive)


@pytest.mark.parametrize(
    "records",
    [
        (RECORDS[0], End({"goods": 3})),
        (RECORDS[0], RECORDS[1]),
        (*RECORDS[:2], End({"goods": 3, "members": 1})),
    ],
)
def test_a_copy_with_other_rows_than_it_says_is_not_whole(
    tmp_path: Path, records: tuple[Record, ...]
) -> None:
    file = write(tmp_path / "copy", records)
    with ArchiveReader(file, PASSPHRASE) as reader:
        inspection = Inspection(file, reader.header)
        list(inspection.watch(reader.records()))
        with pytest.raises(EnvironmentFault) as fault:
            inspection.finish()
    assert fault.value.code == "backup-unreadable"


START = b"s" * 32
HASHES = [START]
for number in range(4):
    HASHES.append(chain_hash(HASHES[-1], b"entry %d" % number))
ENTRY = ("journal", "epoch", "seq", "bytes", "prev_hash", "hash")
HOLE = ("journal", "epoch", "first_seq", "stop_seq", "hash_before", "hash_at_end", "filled_at")


def inspect(tmp_path: Path, kept: tuple[int, ...], hole: tuple[int, int] | None = None) -> None:
    """Read a copy of a journal of four entries, of which some are kept."""
    entries = [["j", 0, seq, b"entry %d" % seq, HASHES[seq], HASHES[seq + 1]] for seq in kept]
    holes = [["j", 0, *hole, HASHES[hole[0]], HASHES[hole[1]], None]] if hole else []
    tables = (
        Rows("entries", ENTRY, entries),
        Rows("epochs", ("journal", "epoch", "forked_seq"), [["j", 0, None]]),
        Rows("heads", ("journal", "epoch", "next_seq", "head_hash"), [["j", 0, 4, HASHES[4]]]),
        Rows("holes", HOLE, holes),
    )
    full = [table for table in tables if table.rows]
    end = End({table.table: len(table.rows) for table in full})
    file = write(tmp_path / "copy", (*full, end))
    with ArchiveReader(file, PASSPHRASE) as reader:
        inspection = Inspection(file, reader.header)
        list(inspection.watch(reader.records()))
        assert inspection.finish().next_seqs == {("j", 0): 4}


@pytest.mark.parametrize(
    ("kept", "hole"),
    [
        ((0, 1, 2, 3), None),
        ((0, 3), (1, 3)),
        ((2, 3), (0, 2)),
        ((0, 1), (2, 4)),
        ((), (0, 4)),
    ],
)
def test_a_copy_is_whole_with_the_holes_it_says(
    tmp_path: Path, kept: tuple[int, ...], hole: tuple[int, int] | None
) -> None:
    inspect(tmp_path, kept, hole)


@pytest.mark.parametrize(
    ("kept", "hole"),
    [
        ((0, 1, 3), None),
        ((1, 2, 3), None),
        ((0, 1, 2), None),
        ((), None),
        ((0, 3), (1, 2)),
        ((0, 3), (2, 3)),
        ((1, 2, 3), (2, 3)),
    ],
)
def test_a_copy_in_which_an_entry_is_missing_is_not_whole(
    tmp_path: Path, kept: tuple[int, ...], hole: tuple[int, int] | None
) -> None:
    with pytest.raises(EnvironmentFault) as fault:
        inspect(tmp_path, kept, hole)
    assert fault.value.code == "backup-unreadable"


def test_a_copy_of_a_running_server_is_restored_by_commands(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EVERTILL_BACKUP_PASSPHRASE", PASSPHRASE)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["evertill-server", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().out

    with server_process(folder):
        target = str(tmp_path / "usb")
        code, out = run("backup", target, "--off-machine", "--json", "--data", str(folder))
    assert code == 0
    made = json.loads(out)
    assert (made["off_machine"], made["journals"], made["has_root_key"]) == (True, 1, True)

    again = str(tmp_path / "again")
    code, out = run("restore", made["file"], "--json", "--data", again)
    assert code == 0
    told = json.loads(out)
    assert (told["is_clean"], told["lost"], told["made_at"]) == (True, [], made["made_at"])
    assert run("verify", "--data", again)[0] == 0
    assert run("restore", made["file"], "--data", again)[0] == 2
    code, out = run("restore", made["file"], "--replace", "--data", again)
    assert code == 0
    assert "epoch_closed_with_loss" in out
