"""A till's folder in every bad state: a clear fault, words for it, and nothing lost."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlcipher3.dbapi2

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.file import read_till
from desktop.store import database
from desktop.store.database import TillFolder
from desktop.store.identity import KEY_NAME, load_key, store_key
from shared.errors import DomainError, EnvironmentFault, EvertillError
from shared.journal.keys import new_signing_key
from shared.language import Language, words
from tests.support.desk import BISCUIT_CODE, WATER_CODE, open_desk


def said(error: EvertillError) -> None:
    """Both languages have words for it that need exactly these fields."""
    for language in Language:
        text = words(language).error(error)
        assert text
        assert "{" not in text


def fault(folder: TillFolder) -> EnvironmentFault:
    with pytest.raises(EnvironmentFault) as caught:
        OpenStore(folder)
    said(caught.value)
    return caught.value


@pytest.fixture
def sold(folder: TillFolder) -> TillFolder:
    """A till that has sold, closed cleanly: everything is in the one file."""
    desk = open_desk(folder)
    for _ in range(3):
        desk.sell(BISCUIT_CODE)
    desk.till.close()
    return folder


def read_entries(folder: TillFolder) -> list[dict[str, object]]:
    """All entries of a file of which other tables may be unreadable."""
    with closing(sqlcipher3.dbapi2.connect(str(folder.database))) as connection:
        rows = connection.execute("SELECT bytes FROM entries ORDER BY seq")
        return [json.loads(row[0]) for row in rows]


def damage(file: Path, at: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


@pytest.mark.parametrize(
    ("at", "content"),
    [(0, b"NotSQLite"), (16, b"\xff\xff"), (100, b"\x77" * 64)],
    ids=["magic", "page size", "first page"],
)
def test_a_damaged_header_is_named_and_left_alone(sold, at, content):
    damage(sold.database, at, content)
    before = sold.database.read_bytes()
    error = fault(sold)
    assert (error.code, error.fields) == ("database-damaged", {"file": str(sold.database)})
    assert sold.database.read_bytes() == before


def test_a_file_that_is_no_database_is_named(sold):
    sold.database.write_text("<html>please sign in</html>" * 200, encoding="utf-8")
    assert fault(sold).code == "database-damaged"


@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_a_truncated_file_is_noticed(sold, keep):
    content = sold.database.read_bytes()
    sold.database.write_bytes(content[: int(len(content) * keep)])
    assert fault(sold).code in {"database-damaged", "journal-behind-head"}


@pytest.mark.parametrize("left", ["empty", "gone"])
def test_an_emptied_or_vanished_file_is_no_new_till(sold, left):
    if left == "empty":
        sold.database.write_bytes(b"")
    else:
        sold.database.unlink()
    error = fault(sold)
    assert (error.code, error.fields["known"], error.fields["found"]) == (
        "journal-behind-head",
        3,
        -1,
    )


def test_a_log_that_lost_its_tail_is_noticed_though_the_database_opens_cleanly(folder, tmp_path):
    desk = open_desk(folder)
    desk.sell(BISCUIT_CODE)
    desk.sell(BISCUIT_CODE)
    lost = tmp_path / "lost"
    lost.mkdir()
    # What a disk shows after a crash that reordered writes: the newest frames are not there.
    log = Path(f"{folder.database}-wal").read_bytes()
    for name in ("till.sqlite", "journal.head", KEY_NAME):
        (lost / name).write_bytes((folder.path / name).read_bytes())
    (lost / "till.sqlite-wal").write_bytes(log[: len(log) - 3 * 4120])
    desk.till.close()
    error = fault(TillFolder(lost))
    assert error.code == "journal-behind-head"
    assert error.fields["known"] == 2
    assert error.fields["found"] < 2


def test_a_head_file_that_is_damaged_or_gone_does_not_stop_a_sound_till(sold):
    sold.head.write_bytes(b"\x00" * 1024)
    desk = open_desk(sold)
    desk.sell(WATER_CODE)
    desk.till.close()
    sold.head.unlink()
    open_desk(sold).till.close()


def test_a_second_process_on_the_same_folder_is_turned_away(sold):
    script = (
        "import sys; from pathlib import Path; from desktop.store.database import TillFolder;"
        "from desktop.bootstrap import OpenStore; from shared.errors import EvertillError\n"
        "try: OpenStore(TillFolder(Path(sys.argv[1]))); print('opened')\n"
        "except EvertillError as error: print(error.code)"
    )
    command = [sys.executable, "-c", script, str(sold.path)]
    desk = open_desk(sold)
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "till-already-running"
    assert fault(sold).fields == {"folder": str(sold.path)}
    desk.sell(WATER_CODE)
    desk.till.close()
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "opened"


@pytest.mark.parametrize("content", [None, b"", b"short", b"x" * 33])
def test_a_missing_or_damaged_key_is_named(sold, content):
    key = sold.path / KEY_NAME
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(EnvironmentFault) as caught:
        load_key(sold)
    assert (caught.value.code, caught.value.fields) == ("till-key-missing", {"file": str(key)})
    said(caught.value)
    with OpenStore(sold) as store, pytest.raises(EnvironmentFault):
        Till(store)
    assert read_till(sold.database).broken_chains() == []


def test_a_database_of_a_later_release_is_not_touched(sold):
    with closing(sqlcipher3.dbapi2.connect(str(sold.database))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    error = fault(sold)
    assert error.code == "database-too-new"
    assert error.fields["found"] == "9999"


def test_a_folder_that_is_no_till_yet_says_so(tmp_path):
    with OpenStore(TillFolder(tmp_path / "new")) as store:
        assert store.identity() is None
        with pytest.raises(DomainError) as caught:
            Till(store)
    assert caught.value.code == "not-enrolled"
    said(caught.value)


def test_a_full_disk_stops_the_sale_and_loses_nothing(sold):
    desk = open_desk(sold)

    def limit(pages: int) -> None:
        raw = desk.till.store.writer._engine.raw_connection()
        raw.cursor().execute(f"PRAGMA max_page_count = {pages}")
        raw.close()

    desk.scan(*[BISCUIT_CODE] * 2)
    desk.counter.checkout.tender_cash()
    limit(1)  # no page more than there are
    done = []

    def sell_on() -> None:
        for _ in range(200):
            done.append(desk.finish().entry_id)
            desk.scan(*[BISCUIT_CODE] * 2)
            desk.counter.checkout.tender_cash()

    with pytest.raises(EnvironmentFault) as caught:
        sell_on()
    assert caught.value.code == "disk-full"
    said(caught.value)
    # What was on the screen is still there; with room again the same sale goes through.
    assert len(desk.counter.checkout.basket.state.lines) == 1
    limit(1_000_000)
    done.append(desk.finish().entry_id)
    desk.till.close()
    kept = read_till(sold.database)
    assert kept.broken_chains() == []
    assert kept.imbalance() == 0
    ids = [e.told["id"] for e in kept.entries() if e.told["kind"] == "sale_completed"]
    assert ids[3:] == done
    open_desk(sold).till.close()


def test_damage_in_the_middle_of_the_file_stops_what_needs_it_in_words(sold):
    with closing(sqlcipher3.dbapi2.connect(str(sold.database))) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'entries'"
        ).fetchone()
    damage(sold.database, (root - 1) * 4096, b"\xde\xad\xbe\xef" * 1024)
    with pytest.raises(EnvironmentFault) as caught:
        OpenStore(sold)
    assert (caught.value.code, caught.value.fields) == (
        "database-damaged",
        {"file": str(sold.database)},
    )
    said(caught.value)


def page_of(folder, table):
    """Where a table begins in the file; the log is emptied into it first."""
    desk = open_desk(folder)
    desk.till.store.writer.scrub().result(10)
    with closing(sqlcipher3.dbapi2.connect(str(folder.database))) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
    desk.till.close()
    return (root - 1) * 4096


@pytest.mark.parametrize("table", ["entries", "balances", "print_jobs", "members"])
def test_a_damaged_page_is_found_at_the_start(sold, table):
    damage(sold.database, page_of(sold, table), b"\xde\xad\xbe\xef" * 1024)
    with pytest.raises(EnvironmentFault) as caught:
        open_desk(sold)
    assert caught.value.code == "database-damaged"
    said(caught.value)


def test_an_entry_that_was_altered_is_found_at_the_start(sold):
    with closing(sqlcipher3.dbapi2.connect(str(sold.database))) as connection:
        connection.execute("DROP TRIGGER entries_no_update")
        changed = connection.execute(
            "UPDATE entries SET bytes = CAST(replace(bytes, 'CNY', 'USD') AS BLOB) WHERE seq = 1"
        )
        assert changed.rowcount == 1
        connection.commit()
    with pytest.raises(EnvironmentFault) as caught:
        open_desk(sold)
    assert caught.value.code == "database-damaged"


def test_the_key_of_another_till_is_refused_before_anything_is_sold(sold):
    store_key(sold, new_signing_key())
    with OpenStore(sold) as store, pytest.raises(EnvironmentFault) as caught:
        Till(store)
    assert caught.value.code == "till-key-foreign"
    said(caught.value)


def test_damage_that_only_a_sale_meets_is_told_to_whoever_sells(sold, monkeypatch):
    place = page_of(sold, "print_jobs")
    damage(sold.database, place, b"\xde\xad\xbe\xef" * 1024)
    monkeypatch.setattr(database, "CHECKED_BYTES_MAX", 0)  # as for a file too large to check
    desk = open_desk(sold)
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender_cash()
    with pytest.raises(EnvironmentFault) as caught:
        desk.finish()
    desk.till.close()
    assert caught.value.code == "database-damaged"
    kept = [entry["kind"] for entry in read_entries(sold)]
    assert kept.count("sale_completed") == 3
