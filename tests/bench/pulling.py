"""One pull of many changed balances by a till, against a plain executemany of the same rows.

The pull asks a server process over loopback, checks every page, applies it in slices that let a
sale through, and counts what it holds. The floor is one transaction into the same table of another
file with the same settings.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from sqlalchemy import select

from desktop.bootstrap import OpenStore, Till
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from desktop.store.schema import pulled_balances
from shared.ids import MemberId, random_id
from shared.loyalty.bundle import template
from shared.protocol.message import Stream
from sync_server.database.sqlite_library import sqlite_engine
from tests.bench.five_lines import write_sales
from tests.support.till_writer import Line

MEMBERS: Final = 2_000
SALES: Final = 12_000
"""A third of them of members."""
BATCH: Final = 400
GOAL: Final = 0.60


def run() -> dict[str, Any]:
    """Sell elsewhere, then pull."""
    draw = random.Random(1)
    members = [MemberId(random_id()) for _ in range(MEMBERS)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = ServerProcess(folder / "server")
        sown = server.prepare(
            {
                "stores": [{"name": "Bench", "tills": [{"name": "A"}, {"name": "B"}]}],
                "programme": msgspec.json.decode(msgspec.json.encode(template("default"))),
            }
        )
        codes = [till["code"] for till in sown["stores"][0]["tills"]]
        with server:
            url = server.start()
            store = OpenStore(TillFolder(folder / "till"))
            store.enrol(url=url, code=codes[0])
            till = Till(store)
            till.sync.try_once()
            with httpx.Client(base_url=url, timeout=60) as client:
                line = Line(client)
                other = line.enrol(codes[1])
                write_sales(other, SALES, members, draw)
                for start in range(0, SALES, BATCH):
                    line.push(other, start, start + BATCH)
            connection = till.connect()
            began = time.perf_counter()
            pulled = till.puller.pull(connection, Stream.MEMBERS)
            seconds = time.perf_counter() - began
            connection.close()
            with till.store.reading.connect() as reading:
                rows = [tuple(row) for row in reading.execute(select(pulled_balances))]
            till.close()
        plain = _executemany(folder / "plain", rows)
    return {
        "members pulled": pulled,
        "balances pulled": len(rows),
        "seconds": seconds,
        "balances per second": len(rows) / seconds,
        "executemany seconds": plain,
        "executemany / pull": plain / seconds,
        "its part of the goal of 0.60": plain / seconds / GOAL,
        "durability": "journal_mode=WAL synchronous=FULL in both",
    }


def _executemany(file: Path, rows: list[tuple[Any, ...]]) -> float:
    engine = sqlite_engine(str(file))
    with engine.connect() as connection:
        pulled_balances.create(connection)
        connection.commit()
        marks = ", ".join("?" for _column in pulled_balances.columns)
        began = time.perf_counter()
        connection.exec_driver_sql(f"INSERT INTO pulled_balances VALUES ({marks})", rows)
        connection.commit()
        seconds = time.perf_counter() - began
    engine.dispose()
    return seconds
