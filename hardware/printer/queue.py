"""A printer behind a print queue of the system (CUPS, Windows), as a receipt printer.

A queue takes a job whole and hands it over by itself; the printer's own word never comes back. So
a job that left the queue is CONFIRMED_UNVERIFIED, and one that still waits at the deadline is
withdrawn, so that no receipt comes out an hour later unexpected.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event
from typing import Protocol

from hardware.escpos import commands
from hardware.ports import (
    BeforeFirstByte,
    Condition,
    DeviceError,
    DeviceState,
    Health,
    Power,
    PrintOutcome,
    PrintState,
)
from hardware.printer.job import Progress, failed
from hardware.printer.printer import EARLY_SHARE, DrawerPulse, in_time
from hardware.worker import Backoff, DeviceWorker
from shared.clock import Clock

POLL_S = 0.1
WITHDRAW_SHARE = 0.2
"""Of the deadline: the time that is left for taking a job back."""
RECEIPT_TITLE = "receipt"
DRAWER_TITLE = "drawer"


class QueueError(Exception):
    """The queue did not do what was asked. ``in_doubt``: the job may have got in all the same."""

    def __init__(self, condition: Condition, reason: str, *, in_doubt: bool = False) -> None:
        super().__init__(reason)
        self.condition = condition
        self.in_doubt = in_doubt


class QueuedJob(StrEnum):
    """Where a job of the queue stands."""

    WAITING = "waiting"
    """Its first byte has not left."""
    SENDING = "sending"
    """Bytes are leaving, or may be."""
    DONE = "done"
    """The printer took all of it."""
    WITHDRAWN = "withdrawn"
    """Taken back before its first byte."""
    BROKEN_OFF = "broken-off"
    """Ended after its first byte may have left."""


@dataclass(frozen=True, slots=True)
class QueueHealth:
    """What the system says of the queue: whether it takes jobs and prints, and why not."""

    can_print: bool
    condition: Condition | None = None
    message_key: str = "devices.printer.mute"


class PrintQueue(Protocol):
    """A raw queue of the system."""

    def health(self, *, timeout_s: float) -> QueueHealth:
        """How it is; QueueError where it cannot be asked."""
        ...

    def submit(self, data: bytes, *, title: str, timeout_s: float) -> int:
        """Put a job in; its number. QueueError where it is not in, or may not be."""
        ...

    def look_at(self, job: int, *, timeout_s: float) -> QueuedJob:
        """Where a job stands; QueueError where that cannot be told."""
        ...

    def withdraw(self, job: int, *, timeout_s: float) -> None:
        """Ask the system to take a job back; ``look_at`` tells whether that was in time."""
        ...


@dataclass(slots=True)
class QueuePrinter:
    """``ReceiptPrinter`` and ``CashDrawer`` over a queue. One job at a time."""

    name: str
    queue: PrintQueue
    clock: Clock
    drawer: DrawerPulse = field(default_factory=DrawerPulse)
    _worker: DeviceWorker = field(init=False)
    _backoff: Backoff = field(default_factory=Backoff)
    _pause: Event = field(default_factory=Event)
    state: DeviceState = DeviceState.CLOSED
    """As of the last call."""

    def __post_init__(self) -> None:
        self._worker = DeviceWorker(self.name)

    def open(self) -> None:
        """Start its thread; the system is asked per job."""
        self._pause.clear()
        self._worker.start()
        self.state = DeviceState.IDLE

    def close(self) -> None:
        """End its thread; jobs that wait end as FAILED_BEFORE_SEND."""
        self._pause.set()
        self._worker.stop()
        self.state = DeviceState.CLOSED

    def print_job(
        self, data: bytes, *, deadline_s: float, before_first_byte: BeforeFirstByte
    ) -> PrintOutcome:
        """See ``ReceiptPrinter.print_job``."""
        deadline = self.clock.monotonic() + deadline_s * (1 - EARLY_SHARE)
        reserve = deadline_s * WITHDRAW_SHARE

        def work(progress: Progress) -> PrintOutcome:
            return self._print(data, progress, deadline, reserve, before_first_byte)

        return self._noted(in_time(self._worker, work, deadline_s=deadline_s, job_bytes=len(data)))

    def open_drawer(self, *, deadline_s: float) -> None:
        """See ``CashDrawer.open_drawer``. A pulse that waits is withdrawn: a drawer that opens an
        hour later opens for nobody."""
        pulse = commands.pulse(
            pin=self.drawer.pin, on_ms=self.drawer.on_ms, off_ms=self.drawer.off_ms
        )
        self._worker.run(lambda: self._send_pulse(pulse, deadline_s), deadline_s=deadline_s)

    def check_health(self, *, deadline_s: float) -> Health:
        """See ``Device.check_health``."""
        try:
            found = self._worker.run(
                lambda: self.queue.health(timeout_s=deadline_s), deadline_s=deadline_s
            )
        except DeviceError as error:
            closed = error.condition is Condition.CLOSED
            state = DeviceState.CLOSED if closed else DeviceState.BUSY
            return Health(self.name, state, Power.UNKNOWN, f"devices.printer.{error.condition}")
        except QueueError as error:
            key = f"devices.printer.{error.condition}"
            return Health(self.name, DeviceState.ERROR, Power.UNKNOWN, key)
        if found.can_print:
            return Health(self.name, DeviceState.IDLE, Power.UNKNOWN, found.message_key)
        return Health(self.name, DeviceState.ERROR, Power.OFFLINE, found.message_key)

    # On the device's own thread

    def _print(
        self,
        data: bytes,
        progress: Progress,
        deadline: float,
        reserve: float,
        before_first_byte: BeforeFirstByte,
    ) -> PrintOutcome:
        try:
            found = self.queue.health(timeout_s=self._left(deadline - reserve))
        except QueueError as error:
            return failed(error.condition)
        if not found.can_print:
            return failed(found.condition or Condition.OFFLINE, found.message_key)
        if not (progress.commit(before_first_byte) and progress.begin_sending()):
            return failed(Condition.TIMEOUT)
        try:
            job = self.queue.submit(
                data, title=RECEIPT_TITLE, timeout_s=self._left(deadline - reserve)
            )
        except QueueError as error:
            return _uncertain(len(data), error) if error.in_doubt else failed(error.condition)
        progress.bytes_sent = len(data)
        return _outcome(self._follow(job, deadline, reserve), len(data))

    def _follow(self, job: int, deadline: float, reserve: float) -> QueuedJob:
        """Where the job stands when it has ended, or when the time is up and it was withdrawn."""
        found = self._look(job, deadline)
        while found in (QueuedJob.WAITING, QueuedJob.SENDING):
            if self.clock.monotonic() >= deadline - reserve or self._pause.wait(POLL_S):
                return self._take_back(job, deadline)
            found = self._look(job, deadline)
        return found

    def _take_back(self, job: int, deadline: float) -> QueuedJob:
        try:
            self.queue.withdraw(job, timeout_s=self._left(deadline))
        except QueueError:
            return QueuedJob.BROKEN_OFF
        found = self._look(job, deadline)
        return found if found is not QueuedJob.WAITING else QueuedJob.BROKEN_OFF

    def _look(self, job: int, deadline: float) -> QueuedJob:
        """A queue that cannot be asked any more may have sent everything."""
        try:
            return self.queue.look_at(job, timeout_s=self._left(deadline))
        except QueueError:
            return QueuedJob.BROKEN_OFF

    def _send_pulse(self, pulse: bytes, deadline_s: float) -> None:
        deadline = self.clock.monotonic() + deadline_s * (1 - EARLY_SHARE)
        try:
            job = self.queue.submit(pulse, title=DRAWER_TITLE, timeout_s=self._left(deadline))
        except QueueError as error:
            raise DeviceError(error.condition, device=self.name, reason=str(error)) from error
        if self._follow(job, deadline, deadline_s * WITHDRAW_SHARE) is not QueuedJob.DONE:
            raise DeviceError(Condition.TIMEOUT, device=self.name, reason="not taken in time")

    def _left(self, until: float) -> float:
        return max(POLL_S, until - self.clock.monotonic())

    def _noted(self, outcome: PrintOutcome) -> PrintOutcome:
        """Remember how it went; a job that never left is given its waiting time."""
        good = outcome.state is PrintState.CONFIRMED_UNVERIFIED
        if outcome.condition is not Condition.CLOSED:
            self.state = DeviceState.IDLE if good else DeviceState.ERROR
        if outcome.state is not PrintState.FAILED_BEFORE_SEND:
            self._backoff.succeeded()
            return outcome
        return PrintOutcome(
            outcome.state, 0, outcome.condition, outcome.message_key, self._backoff.failed()
        )


def _outcome(end: QueuedJob, size: int) -> PrintOutcome:
    if end is QueuedJob.DONE:
        return PrintOutcome(PrintState.CONFIRMED_UNVERIFIED, size)
    if end is QueuedJob.WITHDRAWN:
        return failed(Condition.TIMEOUT, "devices.printer.queue-stands")
    key = "devices.printer.interrupted"
    return PrintOutcome(PrintState.UNCERTAIN, size, Condition.TIMEOUT, key)


def _uncertain(size: int, error: QueueError) -> PrintOutcome:
    return PrintOutcome(PrintState.UNCERTAIN, size, error.condition, "devices.printer.interrupted")
