"""Two hundred sales finished while the same till pulls a large catalogue and many members."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop.store.writer import Urgency, Writer
from desktop.sync.http import ServerConnection
from shared.catalogue.goods import Goods
from shared.ids import GoodsId
from tests.pricing_builders import goods
from tests.support.enrolled_till import BISCUITS
from tests.support.little_chain import LittleChain, TillHere

SALES = 200
GOODS_PULLED = 4000
MEMBERS_PULLED = 600
PATIENCE_S = 60


@dataclass
class JobLog:
    """The order in which a writer was asked for jobs and began them."""

    events: list[tuple[str, Urgency, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next: int = 0

    def note(self, what: str, urgency: Urgency, job: int) -> None:
        with self._lock:
            self.events.append((what, urgency, job))

    def new_job(self) -> int:
        with self._lock:
            self._next += 1
            return self._next

    def watch(self, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
        submit = writer.submit

        def submitting(work: Callable[..., Any], urgency: Urgency = Urgency.SALE) -> Any:
            job = self.new_job()

            def begun(transaction: Any) -> Any:
                self.note("begun", urgency, job)
                return work(transaction)

            self.note("asked", urgency, job)
            return submit(begun, urgency)

        monkeypatch.setattr(writer, "submit", submitting)

    def slices_before(self) -> list[int]:
        """For each sale: how many background jobs began between its asking and its beginning."""
        asked: dict[int, int] = {}
        counts = []
        for at, (what, urgency, job) in enumerate(self.events):
            if urgency is not Urgency.SALE:
                continue
            if what == "asked":
                asked[job] = at
            else:
                between = self.events[asked[job] : at]
                counts.append(sum(w == "begun" and u is Urgency.BACKGROUND for w, u, _ in between))
        return counts


def article(number: int) -> Goods:
    sku = f"P{number:05}"
    return goods(sku, 100 + number, name_zh=f"商品{number}", name_en=f"Article {number}")


def count(till: TillHere, table: str) -> int:
    with till.till.books.reading() as connection:
        return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())


def test_two_hundred_sales_during_a_full_pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with LittleChain(tmp_path) as chain:
        selling, away = chain.tills
        for number in range(MEMBERS_PULLED):
            away.enrol(f"顾客{number}", str(13_000_000_000 + number))
        assert away.sync()
        chain.server.services.catalogue.put([article(number) for number in range(GOODS_PULLED)])
        log = JobLog()
        log.watch(selling.till.store.writer, monkeypatch)
        pulling, sold = threading.Event(), threading.Event()
        pull = ServerConnection.pull

        def paced(connection: ServerConnection, request: Any) -> Any:
            reply = pull(connection, request)
            if request.stream == "catalogue":
                pulling.set()
            if request.stream == "members":  # the last stream ends after the last sale
                assert sold.wait(PATIENCE_S)
            return reply

        monkeypatch.setattr(ServerConnection, "pull", paced)
        sync = threading.Thread(target=selling.sync)
        sync.start()
        assert pulling.wait(PATIENCE_S)
        began = len(log.events)
        sales = [selling.sell(BISCUITS.barcodes[0]) for _ in range(SALES)]
        amid = log.events[began:]
        sold.set()
        sync.join(PATIENCE_S)
        assert not sync.is_alive()

        # The pull really ran between the sales, and no sale waited for more than one slice of it.
        assert sum(what == "begun" and u is Urgency.BACKGROUND for what, u, _ in amid) > SALES // 10
        waited = log.slices_before()
        assert len(waited) >= SALES
        assert max(waited) <= 1
        assert count(selling, "goods") == GOODS_PULLED + 3
        assert count(selling, "members") == MEMBERS_PULLED
        found = selling.counter.scanning.find(GoodsId("P03999"))
        assert found.list_price_minor == 4099
        chain.drain()
        chain.close()
        agreement = chain.reckon()
        assert agreement.differences == []
        assert agreement.totals.sales == SALES
        kept = {sale.entry_id for sale in sales}
        assert len(kept) == SALES
