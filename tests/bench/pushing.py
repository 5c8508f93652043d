"""Push throughput: real sales of a till into a real server process on loopback, on SQLite."""

import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from desktop.bootstrap import OpenStore, Till
from desktop.reckoning.file import read_server
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from shared.loyalty.bundle import template
from shared.trade.fact import CashCount
from tests.support.enrolled_till import GOODS

SALES = 2000


def run() -> dict[str, Any]:
    """Sell offline, then push everything."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        server = ServerProcess(folder / "server")
        sown = server.prepare(
            {
                "stores": [{"name": "Bench", "tills": [{"name": "Till"}]}],
                "operators": [{"name": "Bench", "pin": "123456", "role": "cashier"}],
                "programme": msgspec.json.decode(msgspec.json.encode(template("default"))),
                "goods": msgspec.to_builtins(list(GOODS)),
            }
        )
        with server:
            store = OpenStore(TillFolder(folder / "till"))
            store.enrol(url=server.start(), code=sown["stores"][0]["tills"][0]["code"])
            till = Till(store)
            till.sync.try_once()
            _sell(till)
            unsent = till.pusher.unsent()
            connection = till.connect()
            began = time.perf_counter()
            while not till.pusher.push_once(connection).is_done:
                pass
            seconds = time.perf_counter() - began
            connection.close()
            batches = till.pusher.batches
            till.close()
        kept = read_server(server.database)
        postings = _postings(server)
    return {
        "entries": unsent,
        "batches": batches,
        "seconds": seconds,
        "sales_per_second": SALES / seconds,
        "entries_per_second": unsent / seconds,
        "postings_per_second": postings / seconds,
        "server_entries": sum(len(chain) for chain in kept.chains.values()),
    }


def _postings(server: ServerProcess) -> int:
    return int(server.verify()["postings"])


def _sell(till: Till) -> None:
    counter = till.counter()
    operator = till.operators.all()[0].operator_id
    shift = counter.shifts.open(operator, [CashCount(denomination=10_000, pieces=5)])
    member = till.members.enrol(
        name="Bench", phone="13800000000", operator_id=operator, tier="member"
    )
    for number in range(SALES):
        counter.scanning.scan("6901285991219")
        counter.scanning.scan("6901668054715")
        if number % 4 == 0:
            counter.checkout.basket.attach(member)
        counter.checkout.tender_cash()
        counter.checkout.finish(shift, operator)
