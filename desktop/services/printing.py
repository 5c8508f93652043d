"""The spooler: prints what sales have queued, never an original twice.

A job leaves QUEUED by a commit made right before its first byte; from then on a crash means
UNCERTAIN, and the cashier decides. It is tried again by itself only if no byte was sent.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog

from desktop.services.books import Books
from desktop.store import print_jobs
from desktop.store.loose_papers import LoosePaper, read_paper
from desktop.store.print_jobs import JobState, PrintJob
from desktop.store.tickets import open_shift
from desktop.store.writer import Transaction, Urgency
from hardware.ports import PrintState, ReceiptPrinter
from shared.ids import EntryId, OperatorId
from shared.receipt.document import Document
from shared.trade.till import ReceiptReprinted
from shared.trade.writing import Writing

Render = Callable[[PrintJob], bytes]
"""Makes the printer's bytes of a job from the entry it names."""

DEADLINE_S = 30.0
CLOSE_WAIT_S = 3.0
"""How long a till that is closed waits for the job at hand; a printer may stall much longer."""
NOT_SENT = frozenset({JobState.QUEUED, JobState.FAILED_BEFORE_SEND})
RETRY_S = 2.0

_END = {
    PrintState.CONFIRMED: JobState.CONFIRMED,
    PrintState.CONFIRMED_UNVERIFIED: JobState.CONFIRMED_UNVERIFIED,
    PrintState.UNCERTAIN: JobState.UNCERTAIN,
    PrintState.FAILED_BEFORE_SEND: JobState.FAILED_BEFORE_SEND,
}


class Abandoned(Exception):
    """The till was closed while this thread waited for a printer: its files are no longer ours."""


log = structlog.get_logger("printing")


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """What the top bar says about the printer."""

    message_key: str
    """Empty while all is well."""
    uncertain: int
    waiting: int


