"""A till that sells, prints over TCP and opens its drawer, until it is killed at a named point."""

from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from desktop.bootstrap import Surroundings
from desktop.services.paper import issue_now
from desktop.store.database import TillFolder
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import DeviceError
from hardware.printer.printer import EscposPrinter
from hardware.printer.transport import TcpLink, TcpTransport
from shared.clock import SystemClock
from shared.receipt.trial import trial_page
from shared.receipt.voice import PaperLanguage
from shared.trade.fact import CashCount
from tests.support.enrolled_till import open_till
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements

SALES_PER_LIFE = 2
DEADLINE_S = 1.0
"""A cashier's thirty seconds are too long here; nothing in a life depends on their number."""
PROBE_S = 0.1
CHUNK_BYTES = 200
KINDS = {b"\x10\x04": "question", b"\x1bp": "pulse"}
"""What is sent beside receipts, by its first bytes."""


def watch_link(killer: Killer) -> None:
    """Name every piece that is handed over, and every wait for the printer's word."""
    send, receive = TcpLink.send, TcpLink.receive

    def sending(self: TcpLink, data: bytes, *, timeout_s: float) -> int:
        kind = KINDS.get(data[:2], "bytes")
        killer.reach(f"before-{kind}")
        taken = send(self, data, timeout_s=timeout_s)
        killer.reach(f"after-{kind}")
        return taken

    def receiving(self: TcpLink, *, timeout_s: float) -> bytes:
        killer.reach("before-answer")
        got = receive(self, timeout_s=timeout_s)
        killer.reach("after-answer")
        return got

    TcpLink.send, TcpLink.receive = sending, receiving  # type: ignore[method-assign]  # on purpose


def sell(report: Report, path: str, point: str, skip: int, port: int, profile: str) -> None:
    """One life: open the till, sell, print, copy and pulse, until the point is reached."""
    killer = Killer(point, skip, report)
    book = built_in_profiles()
    encoder = Encoder(book.profile(profile), book.paper("58mm"))
    transport = TcpTransport("127.0.0.1", port)
    printer = EscposPrinter("printer", transport, encoder.profile, clock=SystemClock())
    printer.open()
    around = Surroundings(printer=printer, encoder=encoder, language="en")
    till = open_till(TillFolder(Path(path)), around)
    watch_statements(till.store.writer._engine, killer)
    watch_link(killer)
    counter = till.counter()
    operator = till.operators.all()[0].operator_id
    shift = counter.shifts.current() or counter.shifts.open(
        operator, [CashCount(denomination=10_000, pieces=5)]
    )
    assert till.spooler is not None
    killer.arm()
    till.spooler.start()
    for _ in range(SALES_PER_LIFE):
        counter.scanning.scan("6901285991219")
        counter.checkout.tender_cash()
        sale: Any = counter.checkout.finish(shift, operator)
        report("done", sale.entry_id)
        till.wake_printer()
        try:
            printer.open_drawer(deadline_s=DEADLINE_S)
            report("pulsed", sale.entry_id)
        except DeviceError as error:
            report("no-pulse", error.condition)
        till.spooler.wait_idle(DEADLINE_S)
    page = f"page-{till.books.new_id()[-8:]}"
    issue = issue_now(till.books, till.shop(), operator_label=page, language=PaperLanguage.ENGLISH)
    till.print_page(trial_page(issue), "paper.title.test")
    report("page", page)
    till.copies.print_copy(sale.entry_id, sale.fact.receipt_no, operator)
    till.spooler.wait_idle(DEADLINE_S)
    report("end", None)
    till.close()
    printer.close()


def shortened(*arguments: Any) -> None:
    """The same with short waits."""
    with (
        mock.patch("desktop.services.printing.DEADLINE_S", DEADLINE_S),
        mock.patch("hardware.printer.job.PROBE_TIMEOUT_S", PROBE_S),
        mock.patch("hardware.printer.transport.SEND_BYTES_MAX", CHUNK_BYTES),
    ):
        sell(*arguments)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    live_on_request(shortened)
