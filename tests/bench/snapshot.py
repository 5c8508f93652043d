"""A new till with many members: from a snapshot until a card is found, against page by page.

One till has its files in clear, another encrypts them.

The tills are on the disk. The server is a process on loopback with a SQLite file in memory where
there is such a place, so that it is soon filled; its members are written straight into its
tables, each with a phone, a card and one lot of points, then counted as the server counts.
"""

import os
import secrets
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from desktop.bootstrap import OpenStore, Till
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from shared.loyalty.bundle import template
from shared.protocol.message import Stream
from sync_server.bootstrap import open_services, open_snapshot_desk
from sync_server.database import schema
from sync_server.sync.scopes import count_scopes
from tests.support.enrolled_till import GOODS
from tests.support.many_members import write_members
from tests.support.scratch import scratch_root

MEMBERS = int(os.environ.get("MEMBERS", "1000000"))
BATCH = 20_000
PAGED = 2_000
"""Pulled page by page; the time of all is this, times as many."""
LOOK_UPS = 200


def run() -> dict[str, Any]:
    """Fill, make, fetch, look up; then pull a part page by page."""
    with (
        tempfile.TemporaryDirectory(dir=".") as name,
        tempfile.TemporaryDirectory(dir=scratch_root()) as in_memory,
    ):
        folder = Path(name)
        server = ServerProcess(Path(in_memory) / "server")
        sown = server.prepare(
            {
                "stores": [
                    {
                        "name": "Bench",
                        "tills": [{"name": "One"}, {"name": "Two"}, {"name": "Sealed"}],
                    }
                ],
                "operators": [{"name": "Bench", "pin": "123456", "role": "cashier"}],
                "programme": msgspec.json.decode(msgspec.json.encode(template("default"))),
                "goods": msgspec.to_builtins(list(GOODS)),
            }
        )
        codes = [till["code"] for till in sown["stores"][0]["tills"]]
        filled_s = _fill(server.folder)
        began = time.perf_counter()
        with open_snapshot_desk(server.folder) as desk:
            (made,) = desk.make()
        made_s = time.perf_counter() - began
        with server:
            url = server.start()
            figures = _from_snapshot(folder / "one", url, codes[0])
            sealed = _from_snapshot(folder / "sealed", url, codes[2], seals=True)
            for file in made.file.parent.iterdir():
                file.unlink()
            paged = _page_by_page(folder / "two", url, codes[1])
    found_s, all_s = figures["card_found_s"], paged["page_by_page_s_of_all"]
    return {
        "members": MEMBERS,
        "file_mb": made.terms.size / 1e6,
        "server_fills_s": filled_s,
        "server_makes_s": made_s,
        **figures,
        **{f"encrypted_{name}": value for name, value in sealed.items()},
        **paged,
        "page_by_page_over_card_found": all_s / found_s,
        "card_found_over_goal_of_1_s": found_s,
        "encrypted_over_goal_of_5_s": sealed["card_found_s"] / 5,
    }


def _fill(folder: Path) -> float:
    began = time.perf_counter()
    with open_services(folder) as services:
        for first in range(0, MEMBERS, BATCH):
            numbers = range(first, min(first + BATCH, MEMBERS))
            with services.database.writing(is_bare=True) as work:
                write_members(work, numbers, services.vault.lookup)
        with services.database.writing(is_bare=True) as work:
            work.connection.execute(schema.scopes.delete())
        count_scopes(services.database)
    return time.perf_counter() - began


def _enrolled(folder: Path, url: str, code: str, *, seals: bool = False) -> Till:
    store = OpenStore(TillFolder(folder), seals=seals)
    store.enrol(url=url, code=code)
    till = Till(store)
    server = till.connect()
    for stream in (Stream.OPERATORS, Stream.PROGRAMME, Stream.CATALOGUE):
        till.puller.pull(server, stream)
    server.close()
    return till


def _from_snapshot(folder: Path, url: str, code: str, *, seals: bool = False) -> dict[str, float]:
    till = _enrolled(folder, url, code, seals=seals)
    server = till.connect()
    # Only until it is fetched and checked: from there on members are found.
    till.puller.gives_way = till.store.folder.snapshot.exists
    began = time.perf_counter()
    while not till.store.folder.snapshot.exists():
        till.puller.pull(server, Stream.MEMBERS)
    first = till.members.by_card(f"M{MEMBERS // 2:09}")
    found_s = time.perf_counter() - began
    assert first is not None
    assert first.points == 120
    times = []
    for _ in range(LOOK_UPS):
        number = secrets.randbelow(MEMBERS)
        at = time.perf_counter()
        assert till.members.by_card(f"M{number:09}") is not None
        times.append(time.perf_counter() - at)
    restart = time.perf_counter()
    till.puller.close()
    till.puller.resume()
    restarted_s = time.perf_counter() - restart
    began = time.perf_counter()
    slices = 0

    def enough() -> bool:
        nonlocal slices
        slices += 1
        return slices * 20 >= PAGED

    till.puller.gives_way = enough
    till.puller.pull(server, Stream.MEMBERS)
    taken_s = time.perf_counter() - began
    server.close()
    till.close()
    times.sort()
    return {
        "card_found_s": found_s,
        "look_up_while_arriving_p50_ms": times[len(times) // 2] * 1000,
        "look_up_while_arriving_p99_ms": times[int(len(times) * 0.99)] * 1000,
        "found_again_after_restart_s": restarted_s,
        "taken_over_rows_per_s": min(PAGED, MEMBERS) / taken_s,
    }


def _page_by_page(folder: Path, url: str, code: str) -> dict[str, float]:
    till = _enrolled(folder, url, code)
    server = till.connect()
    pages = 0

    def enough() -> bool:
        nonlocal pages
        pages += 1
        return pages * 2000 >= PAGED

    till.puller.gives_way = enough
    began = time.perf_counter()
    rows = till.puller.pull(server, Stream.MEMBERS)
    seconds = time.perf_counter() - began
    server.close()
    till.close()
    return {
        "page_by_page_rows": rows,
        "page_by_page_rows_per_s": rows / seconds,
        "page_by_page_s_of_all": seconds / rows * MEMBERS,
    }
