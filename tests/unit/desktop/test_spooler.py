"""Paper: every original at most once, every doubt shown, every copy marked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest

from desktop.reckoning.file import read_till
from desktop.services.printing import Copies, PrinterStatus, Spooler
from desktop.store import print_jobs
from desktop.store.print_jobs import JobState, PrintJob
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.paper.interpreter import Interpreter
from hardware.paper.text import sheet_text
from hardware.ports import PrintOutcome, PrintState
from shared.errors import DomainError
from tests.support.desk import BISCUIT_CODE, WATER_CODE, Desk, open_desk
from tests.support.enrolled_till import CASHIER


class Unplugged(Exception):
    """The power fails."""


@dataclass
class Printer:
    """Ends jobs as the test says, and keeps what came out."""

    name: str = "test"
    ends: list[PrintState] = field(default_factory=list)
    paper: list[bytes] = field(default_factory=list)
    dies_after_first_byte: bool = False

    def print_job(self, data: bytes, *, deadline_s: float, before_first_byte: Any) -> PrintOutcome:
        end = self.ends.pop(0) if self.ends else PrintState.CONFIRMED
        if end is PrintState.FAILED_BEFORE_SEND:
            return PrintOutcome(end, 0, message_key="printer.offline", retry_after_s=0.001)
        before_first_byte()
        if self.dies_after_first_byte:
            raise Unplugged
        self.paper.append(data)
        return PrintOutcome(end, len(data))


@pytest.fixture
def printer() -> Printer:
    return Printer()


def render(job: PrintJob) -> bytes:
    return f"{job.entry_id}/{job.copy}".encode()


def spooler(desk: Desk, printer: Printer, told: list[PrinterStatus] | None = None) -> Spooler:
    status = (told if told is not None else []).append
    return Spooler(desk.till.books, printer, render, on_status=status)


@pytest.fixture
def running(desk: Desk, printer: Printer) -> Iterator[Spooler]:
    service = spooler(desk, printer)
    service.start()
    yield service
    service.close()


def states(desk: Desk) -> dict[tuple[str, int], str]:
    return read_till(desk.till.store.folder.database).printed


def test_every_receipt_is_printed_once_in_the_order_of_the_sales(desk, printer, running):
    sales = [desk.sell(WATER_CODE) for _ in range(5)]
    running.wake()
    assert running.wait_idle(5)
    running.wake()
    assert running.wait_idle(5)
    assert printer.paper == [f"{sale.entry_id}/0".encode() for sale in sales]
    assert set(states(desk).values()) == {"confirmed"}


def test_what_never_left_is_tried_again_and_comes_out_once(desk, printer, running):
    printer.ends = [PrintState.FAILED_BEFORE_SEND] * 3
    sale = desk.sell(WATER_CODE)
    running.wake()
    assert running.wait_idle(5)
    assert printer.paper == [f"{sale.entry_id}/0".encode()]
    assert states(desk) == {(sale.entry_id, 0): "confirmed"}


def test_a_doubtful_paper_is_never_repeated_by_itself_and_the_next_one_is_printed(
    desk, printer, running
):
    printer.ends = [PrintState.UNCERTAIN]
    first, second = desk.sell(WATER_CODE), desk.sell(WATER_CODE)
    running.wake()
    assert running.wait_idle(5)
    assert len(printer.paper) == 2
    assert states(desk) == {(first.entry_id, 0): "uncertain", (second.entry_id, 0): "confirmed"}
    copies = Copies(desk.till.books, wake=running.wake)
    (job,) = copies.uncertain()
    assert job.entry_id == first.entry_id
    copies.settle(job)
    assert copies.uncertain() == []
    with pytest.raises(DomainError) as moved:
        copies.settle(job)
    assert (moved.value.code, moved.value.fields) == ("print-job-moved", {"job_id": job.job_id})


def test_a_job_that_was_being_sent_when_the_till_died_is_in_doubt_after_the_start(folder, printer):
    desk = open_desk(folder)
    sale = desk.sell(WATER_CODE)
    printer.dies_after_first_byte = True
    with desk.till.books.reading() as connection:
        job = print_jobs.next_to_print(connection)
    assert job is not None
    with pytest.raises(Unplugged):
        spooler(desk, printer).print_one(job)
    assert states(desk) == {(sale.entry_id, 0): "sending"}
    desk.till.close()

    desk = open_desk(folder)
    printer.dies_after_first_byte = False
    told: list[PrinterStatus] = []
    service = spooler(desk, printer, told)
    service.start()
    assert service.wait_idle(5)
    assert printer.paper == []
    assert states(desk) == {(sale.entry_id, 0): "uncertain"}
    assert told[-1] == PrinterStatus("", 1, 0)
    service.close()
    desk.till.close()


def test_a_second_original_of_a_receipt_cannot_even_be_queued(desk):
    from sqlalchemy.exc import IntegrityError  # noqa: PLC0415 - the one place that meets it

    sale = desk.sell(WATER_CODE)
    with pytest.raises(IntegrityError):
        desk.till.books.change(
            lambda work: print_jobs.queue_original(
                work.connection, job_id="again", entry_id=sale.entry_id, language="en"
            )
        )
    assert list(states(desk)) == [(sale.entry_id, 0)]


def test_a_job_that_moved_on_is_not_printed_from_old_knowledge(desk, printer):
    desk.sell(WATER_CODE)
    with desk.till.books.reading() as connection:
        job = print_jobs.next_to_print(connection)
    assert job is not None
    service = spooler(desk, printer)
    service.print_one(job)
    with pytest.raises(DomainError) as moved:
        service.print_one(job)
    assert moved.value.code == "print-job-moved"
    assert len(printer.paper) == 1


def test_copies_are_numbered_marked_and_in_the_journal(make_desk, folder):
    printer = Printer()
    book = built_in_profiles()
    encoder = Encoder(book.profile("gb"), book.paper("80mm"))
    desk = make_desk(folder=folder, printer=printer, encoder=encoder, language="en")
    assert desk.till.spooler is not None
    desk.till.spooler.start()
    sale = desk.sell(BISCUIT_CODE)
    copies = desk.till.copies
    numbers = [copies.print_copy(sale.entry_id, sale.fact.receipt_no, CASHIER) for _ in range(2)]
    assert desk.till.spooler.wait_idle(10)
    assert numbers == [1, 2]
    dots = book.paper("80mm").dots
    texts = [sheet_text(Interpreter(dots=dots).print_all(data)) for data in printer.paper]
    assert ["COPY" in text.upper() for text in texts] == [False, True, True]
    kept = read_till(desk.till.store.folder.database)
    noted = [e.told["body"] for e in kept.entries() if e.told["kind"] == "receipt_reprinted"]
    assert [note["copy"] for note in noted] == [1, 2]
    assert {note["of_entry"] for note in noted} == {sale.entry_id}
    assert [JobState(state) for state in kept.printed.values()] == [JobState.CONFIRMED] * 3


def test_a_stalled_printer_holds_no_till_that_is_closed(folder, monkeypatch):
    """Judge: a separate reader of the till's file."""
    monkeypatch.setattr("desktop.services.printing.CLOSE_WAIT_S", 0.05)
    desk = open_desk(folder)
    sale = desk.sell(WATER_CODE)
    stalled, comes_back = Event(), Event()

    class Stalling(Printer):
        def print_job(self, data: bytes, **options: Any) -> PrintOutcome:
            options["before_first_byte"]()
            stalled.set()
            comes_back.wait()
            return PrintOutcome(PrintState.CONFIRMED, len(data))

    service = spooler(desk, Stalling())
    service.start()
    stalled.wait()
    second = desk.sell(BISCUIT_CODE)  # would wait for ever if a sale waited for the printer
    service.wake()
    assert service.status().waiting == 1
    service.close()
    desk.till.close()
    comes_back.set()
    service._thread.join()
    assert states_of(folder) == {
        (sale.entry_id, 0): "sending",
        (second.entry_id, 0): "queued",
    }
    desk = open_desk(folder)
    again = spooler(desk, Printer())
    again.start()
    assert again.wait_idle(5)
    assert states(desk) == {
        (sale.entry_id, 0): "uncertain",
        (second.entry_id, 0): "confirmed",
    }
    again.close()
    desk.till.close()


def states_of(folder: Any) -> dict[tuple[str, int], str]:
    return read_till(folder.database).printed
