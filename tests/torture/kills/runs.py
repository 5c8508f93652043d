"""Runs of many kills on one folder: lives at random points and times, judged after each."""

import random
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.agreement import reckon
from desktop.reckoning.file import read_server, read_till
from desktop.store.database import TillFolder
from desktop.store.verification import verify_till
from shared.clock import SystemClock
from shared.loyalty.bundle import template
from sync_server.bootstrap import Services, initialise
from sync_server.operators.desk import Role
from tests.support.enrolled_till import GOODS
from tests.support.new_till import holdings
from tests.support.scratch import scratch_folder
from tests.support.servers import Server, serve_here
from tests.support.till_writer import TillWriter
from tests.torture.kills.life import AT_A_TIME, EVERY, Lives, told
from tests.torture.stage import Stage

LIFE_US: Final = {"selling": 300_000, "joining": 250_000, "serving": 60_000, "paying": 900_000}
"""About what a life works, in microseconds: a time to die is drawn below it."""
SKIP_MAX: Final = 6
TILLS: Final = 3
"""That push at once."""


@dataclass
class Tally:
    """What a run came to."""

    kills: int = 0
    by: Counter[str] = field(default_factory=Counter)
    """Kills by point."""
    done: set[str] = field(default_factory=set)
    """What was reported as done before the kill."""

    def note(self, point: str, life: dict[str, Any]) -> bool:
        """Count a life; whether it was killed."""
        self.done |= set(told(life, "done"))
        if life["killed_by"] is None:
            return False
        assert life["killed_by"] == signal.SIGKILL
        self.kills += 1
        self.by[point] += 1
        return True


class Chooser:
    """Where the next life ends: at a point that lives pass, or at any time."""

    def __init__(self, points: list[str], life_us: int, chance: random.Random) -> None:
        self._points = points
        self._life_us = life_us
        self._chance = chance

    def next(self) -> tuple[str, int]:
        """Point, and how often it is passed before, or after how many microseconds."""
        if self._chance.random() < 0.5:
            return AT_A_TIME, self._chance.randrange(self._life_us)
        return self._chance.choice(self._points), self._chance.randrange(SKIP_MAX)


def seed(services: Services) -> str:
    """A store with one till; its one-time code."""
    services.catalogue.put(GOODS)
    services.programme.publish(msgspec.json.encode(template("default"), order="sorted"))
    services.operators.add("王芳", pin="1234", role=Role.CASHIER)
    store = services.stores.add_store("人民路店", "Asia/Shanghai")
    till = services.stores.add_till(store.store_id, "Till 1")
    return services.enrolment.issue_code(till.till_id)


@contextmanager
def shop(folder: Path) -> Iterator[tuple[Server, Path]]:
    """A server, and the folder of a till that is enrolled and up to date."""
    initialise(folder / "server", clock=SystemClock())
    with serve_here(folder / "server", clock=SystemClock()) as server:
        code = seed(server.services)
        till_folder = folder / "till"
        with OpenStore(TillFolder(till_folder)) as store:
            store.enrol(url=str(server.line.client.base_url), code=code)
            till = Till(store)
            assert till.sync.try_once() > 0
            till.sync.disconnect()
        yield server, till_folder


def printed_originals(paper: Path) -> Counter[str]:
    """How often each receipt came out whole as an original: by its bar code's digits."""
    if not paper.exists():
        return Counter()
    sheets = paper.read_bytes().split(b"\n=====END=====\n")
    numbers = (re.search(rb"95\d{18}", sheet) for sheet in sheets[:-1])
    return Counter(found[0].decode() for found in numbers if found)


def check_till(folder: Path, done: set[str]) -> None:
    """The file alone: everything reported is there, whole, balanced and queued to print once."""
    kept = read_till(TillFolder(folder).database)
    assert kept.broken_chains() == []
    assert kept.imbalance() == 0
    ids = {entry.told["id"] for entry in kept.entries()}
    assert done <= ids
    sales = [entry.told for entry in kept.entries() if entry.told["kind"] == "sale_completed"]
    # At most one sale per life was committed without the till living to say so.
    assert all((sale["id"], 0) in kept.printed for sale in sales)
    assert all(count == 1 for count in printed_originals(folder / "paper.bin").values())
    by_number = Counter(sale["body"]["receipt_no"] for sale in sales)
    assert all(count == 1 for count in by_number.values())


