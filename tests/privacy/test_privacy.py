"""A thousand names, phones, member cards and bank cards go through a shop's day.

Afterwards every byte of every file is searched for each of them. docs/security.md says where they
may be: names in the databases of the server and of a till that is not encrypted, phones and cards
in the server's; nowhere else, so nowhere in the files of a till that is, and bank cards nowhere.
Of those who were erased there is nothing anywhere.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.reckoning.file import reading
from desktop.store.database import TillFolder
from desktop.store.sealing import unlock
from shared.clock import SystemClock
from shared.errors import DomainError
from shared.trade.profile import KeyKind, lookup_hash
from sync_server.backup.archive import ArchiveReader
from sync_server.backup.restoring import Source, restore
from sync_server.members.erasure_list import LIST_FILE
from tests.privacy.day import PASSPHRASE
from tests.privacy.people import Person, people
from tests.privacy.searching import Searcher, Trace
from tests.support.scratch import scratch_folder

ROOT = Path(__file__).parents[2]
EVERYBODY = {person.name: person for person in people()}
DATABASE = re.compile(r"chain/(?:server/evertill\.db|till-2/till\.sqlite)(?:-wal|-shm)?(?:\[.*)?")
SERVER = re.compile(r"chain/server/evertill\.db(?:-wal|-shm)?(?:\[.*)?")


def things(person: Person) -> dict[str, str]:
    """What to look for, by labels that say whose and what it is."""
    told = {
        "name": person.name,
        "phone": person.phone,
        "card": person.card,
        "bank": person.payment_card,
    }
    return {f"{kind} {person.name}": text for kind, text in told.items()}


def kinds(traces: set[Trace]) -> Counter[str]:
    """How many of which kind."""
    return Counter(trace.label.partition(" ")[0] for trace in traces)


@dataclass
class Day:
    """What was found at each stage."""

    folder: Path
    open_traces: set[Trace]
    """While everything runs."""
    erased_traces: set[Trace]
    """While everything runs, after half of them were erased."""
    closed_traces: set[Trace]
    """After all programs have ended, the last one by a bug."""
    copy: Path
    erased: list[Person]
    log: str


@pytest.fixture(scope="module")
def day() -> Day:
    """The day, once for all tests of this module."""
    folder = scratch_folder()
    (folder / "tmp").mkdir()
    everything = {label: text for one in EVERYBODY.values() for label, text in things(one).items()}
    searcher = Searcher(everything)
    log = folder / "day.log"
    stages: dict[str, tuple[dict[str, Any], set[Trace]]] = {}
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "tests.privacy.day", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, "TMPDIR": str(folder / "tmp")},
        ) as running,
    ):
        assert running.stdin is not None
        assert running.stdout is not None
        for line in running.stdout:
            told = json.loads(line)
            stages[told["stage"]] = (told, searcher.search(folder))
            running.stdin.write(b"\n")
            running.stdin.flush()
    shown = log.read_text(errors="replace")
    assert set(stages) == {"day", "erased", "closing"}, shown[-4000:]
    return Day(
        folder=folder,
        open_traces=stages["day"][1],
        erased_traces=stages["erased"][1],
        closed_traces=searcher.search(folder),
        copy=Path(stages["day"][0]["copy"]),
        erased=[EVERYBODY[name] for name in stages["erased"][0]["members"]],
        log=shown,
    )


def test_the_search_finds_each_thing_in_each_shape(tmp_path: Path) -> None:
    (person, *_others) = EVERYBODY.values()
    searcher = Searcher(things(person))
    import base64  # noqa: PLC0415
    import gzip  # noqa: PLC0415
    import sqlite3  # noqa: PLC0415
    import zipfile  # noqa: PLC0415
    from urllib.parse import quote  # noqa: PLC0415

    text = f"({person.name}|{person.phone}|{person.card}|{person.payment_card})"
    written = {
        "utf8": text.encode(),
        "utf16": text.encode("utf-16"),
        "gbk": text.encode("gbk"),
        "json": json.dumps(text).encode(),
        "address": quote(text).encode(),
        "gzip": b"head" + gzip.compress(text.encode()),
        "hex": text.encode().hex().encode(),
        **{f"base64-{n}": base64.b64encode(b"x" * n + text.encode()) for n in range(3)},
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(b"\0" * 3 + content)
    with zipfile.ZipFile(tmp_path / "zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("inner", text * 3)
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("CREATE TABLE t (v)")
        database.execute("INSERT INTO t VALUES (?)", ("x" * 4000 + text,))

    found = searcher.search(tmp_path)

    for name in (*written, "zip", "db"):
        labels = {trace.label for trace in found if trace.place.partition("[")[0] == name}
        assert labels == set(things(person)), name


def test_a_day_leaves_people_in_the_databases_only(day: Day) -> None:
    places = {trace.place for trace in day.open_traces | day.closed_traces}

    assert [place for place in sorted(places) if not DATABASE.fullmatch(place)] == []
    # A till has what was typed in full until it knows of a copy that has it, too.
    later = day.erased_traces | day.closed_traces
    full = [t for t in later if not SERVER.fullmatch(t.place) and "name" not in t.label]
    assert full == [], "a till keeps the last four digits"
    assert kinds(day.open_traces)["name"] >= 2 * len(EVERYBODY)  # the search does find them
    assert kinds(day.open_traces)["phone"] >= len(EVERYBODY)
    assert kinds(day.open_traces)["card"] >= len(EVERYBODY)


def test_an_encrypted_till_shows_nobody_and_has_everybody(day: Day) -> None:
    folder = day.folder / "chain" / "till-1"
    key = unlock(TillFolder(folder)).key
    assert key is not None

    for traces in (day.open_traces, day.erased_traces, day.closed_traces):
        assert {trace for trace in traces if trace.place.startswith("chain/till-1/")} == set()
    with reading(folder / "till.sqlite", key.database) as connection:
        held = {name for (name,) in connection.execute("SELECT name FROM members")}
    assert held >= set(EVERYBODY) - {person.name for person in day.erased}
    names = {file.name for file in folder.iterdir()}
    assert names <= {
        *("till.sqlite", "till.sqlite-wal", "till.sqlite-shm", "till.lock", "till.key"),
        *("journal.head", "encryption.json", "till-file.key"),
    }


def test_no_bank_card_is_anywhere(day: Day) -> None:
    for traces in (day.open_traces, day.erased_traces, day.closed_traces):
        assert {trace for trace in traces if trace.label.startswith("bank")} == set()
    numbers = [one.payment_card for one in EVERYBODY.values()]
    key = (day.folder / "chain" / "server" / "keys" / "lookup.key").read_bytes()
    hashed = {
        f"bank {at} {kind}": lookup_hash(key, kind, number)
        for at, number in enumerate(numbers)
        for kind in KeyKind
    }
    assert Searcher(hashed).search(day.folder) == set(), "not even as a hash"


def test_nothing_is_left_of_those_who_were_erased(day: Day) -> None:
    gone = {label for person in day.erased for label in things(person)}
    assert len(day.erased) == len(EVERYBODY) // 2

    for traces in (day.erased_traces, day.closed_traces):
        assert {trace for trace in traces if trace.label in gone} == set()
        assert kinds(traces)["name"] >= len(EVERYBODY) - len(day.erased)
    key = (day.folder / "chain" / "server" / "keys" / "lookup.key").read_bytes()
    hashed = {
        f"{kind} {person.name}": lookup_hash(key, kind, text)
        for person in day.erased
        for kind, text in ((KeyKind.PHONE, person.phone), (KeyKind.CARD, person.card))
    }
    assert Searcher(hashed).search(day.folder) == set(), "not even as a hash"


def test_a_copy_made_before_brings_nobody_back(day: Day, tmp_path: Path) -> None:
    everything = {label: text for one in EVERYBODY.values() for label, text in things(one).items()}
    searcher = Searcher(everything)
    with ArchiveReader(day.copy, PASSPHRASE) as reader:
        inside = searcher.labels_in(b"\0".join(repr(one).encode() for one in reader.records()))
    assert {label.partition(" ")[0] for label in inside} == {"name", "phone", "card"}

    source = Source(backup=day.copy, passphrase=PASSPHRASE)
    assert (day.copy.parent / LIST_FILE).exists()
    restore(tmp_path / "again", source, clock=SystemClock())

    found = searcher.search(tmp_path / "again")
    gone = {label for person in day.erased for label in things(person)}
    assert {trace for trace in found if trace.label in gone} == set()
    assert len({trace.label for trace in found if trace.label.startswith("name")}) == len(
        EVERYBODY
    ) - len(day.erased)


def test_the_log_tells_what_broke_and_no_words(day: Day) -> None:
    lines = [json.loads(line) for line in day.log.splitlines()]

    failed = [line for line in lines if "exception" in line]
    assert [line["exception"] for line in failed if line["event"] == "bug"] == ["ValueError"]
    assert [line["exception"] for line in failed if line["event"] == "uncaught"] == [
        "ValueError",
        "EvertillError",
    ]
    assert {"RuntimeError"} <= {line["exception"] for line in failed}
    assert all(line["places"] for line in failed)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4111 1111-1111 1111",
        "４１１１１１１１１１１１１１１１",
        "Wang 378282246310005",
    ],
)
def test_a_payment_card_is_seen_in_any_writing(text: str) -> None:
    from shared.trade.profile import clean_name  # noqa: PLC0415

    with pytest.raises(DomainError) as refused:
        clean_name(text)
    assert refused.value.code == "payment-card-dropped"


@pytest.mark.parametrize(
    "text", ["13800138000", "+49 1511 2345678", "4111111111111112", "李雷 2026-03-02 138 0013 8000"]
)
def test_other_numbers_are_no_payment_cards(text: str) -> None:
    from shared.catalogue.card_numbers import holds_card_number  # noqa: PLC0415

    assert not holds_card_number(text)
