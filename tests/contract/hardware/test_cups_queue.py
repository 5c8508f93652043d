"""A raw queue of CUPS. Judge: CUPS itself, with a printer on TCP behind it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.escpos.profile import built_in_profiles
from hardware.ports import Condition, PrintState
from hardware.printer.cups_queue import CupsQueue
from hardware.printer.queue import QueuePrinter
from hardware.simulators.printer import PrinterSimulator
from shared.clock import SystemClock
from tests.support.cups import CUPSD, QUEUE, Cups, cups_server

pytestmark = pytest.mark.skipif(
    os.name != "posix" or not Path(CUPSD).exists() or os.geteuid() != 0,
    reason="cupsd starts its backends as root only",
)
JOB = b"\x1b@receipt\n\x1dV\x42\x00"


@pytest.fixture
def printer() -> Iterator[PrinterSimulator]:
    with PrinterSimulator(paper=built_in_profiles().paper("58mm")) as running:
        yield running


@pytest.fixture
def cups(tmp_path: Path, printer: PrinterSimulator) -> Iterator[Cups]:
    with cups_server(tmp_path, (printer.host, printer.port)) as running:
        yield running


@pytest.fixture
def connect(cups: Cups) -> Iterator[Callable[[str], QueuePrinter]]:
    opened: list[QueuePrinter] = []

    def make(name: str = QUEUE) -> QueuePrinter:
        queue = CupsQueue(name, "127.0.0.1", cups.port)
        opened.append(QueuePrinter("printer", queue, SystemClock()))
        opened[-1].open()
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_jobs_pulses_and_stops_of_a_queue(
    cups: Cups, printer: PrinterSimulator, connect: Callable[..., QueuePrinter]
) -> None:
    """One server for all of it: it takes longer to start than to print."""
    queue = connect()
    hooks: list[int] = []

    def put(deadline_s: float) -> PrintState:
        return queue.print_job(
            JOB, deadline_s=deadline_s, before_first_byte=lambda: hooks.append(len(printer.jobs))
        ).state

    assert put(20) is PrintState.CONFIRMED_UNVERIFIED
    assert [job.data for job in printer.wait_for_jobs(1)] == [JOB]
    assert hooks == [0]
    queue.open_drawer(deadline_s=20)
    assert (printer.pulses, len(printer.jobs)) == ([2], 1)

    cups.run("cupsdisable", QUEUE)
    assert queue.check_health(deadline_s=5).message_key == "devices.printer.queue-stands"
    assert put(2) is PrintState.FAILED_BEFORE_SEND
    assert len(hooks) == 1

    cups.run("cupsenable", QUEUE)
    assert put(20) is PrintState.CONFIRMED_UNVERIFIED
    assert len(printer.wait_for_jobs(2)) == 2

    # A printer that is off: the backend has begun, and nobody can say what it sent.
    printer.stop()
    assert put(2) is PrintState.UNCERTAIN
    printer.start()
    assert put(20) is PrintState.CONFIRMED_UNVERIFIED
    assert len(printer.wait_for_jobs(3)) == 3, "what was in doubt is not printed by itself"

    outcome = connect("nobody").print_job(JOB, deadline_s=2, before_first_byte=lambda: None)
    assert (outcome.state, outcome.condition) == (
        PrintState.FAILED_BEFORE_SEND,
        Condition.NOHARDWARE,
    )
