"""SIGKILL at every named point of a sale: what was reported is there, and nothing twice."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Self

import msgspec
import pytest

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.agreement import reckon
from desktop.reckoning.file import read_server, read_till
from desktop.store.database import TillFolder
from shared.clock import SystemClock
from shared.loyalty.bundle import template
from sync_server.bootstrap import Services, initialise
from sync_server.operators.desk import Role
from tests.support.enrolled_till import GOODS
from tests.support.servers import serve_here

HERE = Path(__file__).parent
KILLS_MIN = 100


class Lives:
    """The warm process that forks one life after another."""

    def __init__(self, script: str, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(HERE.parents[1]), "PATH": "/usr/bin:/bin"},
        )

    def live(self, point: str, skip: int = 0, *more: str) -> dict:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(self._folder), point, skip, *more]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()


def seed(services: Services) -> str:
    """A store with one till; its one-time code."""
    services.catalogue.put(GOODS)
    services.programme.publish(msgspec.json.encode(template("default"), order="sorted"))
    services.operators.add("王芳", pin="1234", role=Role.CASHIER)
    store = services.stores.add_store("人民路店", "Asia/Shanghai")
    till = services.stores.add_till(store.store_id, "Till 1")
    return services.enrolment.issue_code(till.till_id)


def told(life: dict, what: str) -> list:
    return [value for kind, value in life["reports"] if kind == what]


def printed_originals(paper: Path) -> Counter[str]:
    """How often each receipt came out whole as an original: by its bar code's digits."""
    if not paper.exists():
        return Counter()
    sheets = paper.read_bytes().split(b"\n=====END=====\n")
    numbers = (re.search(rb"95\d{18}", sheet) for sheet in sheets[:-1])
    return Counter(found[0].decode() for found in numbers if found)


def check_file(folder: Path, done: set[str]) -> None:
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


@pytest.mark.xdist_group("kills")
def test_nothing_reported_is_lost_and_nothing_is_doubled_wherever_the_till_is_killed(tmp_path):
    initialise(tmp_path / "server", clock=SystemClock())
    with serve_here(tmp_path / "server", clock=SystemClock()) as server:
        code = seed(server.services)
        folder = tmp_path / "till"
        with OpenStore(TillFolder(folder)) as store:
            store.enrol(url=str(server.line.client.base_url), code=code)
            till = Till(store)
            assert till.sync.try_once() > 0
            till.sync.disconnect()
        with Lives("selling_child.py", folder) as lives:
            whole, another = lives.live("every"), lives.live("every")
            assert told(whole, "error") + told(another, "error") == []
            # What happens in a till's first life alone cannot be killed again and again.
            points = sorted(set(told(whole, "point")) & set(told(another, "point")))
            assert len(points) >= 30
            done = set(told(whole, "done")) | set(told(another, "done"))
            kills = 0
            hit: set[str] = set()
            skip = 0
            while kills < KILLS_MIN or skip == 0:
                for point in points:
                    life = lives.live(point, skip)
                    assert told(life, "error") == []
                    done |= set(told(life, "done"))
                    if life["killed_by"] is None:
                        # The point is passed fewer times per life than we skip; it was hit before.
                        assert skip > 0, point
                        continue
                    assert life["killed_by"] == signal.SIGKILL
                    assert told(life, "point") == [point]
                    kills += 1
                    hit.add(point)
                    check_file(folder, done)
                skip += 1
            last = lives.live("nowhere")
            assert told(last, "error") == []
            done |= set(told(last, "done"))
    agreement = reckon(
        [read_till(TillFolder(folder).database)], read_server(tmp_path / "server/evertill.db")
    )
    assert agreement.differences == []
    assert agreement.entries_acknowledged == agreement.entries_written
    assert kills >= KILLS_MIN
    assert hit == set(points)


@pytest.mark.xdist_group("kills")
def test_what_the_server_acknowledged_survives_wherever_it_is_killed(tmp_path):
    folder = tmp_path / "server"
    initialise(folder, clock=SystemClock())
    with serve_here(folder, clock=SystemClock()) as server:
        till = server.enrol_till()
    member = till.enrol_member()
    acknowledged = 0
    kills = 0
    with Lives("serving_child.py", folder) as lives:

        def push(point: str) -> dict:
            request = msgspec.msgpack.encode(till.push_request(acknowledged))
            return lives.live(point, 0, request.hex())

        whole = push("every")
        assert told(whole, "error") == []
        acknowledged = told(whole, "acknowledged")[-1]
        for point in sorted(told(whole, "point")):
            till.sell(500, member=member, earned=5)
            life = push(point)
            assert told(life, "error") == []
            if life["killed_by"] is None:
                # A statement of the first push alone (an enrolment) is not passed by a sale.
                acknowledged = told(life, "acknowledged")[-1]
                continue
            assert life["killed_by"] == signal.SIGKILL
            kills += 1
            assert told(life, "acknowledged") == []
        last = push("nowhere")
        assert told(last, "acknowledged") == [len(till.entries)]
    assert kills >= 20
    kept = read_server(folder / "evertill.db")
    assert kept.broken_chains() == []
    assert kept.imbalance() == 0
    chain = kept.chains[till.journal, till.certificate.epoch]
    assert [entry.encoded for entry in chain] == [e.entry.encoded for e in till.entries]
    assert {key: amount for key, amount in kept.postings.items() if amount} == {
        key: amount for key, amount in kept.balances.items() if amount
    }
