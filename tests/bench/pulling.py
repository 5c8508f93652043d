"""One pull of many changed balances by a till, against a plain executemany of the same rows.

The pull asks a server process over loopback, checks every page, applies it in slices that let a
sale through, and counts what it holds. The floor is one transaction into the same table of another
file with the same settings; beside it stands a second floor, all rows of all tables that the pull
leaves at the till, for a balance is a pulled and a shown one with its lot. A sale's turn at the
writer is asked for all the while: how long it waits is the other side of large transactions. The
server is left alone until it has audited what it took; Python's collector is as in a running till.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, NamedTuple
from unittest import mock

import httpx
import msgspec
from sqlalchemy import Table, select

from desktop.bootstrap import OpenStore, Till
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from desktop.store.schema import (
    balances,
    held_rows,
    lots,
    member_keys,
    member_search,
    members,
    pulled_balances,
)
from desktop.store.writer import Writer
from desktop.sync.http import ServerConnection
from shared.collector import settle
from shared.ids import MemberId, random_id
from shared.loyalty.bundle import template
from shared.protocol.message import PullReply, PullRequest, Stream
from sync_server.database.sqlite_library import sqlite_engine
from sync_server.ledger.audit_job import AUDIT_PAUSE_S
from tests.bench.chain import processor_seconds
from tests.bench.five_lines import write_sales
from tests.bench.timing import milliseconds
from tests.support.till_writer import Line

MEMBERS: Final = 2_000
SALES: Final = 12_000
"""A third of them of members."""
BATCH: Final = 400
GOAL: Final = 0.60
WRITTEN: Final = (
    pulled_balances,
    balances,
    lots,
    members,
    member_keys,
    member_search,
    held_rows,
)
SALE_EVERY_S: Final = 0.02
IDLE_S: Final = 0.2
"""Of processor time: a server that only waits uses less between two looks."""


class Pulled(NamedTuple):
    """What one till took from its pull."""

    members: int
    seconds: float
    asked: float
    """Of them, until the server had answered."""
    waited: list[float]
    """How long each sale waited for its turn; none where nobody sold."""
    rows: dict[Table, list[tuple[Any, ...]]]


def run() -> dict[str, Any]:
    """Sell elsewhere, then pull, once with nobody at the till and once while it is wanted."""
    draw = random.Random(1)
    buyers = [MemberId(random_id()) for _ in range(MEMBERS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = ServerProcess(folder / "server")
        tills = [{"name": "writer"}, {"name": "quiet"}, {"name": "selling"}]
        sown = server.prepare(
            {
                "stores": [{"name": "Bench", "tills": tills}],
                "programme": msgspec.json.decode(msgspec.json.encode(template("default"))),
            }
        )
        codes = [till["code"] for till in sown["stores"][0]["tills"]]
        with server:
            url = server.start()
            pulling = [_enrolled(folder / code, url, code) for code in codes[1:]]
            with httpx.Client(base_url=url, timeout=60) as client:
                line = Line(client)
                other = line.enrol(codes[0])
                write_sales(other, SALES, buyers, draw)
                for start in range(0, SALES, BATCH):
                    line.push(other, start, start + BATCH)
            _until_idle(server.folder)
            settle()
            quiet, selling = (
                _pull(till, is_wanted=is_wanted)
                for till, is_wanted in zip(pulling, (False, True), strict=True)
            )
        plain = _executemany(folder / "plain", {pulled_balances: quiet.rows[pulled_balances]})
        whole = _executemany(folder / "whole", quiet.rows)
    held = len(quiet.rows[pulled_balances])
    applying = quiet.seconds - quiet.asked
    wait = milliseconds(selling.waited)
    return {
        "members pulled": quiet.members,
        "balances pulled": held,
        "rows left at the till": sum(map(len, quiet.rows.values())),
        "seconds": quiet.seconds,
        "of them asking": quiet.asked,
        "balances per second": held / quiet.seconds,
        "executemany seconds": plain,
        "executemany / pull": plain / quiet.seconds,
        "its part of the goal of 0.60": plain / quiet.seconds / GOAL,
        "executemany / applying": plain / applying,
        "executemany of all rows / applying": whole / applying,
        "applying while wanted, seconds": selling.seconds - selling.asked,
        "a sale's wait for the writer, p50 ms": wait["p50_ms"],
        "a sale's wait for the writer, most ms": max(selling.waited) * 1000,
        "durability": "journal_mode=WAL synchronous=FULL in both",
    }


def _until_idle(folder: Path) -> None:
    """Until a server has used next to nothing between two looks."""
    before = -1.0
    while processor_seconds(folder) - before > IDLE_S:
        before = processor_seconds(folder)
        time.sleep(AUDIT_PAUSE_S + 1)


def _enrolled(path: Path, url: str, code: str) -> Till:
    store = OpenStore(TillFolder(path))
    store.enrol(url=url, code=code)
    till = Till(store)
    till.sync.try_once()
    return till


def _pull(till: Till, *, is_wanted: bool) -> Pulled:
    connection = till.connect()
    with ExitStack() as around:
        asked = around.enter_context(_asking())
        waited = around.enter_context(_wanting(till.store.writer)) if is_wanted else []
        began = time.perf_counter()
        pulled = till.puller.pull(connection, Stream.MEMBERS)
        seconds = time.perf_counter() - began
    connection.close()
    with till.store.reading.connect() as reading:
        rows = {table: [tuple(row) for row in reading.execute(select(table))] for table in WRITTEN}
    till.close()
    return Pulled(pulled, seconds, sum(asked), waited, rows)


@contextmanager
def _asking() -> Iterator[list[float]]:
    """How long each answer of the server took, in seconds."""
    asked: list[float] = []
    ask = ServerConnection.pull

    def timed(server: ServerConnection, request: PullRequest) -> PullReply:
        began = time.perf_counter()
        reply = ask(server, request)
        asked.append(time.perf_counter() - began)
        return reply

    with mock.patch.object(ServerConnection, "pull", timed):
        yield asked


@contextmanager
def _wanting(writer: Writer) -> Iterator[list[float]]:
    """Want the writer again and again, as a sale does; how long each turn was waited for."""
    waited: list[float] = []
    is_over = Event()

    def want() -> None:
        while not is_over.wait(SALE_EVERY_S):
            began = time.perf_counter()
            waited.append(writer.run(lambda _transaction: time.perf_counter()) - began)

    wanting = Thread(target=want)
    wanting.start()
    try:
        yield waited
    finally:
        is_over.set()
        wanting.join()


def _executemany(file: Path, rows: dict[Table, list[tuple[Any, ...]]]) -> float:
    engine = sqlite_engine(str(file))
    with engine.connect() as connection:
        for table in rows:
            table.create(connection)
        connection.commit()
        began = time.perf_counter()
        for table, its in rows.items():
            marks = ", ".join("?" for _column in table.columns)
            if its:
                connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({marks})", its)
        connection.commit()
        seconds = time.perf_counter() - began
    engine.dispose()
    return seconds
