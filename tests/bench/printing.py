"""Paper and scanners: commit to first byte, a long receipt's encoding, a stalled printer, a scan.

The encoding is set against python-escpos on the same lines in the same run; the steps of a sale
beside a printer that takes nothing, against the 50 ms in which a screen must answer.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from desktop.bootstrap import Surroundings
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import DeviceError, PrintOutcome, PrintState, ScanData
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import TcpTransport
from hardware.scanner.serial import SerialScanner
from hardware.simulators.printer import PrinterSimulator
from hardware.simulators.scanner import SerialScannerSimulator
from shared.clock import SystemClock
from shared.receipt.document import Cut, Document, Item, Pair, Style
from shared.receipt.layout import Line, lay_out
from shared.trade.fact import CashCount
from tests.bench.timing import percentile
from tests.support.enrolled_till import CASHIER, enrol_locally, open_till

SALES = 100
LINES = 100
ENCODINGS = 50
STALLED_SALES = 40
SCANS = 200
OPENING_S = 0.2
PULSES = 4
"""So many wait for the stalled printer; each gives up after a second."""
SCREEN_MS = 50.0
BOOK = built_in_profiles()


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
    """Sell and print, encode, stall, scan."""
    return {
        **commit_to_first_byte(),
        **encoding(),
        **beside_a_stalled_printer(),
        **scan_to_event(),
    }


def commit_to_first_byte() -> dict[str, Any]:
    """From the commit of a sale to the first byte at an instant printer."""
    printer = InstantPrinter()
    encoder = Encoder(BOOK.profile("gb"), BOOK.paper("80mm"))
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
        "commit_to_first_byte_p99_ms": percentile(delays, 0.99) * 1000,
        "commit_to_first_byte_max_ms": max(delays) * 1000,
    }


def encoding() -> dict[str, Any]:
    """A receipt of 100 lines by us, and its text by python-escpos, in turn."""
    from escpos.printer import Dummy  # noqa: PLC0415 - slow to import, needed here alone

    items = tuple(
        Item(f"农夫山泉饮用天然水 550ml 第{number}箱", f"{number}×12.50", f"{number * 12.5:.2f}")
        for number in range(1, LINES + 1)
    )
    document = Document((*items, Pair("合计", "¥63,125.00", Style.LARGE), Cut()))
    encoder = Encoder(BOOK.profile("gb"), BOOK.paper("80mm"))
    grid = encoder.profile.grid(encoder.paper)
    rows = [piece.text for piece in lay_out(document, grid) if isinstance(piece, Line)]

    def theirs() -> None:
        printer = Dummy()
        for row in rows:
            printer.textln(row)
        printer.cut()

    ours_s, theirs_s = [], []
    for _ in range(ENCODINGS):
        ours_s.append(_timed(lambda: encoder.encode(document)))
        theirs_s.append(_timed(theirs))
    return {
        "encode_100_lines_p50_ms": statistics.median(ours_s) * 1000,
        "encode_100_lines_p99_ms": percentile(ours_s, 0.99) * 1000,
        "python_escpos_100_lines_p50_ms": statistics.median(theirs_s) * 1000,
        "ours_to_python_escpos": statistics.median(ours_s) / statistics.median(theirs_s),
    }


def beside_a_stalled_printer() -> dict[str, Any]:
    """What the till's own loop waits for while the printer takes some bytes and then no more."""
    steps: list[float] = []
    encoder = Encoder(BOOK.profile("gb"), BOOK.paper("80mm"))
    with (
        tempfile.TemporaryDirectory(dir=".") as folder,
        PrinterSimulator(paper=encoder.paper) as simulator,
    ):
        simulator.faults.stall_after = 40
        printer = EscposPrinter(
            "printer",
            TcpTransport(simulator.host, simulator.port),
            encoder.profile,
            clock=SystemClock(),
        )
        printer.open()
        around = Surroundings(printer=printer, encoder=encoder)
        till = open_till(enrol_locally(Path(folder) / "till"), around)
        counter = till.counter()
        shift = counter.shifts.open(CASHIER, [CashCount(denomination=10_000, pieces=5)])
        assert till.spooler is not None
        till.spooler.start()

        def pulse() -> None:
            try:
                printer.open_drawer(deadline_s=1)
            except DeviceError:
                return

        for sale in range(STALLED_SALES):
            steps.append(_timed(lambda: counter.scanning.scan("6901285991219")))
            steps.append(_timed(counter.checkout.tender_cash))
            steps.append(_timed(lambda: counter.checkout.finish(shift, CASHIER)))
            steps.append(_timed(till.wake_printer))
            if sale < PULSES:
                steps.append(_timed(lambda: till.executor().submit(pulse)))
            steps.append(_timed(till.spooler.status))
        closing = _timed(till.close)
        printer.close()
    return {
        "stalled_printer_longest_step_ms": max(steps) * 1000,
        "stalled_printer_share_of_50_ms": max(steps) * 1000 / SCREEN_MS,
        "stalled_printer_close_s": closing,
    }


def scan_to_event() -> dict[str, Any]:
    """From the last byte on a serial line (a pty) to the code in the till's hands."""
    arrived: list[float] = []
    came = Event()

    def take(_scan: ScanData) -> None:
        arrived.append(time.perf_counter())
        came.set()

    simulator = SerialScannerSimulator()
    scanner = SerialScanner("scanner", simulator.port, clock=SystemClock())
    scanner.deliver_to(take)
    scanner.open()
    waits = []
    try:
        while not came.is_set():  # what comes before the port is open is lost
            simulator.scan("first")
            came.wait(OPENING_S)
        for number in range(SCANS):
            came.clear()
            began = time.perf_counter()
            simulator.scan(f"69012859{number:05d}")
            came.wait()
            waits.append(arrived[-1] - began)
    finally:
        scanner.close()
    return {
        "scans": SCANS,
        "scan_to_event_p50_ms": statistics.median(waits) * 1000,
        "scan_to_event_p99_ms": percentile(waits, 0.99) * 1000,
    }


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
