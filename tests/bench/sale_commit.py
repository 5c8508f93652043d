"""A sale through the service path, encrypted and plain, against a bare fdatasync of the same size.

fsyncs are counted from outside by ``strace`` where it is installed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from desktop.bootstrap import Till
from desktop.store.database import TillFolder
from desktop.store.sealing import seal
from shared.collector import settle
from shared.trade.fact import CashCount
from tests.bench.timing import milliseconds
from tests.support.enrolled_till import CASHIER, enrol_locally, open_till

SALES = 400
SALES_TRACED = 100
LINES = ("6901285991219", "6901668054715", "6901668054715", "6901285991219")
PAGE_BYTES = 4096 + 24
"""A page of the write-ahead log with its frame header."""


class Selling:
    """A till at work, and how long its sales and scans took, in seconds."""

    def __init__(self, path: Path, *, seals: bool) -> None:
        folder = enrol_locally(path)
        self.till = open_till(seal(folder) if seals else folder)
        self.shift = _shift(self.till)
        self.counter = self.till.counter()
        self.commits: list[float] = []
        self.scans: list[float] = []
        self.pages: list[int] = []

    def sell(self) -> None:
        """One sale; what is timed is from the finish key to the returned commit."""
        for code in LINES:
            began = time.perf_counter()
            self.counter.scanning.scan(code)
            self.scans.append(time.perf_counter() - began)
        before = _frames(self.till)
        self.counter.checkout.tender_cash()
        began = time.perf_counter()
        self.counter.checkout.finish(self.shift, CASHIER)
        self.commits.append(time.perf_counter() - began)
        self.pages.append(_frames(self.till) - before)


def run() -> dict[str, Any]:
    """Alternate sales, encrypted and plain, and bare writes on the same disk."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        sealed = Selling(Path(folder) / "sealed", seals=True)
        plain = Selling(Path(folder) / "plain", seals=False)
        assert sealed.till.store.folder.key is not None
        assert plain.till.store.folder.key is None
        settle()  # as a running till does
        bare: list[float] = []
        with (Path(folder) / "bare").open("wb", buffering=0) as file:
            for _ in range(SALES):
                sealed.sell()
                plain.sell()
                size = max(sealed.pages[-1], 1) * PAGE_BYTES
                began = time.perf_counter()
                file.write(b"x" * size)
                os.fdatasync(file.fileno())
                bare.append(time.perf_counter() - began)
        sealed.till.close()
        plain.till.close()
        ours, floor = milliseconds(sealed.commits), milliseconds(bare)
        unsealed = milliseconds(plain.commits)
        return {
            "sales": SALES,
            "sale_p50_ms": ours["p50_ms"],
            "sale_p99_ms": ours["p99_ms"],
            "plain_sale_p50_ms": unsealed["p50_ms"],
            "plain_sale_p99_ms": unsealed["p99_ms"],
            "scan_p50_ms": milliseconds(sealed.scans)["p50_ms"],
            "plain_scan_p50_ms": milliseconds(plain.scans)["p50_ms"],
            "bare_fdatasync_p50_ms": floor["p50_ms"],
            "bare_fdatasync_p99_ms": floor["p99_ms"],
            "above_bare_p50_ms": ours["p50_ms"] - floor["p50_ms"],
            "above_bare_p99_ms": ours["p99_ms"] - floor["p99_ms"],
            "ratio_p50": ours["p50_ms"] / floor["p50_ms"],
            "wal_pages_per_sale_median": sorted(sealed.pages)[len(sealed.pages) // 2],
            "durability": "journal_mode=WAL synchronous=FULL (refused to start otherwise)",
            "fsyncs_per_sale": fsyncs_per_sale(Path(folder) / "traced", seals=True),
        }


def _frames(till: Till) -> int:
    """Pages in the write-ahead log, asked on a reading connection."""
    with till.store.reading.connect() as connection:
        row = connection.exec_driver_sql("PRAGMA wal_checkpoint(NOOP)").one()
        return int(row[1])


def _shift(till: Till) -> Any:
    shifts = till.counter().shifts
    return shifts.current() or shifts.open(CASHIER, [CashCount(denomination=10_000, pieces=5)])


def fsyncs_per_sale(path: Path, sales: int = SALES_TRACED, *, seals: bool = False) -> float | str:
    """How many more sync calls a process makes that sells twice as much."""
    if shutil.which("strace") is None:
        return "not counted: strace is not installed"
    enrol_locally(path)
    if seals:
        seal(TillFolder(path))
    # The first opens the shift, so that the others open and close the same.
    _traced(path, 0)
    once, twice = _traced(path, sales), _traced(path, 2 * sales)
    return (twice - once) / sales


def _traced(path: Path, sales: int) -> int:
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync", sys.executable]
    done = subprocess.run(
        [*command, "-m", "tests.bench.sale_commit", str(path), str(sales)],
        capture_output=True,
        text=True,
        check=True,
    )
    return len(re.findall(r"f(?:data)?sync\(\d+\) += 0|f(?:data)?sync resumed>.*= 0", done.stderr))


def sell(path: Path, sales: int) -> None:
    """What is traced."""
    till = open_till(TillFolder(path))
    shift = _shift(till)
    counter = till.counter()
    for _ in range(sales):
        for code in LINES:
            counter.scanning.scan(code)
        counter.checkout.tender_cash()
        counter.checkout.finish(shift, CASHIER)
    till.close()


if __name__ == "__main__":
    sell(Path(sys.argv[1]), int(sys.argv[2]))
