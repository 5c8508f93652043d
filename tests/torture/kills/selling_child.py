"""A till that sells until it is killed at a named point; the parent compares what it left."""

import os
from pathlib import Path
from typing import Any

import structlog

from desktop.bootstrap import Surroundings, Till
from desktop.store.database import TillFolder
from desktop.store.writer import Transaction
from desktop.sync.http import ServerConnection
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import PrintOutcome, PrintState
from shared.trade.fact import CashCount
from tests.support.enrolled_till import open_till
from tests.torture.kills.life import Killer, Report, live_on_request, watch_statements

SALES_PER_LIFE = 2


class FilePrinter:
    """A printer whose paper is a file: what reached it is what a customer could hold."""

    name = "file"

    def __init__(self, paper: Path, killer: Killer) -> None:
        self._paper = paper
        self._killer = killer

    def print_job(self, data: bytes, *, deadline_s: float, before_first_byte: Any) -> PrintOutcome:
        """Commit SENDING, then let bytes out in two writes."""
        before_first_byte()
        self._killer.reach("before-first-byte")
        descriptor = os.open(self._paper, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        half = len(data) // 2
        os.write(descriptor, data[:half])
        self._killer.reach("amid-bytes")
        os.write(descriptor, data[half:] + b"\n=====END=====\n")
        os.close(descriptor)
        self._killer.reach("after-last-byte")
        return PrintOutcome(PrintState.CONFIRMED_UNVERIFIED, len(data))


def watch(till: Till, killer: Killer) -> None:
    """Name every statement, commit and acknowledgement of a till."""
    watch_statements(till.store.writer._engine, killer)
    committed = Transaction.committed

    def after_commit(self: Transaction) -> None:
        killer.reach("after-commit")
        committed(self)
        killer.reach("after-head-file")

    Transaction.committed = after_commit
    push = ServerConnection.push

    def pushing(self: ServerConnection, request: Any) -> Any:
        killer.reach("before-push")
        reply = push(self, request)
        killer.reach("before-acknowledgement")
        return reply

    ServerConnection.push = pushing


def sell(report: Report, path: str, point: str, skip: int) -> None:
    """One life: open the till, sell, print and sync, until the point is reached."""
    folder = Path(path)
    killer = Killer(point, skip, report)
    book = built_in_profiles()
    around = Surroundings(
        printer=FilePrinter(folder / "paper.bin", killer),
        encoder=Encoder(book.profile("gb"), book.paper("80mm")),
        language="en",
    )
    till = open_till(TillFolder(folder), around)
    watch(till, killer)
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
        counter.scanning.scan("6901668054715")
        counter.checkout.tender_cash()
        sale = counter.checkout.finish(shift, operator)
        report("done", sale.entry_id)
        till.wake_printer()
        till.spooler.wait_idle(5)
        till.sync.try_once()
    report("end", None)
    till.close()


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    live_on_request(sell)
