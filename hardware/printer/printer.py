"""A receipt printer with its drawer, behind the ports ``ReceiptPrinter`` and ``CashDrawer``."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from hardware.escpos import commands
from hardware.escpos.profile import Answers, Profile
from hardware.escpos.status import PrinterStatus
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
from hardware.printer.job import Job, Progress, failed, probe, trouble_key
from hardware.printer.transport import LinkError, Transport
from hardware.worker import Backoff, DeviceWorker
from shared.clock import Clock

CONNECT_TIMEOUT_S = 3.0
EARLY_SHARE = 0.1
"""The device's thread stops this share before the caller's deadline, to report what it knows."""
NUMBERS = 10_000


@dataclass(frozen=True, slots=True)
class DrawerPulse:
    """How the drawer is wired: connector pin 2 or 5, and how long the coil is driven."""

    pin: int = 2
    on_ms: int = 120
    off_ms: int = 240


class EscposPrinter:
    """Any ESC/POS printer on any transport. One connection per job, one job at a time."""

    def __init__(
        self,
        name: str,
        transport: Transport,
        profile: Profile,
        *,
        clock: Clock,
        drawer: DrawerPulse | None = None,
    ) -> None:
        self._name = name
        self._transport = transport
        self._profile = profile
        self._clock = clock
        self._drawer = drawer or DrawerPulse()
        self._worker = DeviceWorker(name)
        self._backoff = Backoff()
        # Not from 1: a late echo of the process before could be taken for this one's.
        self._numbers = count(secrets.randbelow(NUMBERS))
        self._has_answered = False
        self._has_confirmed = False
        self._owed = 1 if transport.keeps_answers else 0
        self._state = DeviceState.CLOSED

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    @property
    def state(self) -> DeviceState:
        """As of the last call."""
        return self._state

    def open(self) -> None:
        """Start its thread; connections are made per job."""
        self._worker.start()
        self._state = DeviceState.IDLE

    def close(self) -> None:
        """End its thread; jobs that wait end as FAILED_BEFORE_SEND."""
        self._worker.stop()
        self._state = DeviceState.CLOSED

    def print_job(
        self, data: bytes, *, deadline_s: float, before_first_byte: BeforeFirstByte
    ) -> PrintOutcome:
        """See ``ReceiptPrinter.print_job``."""
        deadline = self._clock.monotonic() + deadline_s * (1 - EARLY_SHARE)

        def work(progress: Progress) -> PrintOutcome:
            return self._print(data, progress, deadline, before_first_byte)

        return self._noted(in_time(self._worker, work, deadline_s=deadline_s, job_bytes=len(data)))

    def open_drawer(self, *, deadline_s: float) -> None:
        """See ``CashDrawer.open_drawer``."""
        pulse = commands.pulse(
            pin=self._drawer.pin, on_ms=self._drawer.on_ms, off_ms=self._drawer.off_ms
        )
        self._worker.run(lambda: self._send_pulse(pulse, deadline_s), deadline_s=deadline_s)

    def read_status(self, *, deadline_s: float) -> PrinterStatus:
        """What the printer says of itself now; DeviceError where it cannot be asked."""
        return self._worker.run(lambda: self._ask_status(deadline_s), deadline_s=deadline_s)

    def check_health(self, *, deadline_s: float) -> Health:
        """See ``Device.check_health``."""
        try:
            return self._worker.run(lambda: self._look(deadline_s), deadline_s=deadline_s)
        except DeviceError as error:
            closed = error.condition is Condition.CLOSED
            state = DeviceState.CLOSED if closed else DeviceState.BUSY
            key = f"devices.printer.{error.condition}"
            return Health(self._name, state, Power.UNKNOWN, key)

    # On the device's own thread

    def _print(
        self, data: bytes, progress: Progress, deadline: float, before_first_byte: BeforeFirstByte
    ) -> PrintOutcome:
        left = deadline - self._clock.monotonic()
        if left <= 0:
            return failed(Condition.BUSY)
        try:
            link = self._transport.connect(timeout_s=min(CONNECT_TIMEOUT_S, left))
        except LinkError as error:
            return failed(error.condition)
        job = Job(
            link=link,
            profile=self._profile,
            data=data,
            number=b"%04d" % (next(self._numbers) % NUMBERS),
            progress=progress,
            deadline=deadline,
            monotonic=self._clock.monotonic,
            has_answered=self._has_answered,
            has_confirmed=self._has_confirmed,
            owed=self._owed,
        )
        with link:
            outcome = job.run(before_first_byte)
        self._has_answered = job.has_answered
        self._has_confirmed = job.has_confirmed
        self._owed = job.owed if self._transport.keeps_answers else 0
        return outcome

    def _send_pulse(self, pulse: bytes, deadline_s: float) -> None:
        try:
            with self._transport.connect(timeout_s=min(CONNECT_TIMEOUT_S, deadline_s)) as link:
                link.send(pulse, timeout_s=deadline_s)
        except LinkError as error:
            raise DeviceError(error.condition, device=self._name, reason=str(error)) from error

    def _ask_status(self, deadline_s: float) -> PrinterStatus:
        try:
            with self._transport.connect(timeout_s=min(CONNECT_TIMEOUT_S, deadline_s)) as link:
                return probe(link, self._profile.ask_by)
        except LinkError as error:
            raise DeviceError(error.condition, device=self._name, reason=str(error)) from error

    def _look(self, deadline_s: float) -> Health:
        try:
            with self._transport.connect(timeout_s=min(CONNECT_TIMEOUT_S, deadline_s)) as link:
                if self._profile.answers is Answers.NEVER:
                    return self._health(DeviceState.IDLE, Power.UNKNOWN, "devices.printer.mute")
                found = probe(link, self._profile.ask_by)
        except LinkError as error:
            off = error.condition is Condition.NOHARDWARE
            power = Power.OFF if off else Power.UNKNOWN
            return self._health(DeviceState.ERROR, power, f"devices.printer.{error.condition}")
        self._has_answered = self._has_answered or found.is_known
        return self._judged(found)

    def _judged(self, found: PrinterStatus) -> Health:
        if found.can_print is False:
            return self._health(DeviceState.ERROR, Power.OFFLINE, trouble_key(found))
        if found.can_print is None:
            quiet = DeviceState.ERROR if self._has_answered else DeviceState.IDLE
            key = "devices.printer.silent" if self._has_answered else "devices.printer.mute"
            return self._health(quiet, Power.UNKNOWN, key)
        key = "devices.printer.paper-low" if found.is_paper_low else "devices.printer.ready"
        return self._health(DeviceState.IDLE, Power.ONLINE, key)

    def _health(self, state: DeviceState, power: Power, message_key: str) -> Health:
        self._state = state
        return Health(self._name, state, power, message_key)

    def _noted(self, outcome: PrintOutcome) -> PrintOutcome:
        """Remember how it went; a job that never left is given its waiting time."""
        if outcome.state is not PrintState.FAILED_BEFORE_SEND:
            self._backoff.succeeded()
            uncertain = outcome.state is PrintState.UNCERTAIN
            self._state = DeviceState.ERROR if uncertain else DeviceState.IDLE
            return outcome
        if outcome.condition is not Condition.CLOSED:
            self._state = DeviceState.ERROR
        return PrintOutcome(
            outcome.state, 0, outcome.condition, outcome.message_key, self._backoff.failed()
        )


def in_time(
    worker: DeviceWorker,
    work: Callable[[Progress], PrintOutcome],
    *,
    deadline_s: float,
    job_bytes: int,
) -> PrintOutcome:
    """Print on the device's thread; by the deadline there is an outcome, whatever the printer
    does."""
    progress = Progress()
    try:
        return worker.run(lambda: work(progress), deadline_s=deadline_s)
    except DeviceError as error:
        return _overdue(error.condition, progress, job_bytes)


def _overdue(condition: Condition, progress: Progress, job_bytes: int) -> PrintOutcome:
    """The caller's deadline passed before the device's thread came back."""
    if progress.withdraw():
        return failed(condition)
    sent = min(progress.bytes_sent, job_bytes)
    return PrintOutcome(PrintState.UNCERTAIN, sent, condition, "devices.printer.interrupted")
