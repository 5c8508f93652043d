"""Encoding a long receipt, and from the commit of a sale to the first byte at the printer."""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from desktop.bootstrap import Surroundings
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import PrintOutcome, PrintState
from shared.trade.fact import CashCount
from tests.support.enrolled_till import CASHIER, enrol_locally, open_till

SALES = 100


class InstantPrinter:
    """Takes every job at once and notes when its first byte came."""

    name = "instant"

    def __init__(self) -> None:
        self.first_bytes: list[float] = []

    def print_job(self, data: bytes, *, deadline_s: float, before_first_byte: Any) -> PrintOutcome:
        """Note the time after SENDING was committed."""
        before_first_byte()
        self.first_bytes.append(time.perf_counter())
        return PrintOutcome(PrintState.CONFIRMED, len(data))


def run() -> dict[str, Any]:
    """Sell and print."""
    book = built_in_profiles()
    printer = InstantPrinter()
    encoder = Encoder(book.profile("gb"), book.paper("80mm"))
    with tempfile.TemporaryDirectory(dir=".") as folder:
        around = Surroundings(printer=printer, encoder=encoder)  # type: ignore[arg-type]
        till = open_till(enrol_locally(Path(folder) / "till"), around)
        counter = till.counter()
        shift = counter.shifts.open(CASHIER, [CashCount(denomination=10_000, pieces=5)])
        assert till.spooler is not None
        till.spooler.start()
        committed = []
        for _ in range(SALES):
            counter.scanning.scan("6901285991219")
            counter.checkout.tender_cash()
            counter.checkout.finish(shift, CASHIER)
            committed.append(time.perf_counter())
            till.wake_printer()
            till.spooler.wait_idle(5)
        till.close()
    delays = [first - done for done, first in zip(committed, printer.first_bytes, strict=True)]
    return {
        "receipts": SALES,
        "commit_to_first_byte_p50_ms": statistics.median(delays) * 1000,
        "commit_to_first_byte_max_ms": max(delays) * 1000,
    }