class Spooler:
    """Prints queued jobs on a thread of its own."""

    def __init__(
        self,
        books: Books,
        printer: ReceiptPrinter,
        render: Render,
        *,
        on_status: Callable[[PrinterStatus], None] = lambda _status: None,
    ) -> None:
        self._books = books
        self._printer = printer
        self._render = render
        self._on_status = on_status
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._idle = threading.Event()
        self._waking = threading.Lock()
        """Held so that nobody is told of idleness after a wake-up that was not looked at yet."""
        self._at_work = threading.Lock()
        """Held while the till's files are used: they are closed between two uses, not amid one."""
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, name="spooler", daemon=True)

    def start(self) -> None:
        """Doubt what was being sent when the till last died, then print what waits."""
        self._books.change(lambda transaction: print_jobs.doubt_interrupted(transaction.connection))
        self._thread.start()
        self.wake()

    def wake(self) -> None:
        """There may be something to print."""
        with self._waking:
            self._idle.clear()
            self._wake.set()

    def close(self) -> None:
        """Finish the job at hand and stop; a job that a stalled printer holds is left as it is in
        the file, SENDING, and is doubted at the next start."""
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WAIT_S)
        with self._at_work:
            self._abandoned = True

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until nothing more can be printed now; for the close of a day and the demo."""
        return self._idle.wait(timeout_s)

    def _run(self) -> None:
        with suppress(Abandoned):
            self._serve()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            retry_s = self._print_all()
            if retry_s is None:
                with self._waking:
                    if not self._wake.is_set():
                        self._idle.set()
            elif not self._closing.wait(retry_s):
                self._wake.set()

    def _print_all(self) -> float | None:
        """Print until nothing waits (None) or the printer refuses (seconds until the next try)."""
        while not self._closing.is_set():
            with self._using_files(), self._books.reading() as connection:
                job = print_jobs.next_to_print(connection)
            if job is None:
                self._tell("")
                return None
            if retry_s := self.print_one(job):
                return retry_s
        return None

    def print_one(self, job: PrintJob) -> float:
        """Print one job; seconds to wait before the next try, 0 when it is done or uncertain."""
        try:
            data = self._render(job)
        except Exception:
            # The edge of this thread: one paper that cannot be made must not stop all others. The
            # cashier is told, and may ask for a copy.
            log.exception("print-job-not-rendered", job_id=job.job_id)
            self._move(job, NOT_SENT, JobState.UNCERTAIN, "not-rendered")
            self._tell("")
            return 0.0
        outcome = self._printer.print_job(
            data,
            deadline_s=DEADLINE_S,
            before_first_byte=lambda: self._move(job, NOT_SENT, JobState.SENDING),
        )
        end = _END[outcome.state]
        states = NOT_SENT | {JobState.SENDING}
        reason = outcome.condition.value if outcome.condition else ""
        self._move(job, states, end, reason)
        log.info("print-job", job_id=job.job_id, state=end.value, reason=reason)
        self._tell(outcome.message_key)
        if end is not JobState.FAILED_BEFORE_SEND:
            return 0.0
        return outcome.retry_after_s or RETRY_S

    def _move(
        self, job: PrintJob, states: frozenset[JobState], to: JobState, reason: str = ""
    ) -> None:
        with self._using_files():
            self._books.change(
                lambda transaction: print_jobs.move(
                    transaction.connection, job.job_id, from_states=states, to=to, reason=reason
                ),
                Urgency.SALE,
            )

    @contextmanager
    def _using_files(self) -> Iterator[None]:
        with self._at_work:
            if self._abandoned:
                raise Abandoned
            yield

    def status(self, message_key: str = "") -> PrinterStatus:
        """What waits and what is uncertain."""
        with self._books.reading() as connection:
            waiting = print_jobs.next_to_print(connection) is not None
            return PrinterStatus(
                message_key, len(print_jobs.uncertain(connection)), 1 if waiting else 0
            )

    def _tell(self, message_key: str) -> None:
        with self._using_files():
            status = self.status(message_key)
        self._on_status(status)


class Copies:
    """What a cashier does about paper: copies, and decisions on uncertain jobs."""

    def __init__(self, books: Books, *, wake: Callable[[], None]) -> None:
        self._books = books
        self._wake = wake

    def uncertain(self) -> list[PrintJob]:
        """Jobs of which nobody knows whether they came out."""
        with self._books.reading() as connection:
            return print_jobs.uncertain(connection)

    def loose_paper(self, job: PrintJob) -> LoosePaper | None:
        """The paper of a job that no entry stands behind."""
        with self._books.reading() as connection:
            return read_paper(connection, job.entry_id)

    def print_paper(self, document: Document, title: str) -> None:
        """Queue a paper that no entry stands behind; ``title`` is the message key of its name."""
        self._books.change(
            lambda transaction: print_jobs.queue_paper(
                transaction.connection,
                job_id=self._books.new_id(),
                paper_id=self._books.new_id(),
                title=title,
                document=document,
                language=self._books.paper_language,
            ),
            Urgency.SALE,
        )
        self._wake()

    def settle(self, job: PrintJob) -> None:
        """The cashier saw the paper."""
        self._books.change(
            lambda transaction: print_jobs.move(
                transaction.connection,
                job.job_id,
                from_states=frozenset({JobState.UNCERTAIN}),
                to=JobState.SETTLED,
                reason="seen",
            )
        )

    def print_copy(self, entry_id: EntryId, receipt_no: str, operator_id: OperatorId) -> int:
        """Queue a copy, marked as such; returns its number.

        The journal notes it where what is copied is an entry's.
        """

        with self._books.reading() as connection:
            shift = open_shift(connection)

        def work(transaction: Transaction) -> int:
            copy = print_jobs.queue_copy(
                transaction.connection,
                job_id=self._books.new_id(),
                entry_id=entry_id,
                language=self._books.paper_language,
            )
            if read_paper(transaction.connection, entry_id) is not None:
                return copy
            fact = ReceiptReprinted(
                shift_id=shift.shift_id if shift else None,
                till_id=self._books.identity.till_id,
                operator_id=operator_id,
                of_entry=entry_id,
                receipt_no=receipt_no,
                copy=copy,
            )
            day = shift.business_date if shift else None
            self._books.append(transaction, Writing(fact, business_date=day))
            return copy

        copy = self._books.writer.run(work)
        self._wake()
        return copy
