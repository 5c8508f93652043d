"""A backlog from many tills at once, with full verification and booking, while others sell live.

Two server processes on one PostgreSQL, all on this machine. The goal is set for 144,000 sales of
300 tills; ``BACKLOG`` in the environment says what part of the tills to take (default a twentieth).
"""

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Event
from typing import Any, Final

import msgspec

from shared.ids import MemberId, random_id
from shared.protocol.message import CONTENT_TYPE
from tests.bench.chain import chain_of, client, processor_seconds, verified
from tests.bench.five_lines import LINES, write_sales
from tests.bench.timing import milliseconds
from tests.support.till_writer import TillWriter

TILLS: Final = 300
SALES: Final = 480
"""Of each till."""
BATCH: Final = 400
PROCESSES: Final = 2
SENDERS: Final = 12
"""Tills that send at the same time; the others follow."""
LIVE: Final = 4
"""Tills that go on selling, each a sale every quarter of a second."""
LIVE_PAUSE_S: Final = 0.25
MEMBERS: Final = 20_000
GOAL_PER_S: Final = 3_000
GOAL_P99_MS: Final = 500
HEADERS: Final = {"Content-Type": CONTENT_TYPE}


def run() -> dict[str, Any]:
    """Send everything, and measure those who sell meanwhile."""
    part = float(os.environ.get("BACKLOG", "0.05"))
    tills = max(SENDERS, round(TILLS * part))
    draw = random.Random(1)
    members = [MemberId(random_id()) for _ in range(MEMBERS)]
    with chain_of(tills + LIVE, "postgresql") as chain:
        waiting, live = chain.tills[LIVE:], chain.tills[:LIVE]
        bodies = [list(_bodies(till, members, draw)) for till in waiting]
        with chain.serving(PROCESSES) as urls:
            done = Event()
            with ThreadPoolExecutor(LIVE) as pool:
                selling = [
                    pool.submit(_sell, urls[number % PROCESSES], till, members, done)
                    for number, till in enumerate(live)
                ]
                used = processor_seconds(chain.folder.parent)
                seconds = _send(urls, bodies)
                used = processor_seconds(chain.folder.parent) - used
                done.set()
                taken = [one for each in selling for one in each.result()]
        report = verified(chain)
    sales = tills * SALES
    told = milliseconds(taken)
    return {
        "tills": tills,
        "sales": sales,
        "part of the goal's set-up": tills / TILLS,
        "lines a sale": LINES,
        "server processes": PROCESSES,
        "seconds": seconds,
        "sales per second": sales / seconds,
        "ratio to the goal of 3,000": sales / seconds / GOAL_PER_S,
        "processor time of servers and database, ms a sale": used / sales * 1000,
        "of two processors at the goal": used / sales * GOAL_PER_S / 2,
        "postings per second": report["postings"] / seconds,
        "live pushes": len(taken),
        "live p50 ms": told["p50_ms"],
        "live p99 ms": told["p99_ms"],
        "live p99 / goal of 500 ms": told["p99_ms"] / GOAL_P99_MS,
        "verified": "sound" if not report["flaws"] else report["flaws"][:3],
        "durability": chain.durability,
    }


def _bodies(till: TillWriter, members: list[MemberId], draw: random.Random) -> Iterator[bytes]:
    write_sales(till, SALES, members, draw)
    for start in range(0, SALES, BATCH):
        yield msgspec.msgpack.encode(till.push_request(start, start + BATCH))
    till.entries.clear()


def _send(urls: list[str], bodies: list[list[bytes]]) -> float:
    """From another process, so that sending takes no turns from those who sell."""
    parts = [bodies[number::PROCESSES] for number in range(PROCESSES)]
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(send_all, (list(zip(urls, parts, strict=True)),))


def send_all(work: list[tuple[str, list[list[bytes]]]]) -> float:
    """Some tills at a time on each address; seconds until the last is acknowledged."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        pairs = [(url, till) for url, tills in work for till in tills]
        random.Random(1).shuffle(pairs)
        list(pool.map(_send_till, pairs))
    return time.perf_counter() - began


def _send_till(work: tuple[str, list[bytes]]) -> None:
    url, bodies = work
    with client(url) as line:
        for body in bodies:
            reply = line.post("/v1/sync/push", content=body, headers=HEADERS)
            assert reply.status_code == 200, reply.content


def _sell(url: str, till: TillWriter, members: list[MemberId], done: Event) -> list[float]:
    """Seconds of each push of one sale."""
    taken: list[float] = []
    draw = random.Random(till.journal)
    with client(url) as line:
        while not done.wait(LIVE_PAUSE_S):
            start = len(till.entries)
            write_sales(till, 1, members, draw)
            body = msgspec.msgpack.encode(till.push_request(start))
            began = time.perf_counter()
            reply = line.post("/v1/sync/push", content=body, headers=HEADERS)
            taken.append(time.perf_counter() - began)
            assert reply.status_code == 200, reply.content
    return taken
