"""A till that sells until it is killed at a named point; the parent compares what it left.

Started once, it imports everything, opens nothing, and forks a life per line of standard input
(``folder point skip``). A life reports over a pipe: ``done`` once a sale's commit has returned,
``point`` for each point it passes. The kill is SIGKILL to itself: nothing is flushed, closed or
caught. Each life's reports and exit status go to standard output as one line of JSON.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import event

from desktop.bootstrap import Surroundings, Till
from desktop.store.database import TillFolder
from desktop.store.writer import Transaction
from desktop.sync.http import ServerConnection
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import PrintOutcome, PrintState
from shared.trade.fact import CashCount
from tests.support.enrolled_till import open_till

EVERY = "every"
"""Kills nowhere; reports which points there are."""
SALES_PER_LIFE = 4


class Killer:
    """Counts down to one point and ends the process there."""

    def __init__(self, point: str, skip: int, report: Any) -> None:
        self.point = point
        self._skip = skip
        self._report = report
        self._seen: set[str] = set()
        self.armed = False

    def reach(self, point: str) -> None:
        """Called at every point; does nothing at all but one."""
        if not self.armed:
            return
        if self.point == EVERY and point not in self._seen:
            self._seen.add(point)
            self._report("point", point)
        if point != self.point:
            return
        if self._skip:
            self._skip -= 1
            return
        self._report("point", point)
        os.kill(os.getpid(), signal.SIGKILL)


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


def watch_statements(till: Till, killer: Killer) -> None:
    """Name every statement and commit of the writing connection."""
    engine = till.store.writer._engine

    def name(statement: str) -> str:
        words = statement.split()
        verb = words[0].lower()
        if verb == "insert":
            return f"insert-{words[2]}"
        if verb == "update":
            return f"update-{words[1]}"
        return verb

    def before(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        killer.reach(f"before-{name(statement)}")

    def after(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        killer.reach(f"after-{name(statement)}")

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    event.listen(engine, "commit", lambda _connection: killer.reach("before-commit"))
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


def sell(folder: Path, point: str, skip: int, pipe: int) -> None:
    """One life: open the till, sell, print and sync, until the point is reached."""

    def report(what: str, value: object) -> None:
        os.write(pipe, json.dumps([what, value]).encode() + b"\n")

    killer = Killer(point, skip, report)
    book = built_in_profiles()
    around = Surroundings(
        printer=FilePrinter(folder / "paper.bin", killer),
        encoder=Encoder(book.profile("gb"), book.paper("80mm")),
        language="en",
    )
    till = open_till(TillFolder(folder), around)
    watch_statements(till, killer)
    counter = till.counter()
    operator = till.operators.all()[0].operator_id
    shift = counter.shifts.current() or counter.shifts.open(
        operator, [CashCount(denomination=10_000, pieces=5)]
    )
    assert till.spooler is not None
    killer.armed = True
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


def live(folder: Path, point: str, skip: int) -> dict[str, Any]:
    """Fork a life and wait for its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            sell(folder, point, skip, writing)
        except BaseException:  # noqa: BLE001 - told to the parent, which fails
            os.write(writing, json.dumps(["error", traceback.format_exc()]).encode() + b"\n")
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        reports = [json.loads(line) for line in pipe]
    _, status = os.waitpid(child, 0)
    killed_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return {"killed_by": killed_by, "reports": reports}


def main() -> None:
    """A life per line."""
    for line in sys.stdin:
        folder, point, skip = json.loads(line)
        print(json.dumps(live(Path(folder), point, skip)), flush=True)


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    main()
