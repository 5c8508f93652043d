"""Printers behind a queue of the system: what is known of a job is never said better."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from hardware.ports import Condition, DeviceError, Power, PrintOutcome, PrintState
from hardware.printer import ipp
from hardware.printer.queue import QueuedJob, QueueError, QueueHealth, QueuePrinter
from hardware.printer.windows_queue import WindowsQueue
from shared.clock import ManualClock, SystemClock

DATA = b"receipt"


@dataclass
class ScriptedQueue:
    """A job goes through the given states, one a look; the last one stays."""

    states: list[QueuedJob] = field(default_factory=lambda: [QueuedJob.DONE])
    after_withdrawal: QueuedJob = QueuedJob.WITHDRAWN
    trouble: QueueHealth = field(default_factory=lambda: QueueHealth(can_print=True))
    refuses: QueueError | None = None
    submitted: list[tuple[str, bytes]] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)

    def health(self, *, timeout_s: float) -> QueueHealth:
        return self.trouble

    def submit(self, data: bytes, *, title: str, timeout_s: float) -> int:
        if self.refuses:
            raise self.refuses
        self.submitted.append((title, data))
        return 7

    def look_at(self, job: int, *, timeout_s: float) -> QueuedJob:
        if self.withdrawn:
            return self.after_withdrawal
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def withdraw(self, job: int, *, timeout_s: float) -> None:
        self.withdrawn.append(job)


def print_on(queue: ScriptedQueue, deadline_s: float = 1.0) -> tuple[PrintOutcome, int]:
    """The outcome, and how many jobs were in the queue when the hook ran."""
    printer = QueuePrinter("printer", queue, SystemClock())
    printer.open()
    before: list[int] = []
    try:
        outcome = printer.print_job(
            DATA,
            deadline_s=deadline_s,
            before_first_byte=lambda: before.append(len(queue.submitted)),
        )
    finally:
        printer.close()
    return outcome, sum(before) if before else -1


def test_what_the_printer_took_is_sent_and_never_called_confirmed() -> None:
    queue = ScriptedQueue([QueuedJob.WAITING, QueuedJob.SENDING, QueuedJob.DONE])
    outcome, in_queue_before = print_on(queue, 5)
    assert outcome == PrintOutcome(PrintState.CONFIRMED_UNVERIFIED, len(DATA))
    assert (queue.submitted, in_queue_before) == ([("receipt", DATA)], 0)


def test_a_job_that_waits_until_the_deadline_is_taken_back_and_may_be_tried_again() -> None:
    queue = ScriptedQueue([QueuedJob.WAITING])
    outcome, _ = print_on(queue)
    assert (outcome.state, outcome.message_key) == (
        PrintState.FAILED_BEFORE_SEND,
        "devices.printer.queue-stands",
    )
    assert outcome.retry_after_s > 0
    assert queue.withdrawn == [7]


@pytest.mark.parametrize(
    "end", [QueuedJob.BROKEN_OFF, QueuedJob.SENDING, QueuedJob.WAITING, QueuedJob.DONE]
)
def test_a_job_that_could_not_be_taken_back_in_time_is_uncertain_or_done(end: QueuedJob) -> None:
    outcome, _ = print_on(ScriptedQueue([QueuedJob.SENDING], after_withdrawal=end))
    done = end is QueuedJob.DONE
    expected = PrintState.CONFIRMED_UNVERIFIED if done else PrintState.UNCERTAIN
    assert outcome.state is expected


def test_a_queue_that_stands_gets_nothing_and_says_why() -> None:
    stopped = QueueHealth(
        can_print=False, condition=Condition.OFFLINE, message_key="devices.printer.paper-out"
    )
    queue = ScriptedQueue(trouble=stopped)
    outcome, hook = print_on(queue)
    assert (outcome.state, outcome.message_key, hook) == (
        PrintState.FAILED_BEFORE_SEND,
        "devices.printer.paper-out",
        -1,
    )
    assert queue.submitted == []


@pytest.mark.parametrize(
    ("in_doubt", "state"),
    [(False, PrintState.FAILED_BEFORE_SEND), (True, PrintState.UNCERTAIN)],
)
def test_an_answer_that_is_lost_leaves_the_job_in_doubt(in_doubt: bool, state: PrintState) -> None:
    error = QueueError(Condition.TIMEOUT, "scripted", in_doubt=in_doubt)
    assert print_on(ScriptedQueue(refuses=error))[0].state is state


def test_a_pulse_that_waits_is_taken_back_and_told() -> None:
    queue = ScriptedQueue([QueuedJob.WAITING])
    printer = QueuePrinter("printer", queue, SystemClock())
    printer.open()
    with pytest.raises(DeviceError) as caught:
        printer.open_drawer(deadline_s=1.0)
    assert caught.value.condition is Condition.TIMEOUT
    assert queue.withdrawn == [7]
    printer.close()


def test_a_closed_queue_printer_says_so() -> None:
    printer = QueuePrinter("p", ScriptedQueue(), ManualClock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert printer.check_health(deadline_s=1).message_key == "devices.printer.closed"
    printer.open()
    assert printer.check_health(deadline_s=1).power is Power.UNKNOWN
    printer.close()


@pytest.mark.parametrize("cut", range(1, 30))
def test_an_answer_that_is_cut_off_is_refused(cut: int) -> None:
    whole = b"\x01\x01\x00\x00\x00\x00\x00\x01\x02\x21\x00\x06job-id\x00\x04\x00\x00\x00\x07\x03"
    assert ipp.read_answer(whole).number("job-id") == 7
    if cut < len(whole):
        with pytest.raises(ValueError, match="IPP"):
            ipp.read_answer(whole[:-cut])


class WindowsError(Exception):
    """As ``pywintypes.error``."""

    def __init__(self, winerror: int) -> None:
        super().__init__(winerror)
        self.winerror = winerror


@dataclass
class Win32Print:
    """As the functions of ``win32print`` that are used; not Windows itself."""

    status: int | None = 0x10
    printer: dict[str, int] = field(default_factory=lambda: {"Status": 0, "Attributes": 0})
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    fails_at: str = ""

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls.append((name, *arguments))
            if name == self.fails_at:
                raise WindowsError(5)
            if name == "GetJob" and self.status is None:
                raise WindowsError(87)
            return {
                "OpenPrinter": "handle",
                "StartDocPrinter": 7,
                "WritePrinter": len(arguments[-1]) if name == "WritePrinter" else 0,
                "GetJob": {"Status": self.status},
                "GetPrinter": self.printer,
            }.get(name)

        return call


def test_windows_gets_the_bytes_as_they_are_and_its_handle_back() -> None:
    spooler = Win32Print()
    assert WindowsQueue("POS-58", spooler).submit(DATA, title="receipt", timeout_s=1) == 7
    names = [call[0] for call in spooler.calls]
    assert names == [
        "OpenPrinter", "StartDocPrinter", "StartPagePrinter", "WritePrinter", "EndPagePrinter",
        "EndDocPrinter", "ClosePrinter",
    ]  # fmt: skip
    assert spooler.calls[1][3] == ("receipt", None, "RAW")
    assert spooler.calls[3][2] == DATA


@pytest.mark.parametrize(
    ("fails_at", "in_doubt"),
    [("OpenPrinter", False), ("StartDocPrinter", False), ("WritePrinter", True)],
)
def test_windows_leaves_a_job_in_doubt_from_the_first_byte_on(
    fails_at: str, in_doubt: bool
) -> None:
    with pytest.raises(QueueError) as caught:
        WindowsQueue("p", Win32Print(fails_at=fails_at)).submit(DATA, title="t", timeout_s=1)
    assert caught.value.in_doubt is in_doubt


@pytest.mark.parametrize(
    ("status", "withdrawn", "expected"),
    [
        (0x10, False, QueuedJob.SENDING),
        (0x00, False, QueuedJob.SENDING),
        (0x80, False, QueuedJob.DONE),
        (0x1000, False, QueuedJob.DONE),
        (None, False, QueuedJob.DONE),
        (None, True, QueuedJob.BROKEN_OFF),
        (0x104, False, QueuedJob.BROKEN_OFF),
    ],
)
def test_windows_job_states(status: int | None, withdrawn: bool, expected: QueuedJob) -> None:
    queue = WindowsQueue("p", Win32Print(status))
    if withdrawn:
        queue.withdraw(7, timeout_s=1)
    assert queue.look_at(7, timeout_s=1) is expected


@pytest.mark.parametrize(
    ("status", "attributes", "key"),
    [
        (0, 0, "mute"), (0x10, 0, "paper-out"), (0x400000, 0, "cover-open"), (1, 0, "queue-stands"),
        (0, 0x400, "offline"), (2, 0, "error"),
    ],
)  # fmt: skip
def test_windows_printer_states(status: int, attributes: int, key: str) -> None:
    spooler = Win32Print(printer={"Status": status, "Attributes": attributes})
    found = WindowsQueue("p", spooler).health(timeout_s=1)
    assert (found.can_print, found.message_key) == (key == "mute", f"devices.printer.{key}")


def test_without_windows_the_driver_is_missing() -> None:
    with pytest.raises(QueueError) as caught:
        WindowsQueue("p").health(timeout_s=1)
    assert caught.value.condition is Condition.NOSERVICE