def sell_and_die(lives: Lives, seed_of: object, cycles: int) -> Tally:
    """A till that sells, prints and syncs, killed so many times; in the end all books agree."""
    chance, tally, root = random.Random(f"selling {seed_of}"), Tally(), scratch_folder()
    try:
        with shop(root) as (_server, folder):
            whole = lives.live(folder, EVERY)
            tally.note(EVERY, whole)
            chooser = Chooser(sorted(told(whole, "point")), LIFE_US["selling"], chance)
            while tally.kills < cycles:
                point, skip = chooser.next()
                if tally.note(point, lives.live(folder, point, skip)):
                    check_till(folder, tally.done)
            tally.note("nowhere", lives.live(folder, "nowhere"))
            assert verify_till(TillFolder(folder)).flaws == []
        kept = read_till(TillFolder(folder).database)
        agreement = reckon([kept], read_server(root / "server/evertill.db"))
        assert agreement.differences == []
        assert agreement.entries_acknowledged == agreement.entries_written
    finally:
        shutil.rmtree(root)
    return tally


def join_and_die(lives: Lives, stage: Stage, seed_of: object, cycles: int) -> Tally:
    """Tills that pull, new ones from a file of members, killed so many times."""
    chance, tally = random.Random(f"joining {seed_of}"), Tally()
    root = scratch_folder()
    try:
        for turn in range(cycles):
            original = stage.new if turn % 3 else stage.till
            folder = root / str(turn)
            shutil.copytree(original, folder)
            chooser = Chooser(_points_of(lives, original), LIFE_US["joining"], chance)
            while tally.kills < cycles:
                point, skip = chooser.next()
                if not tally.note(point, lives.live(folder, point, skip)):
                    break
            if tally.kills >= cycles:
                lives.live(folder, "nowhere")
            found = TillFolder(folder)
            assert verify_till(found).flaws == []
            held, right = holdings(found), stage.pulled
            assert {k: v for k, v in held.items() if k != "balances"} == {
                k: v for k, v in right.items() if k != "balances"
            }
            assert set(held["balances"]) >= set(right["balances"])
            shutil.rmtree(folder)
            if tally.kills >= cycles:
                break
    finally:
        shutil.rmtree(root)
    return tally


@cache
def _points_of(lives: Lives, original: Path) -> list[str]:
    root = scratch_folder()
    shutil.copytree(original, root / "till")
    found = told(lives.live(root / "till", EVERY), "point")
    shutil.rmtree(root)
    return sorted(found)


def serve_and_die(lives: Lives, seed_of: object, cycles: int) -> Tally:
    """A server that takes pushes of several tills at once, killed so many times."""
    chance, tally, root = random.Random(f"serving {seed_of}"), Tally(), scratch_folder()
    folder = root / "server"
    try:
        initialise(folder, clock=SystemClock())
        with serve_here(folder, clock=SystemClock()) as server:
            tills = [server.enrol_till(f"till {number}") for number in range(TILLS)]
        members = [till.enrol_member() for till in tills]
        acknowledged = {till.journal: 0 for till in tills}

        def push(point: str, skip: int = 0) -> dict[str, Any]:
            requests = [
                msgspec.msgpack.encode(till.push_request(acknowledged[till.journal])).hex()
                for till in tills
            ]
            life = lives.live(folder, point, skip, requests)
            acknowledged.update(told(life, "acknowledged"))
            return life

        chooser = Chooser(sorted(told(push(EVERY), "point")), LIFE_US["serving"], chance)
        while tally.kills < cycles:
            for till, member in zip(tills, members, strict=True):
                till.sell(500, member=member, earned=5)
            point, skip = chooser.next()
            tally.note(point, push(point, skip))
            check_server(folder, tills, acknowledged)
        push("nowhere")
        assert list(acknowledged.values()) == [len(till.entries) for till in tills]
        check_server(folder, tills, acknowledged)
    finally:
        shutil.rmtree(root)
    return tally


def check_server(folder: Path, tills: list[TillWriter], acknowledged: dict[Any, int]) -> None:
    """What was acknowledged is there, with the bytes that were sent; all books are sums."""
    kept = read_server(folder / "evertill.db")
    assert kept.broken_chains() == []
    assert kept.imbalance() == 0
    assert {key: amount for key, amount in kept.balances.items() if amount} == {
        key: amount for key, amount in kept.postings.items() if amount
    }
    for till in tills:
        chain = kept.chains.get((till.journal, till.certificate.epoch), [])
        assert len(chain) >= acknowledged[till.journal]
        sent = [entry.entry.encoded for entry in till.entries]
        assert [entry.encoded for entry in chain] == sent[: len(chain)]
