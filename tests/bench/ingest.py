"""Ingest on PostgreSQL against COPY of the very rows it leaves: entries, postings and balances.

In turns: pushes over HTTP to a server process, the same work called in this process with and
without the proof of the push, and binary COPY into tables with the same keys and indexes, with a
commit for every push.
"""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from shared.collector import settle
from shared.ids import MemberId, random_id
from shared.protocol.message import CONTENT_TYPE
from sync_server.bootstrap import Services, open_services
from sync_server.sync.batch import prove
from tests.bench.chain import chain_of, client
from tests.bench.five_lines import write_sales
from tests.support.servers import FAST_HASHER
from tests.support.till_writer import TillWriter

SALES: Final = 2_000
BATCH: Final = 400
ROUNDS: Final = 3
GOAL_HTTP: Final = 0.30
GOAL_INSIDE: Final = 0.45
TYPES: Final = {
    "entries": "int4 text int8 int8 text text text text text bytea bytea bytea text int8",
    "postings": "int4 text int8 text text text text int8",
    "balances": "int4 text text text text int8",
}
OF_JOURNAL: Final = {
    "entries": "SELECT * FROM entries WHERE journal = %s ORDER BY seq",
    "postings": "SELECT postings.* FROM postings JOIN entries ON id = entry_id WHERE journal = %s"
    " ORDER BY seq, position",
    "balances": "SELECT DISTINCT balances.* FROM balances JOIN postings"
    " USING (shard, account, owner, lot, unit) JOIN entries ON id = entry_id WHERE journal = %s",
}
Rows = dict[str, list[tuple[Any, ...]]]


def run() -> dict[str, Any]:
    """All four in each round, each on tills of its own."""
    draw = random.Random(1)
    members = [MemberId(random_id()) for _ in range(2_000)]
    taken: dict[str, list[float]] = {name: [] for name in ("http", "proof", "inside", "copy")}
    with ExitStack() as closing:
        chain = closing.enter_context(chain_of(3 * ROUNDS, "postgresql"))
        [url] = closing.enter_context(chain.serving())
        services = closing.enter_context(open_services(chain.folder, hasher=FAST_HASHER))
        plain = closing.enter_context(psycopg.connect(_plain(chain.url)))
        for name in TYPES:
            same = "CREATE TABLE {} (LIKE {} INCLUDING ALL)"
            plain.execute(_named(same, f"raw_{name}", name))
        plain.commit()
        for till in chain.tills:
            write_sales(till, SALES, members, draw)
        settle()  # as a serving process does
        for number in range(ROUNDS):
            first, second, third = chain.tills[3 * number : 3 * number + 3]
            taken["http"].append(_over_http(url, first))
            taken["proof"].append(_here(services, second))
            taken["inside"].append(_inside(services, third))
            rows = {
                name: plain.execute(statement, (first.journal,)).fetchall()
                for name, statement in OF_JOURNAL.items()
            }
            taken["copy"].append(_copy(plain, rows))
    times = {name: median(seconds) for name, seconds in taken.items()}
    return {
        "sales a round": SALES,
        "rounds": ROUNDS,
        "rows a round": {name: len(found) for name, found in rows.items()},
        **{f"{name}, sales/s": SALES / seconds for name, seconds in times.items()},
        "COPY / HTTP": times["copy"] / times["http"],
        "its part of the goal of 0.30": times["copy"] / times["http"] / GOAL_HTTP,
        "COPY / with proof, no HTTP": times["copy"] / times["proof"],
        "COPY / the transaction alone": times["copy"] / times["inside"],
        "its part of the goal of 0.45": times["copy"] / times["inside"] / GOAL_INSIDE,
        "spread": {name: max(found) / min(found) for name, found in taken.items()},
        "durability": chain.durability,
    }


def _over_http(url: str, till: TillWriter) -> float:
    bodies = [
        msgspec.msgpack.encode(till.push_request(start, start + BATCH))
        for start in range(0, SALES, BATCH)
    ]
    with client(url) as line:
        began = time.perf_counter()
        for body in bodies:
            reply = line.post("/v1/sync/push", content=body, headers={"Content-Type": CONTENT_TYPE})
            assert reply.status_code == 200, reply.content
        return time.perf_counter() - began


def _here(services: Services, till: TillWriter) -> float:
    requests = [till.push_request(start, start + BATCH) for start in range(0, SALES, BATCH)]
    began = time.perf_counter()
    for request in requests:
        services.ingest.push(request)
    return time.perf_counter() - began


def _inside(services: Services, till: TillWriter) -> float:
    """The proof is made before the clock runs."""
    requests = [till.push_request(start, start + BATCH) for start in range(0, SALES, BATCH)]
    batches = [prove(request, services.keys.author_of) for request in requests]
    began = time.perf_counter()
    for batch in batches:
        services.ingest.keep(batch)
    return time.perf_counter() - began


def _copy(plain: psycopg.Connection[Any], rows: Rows) -> float:
    seconds = 0.0
    known = set(plain.execute("SELECT account, owner, lot, unit FROM raw_balances").fetchall())
    rows = {**rows, "balances": [row for row in rows["balances"] if row[1:5] not in known]}
    for batch in _batches(rows):
        began = time.perf_counter()
        for name, part in batch.items():
            statement = _named("COPY {} FROM STDIN (FORMAT BINARY)", f"raw_{name}")
            with plain.cursor() as cursor, cursor.copy(statement) as copy:
                copy.set_types(TYPES[name].split())
                for row in part:
                    copy.write_row(row)
        plain.commit()
        seconds += time.perf_counter() - began
    return seconds


def _batches(rows: Rows) -> Iterator[Rows]:
    """As many parts as there were pushes."""
    parts = SALES // BATCH
    for number in range(parts):
        yield {
            name: found[len(found) * number // parts : len(found) * (number + 1) // parts]
            for name, found in rows.items()
        }


def _named(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))  # type: ignore[arg-type]  # our own text


def _plain(url: str | None) -> str:
    assert url is not None
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
