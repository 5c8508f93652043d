"""Has sales and returns signed by a fiscal device, while nobody at the till waits for it.

A transaction begins when the basket opens; the ticket is written as always, and signed after its
commit on a thread of its own. What the device answered, or that it did not, is an entry that names
the ticket. What has no signature is tried again, also after a restart (docs/adr/0059).
"""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

import structlog

from desktop.services.books import Books
from desktop.store import fiscal as kept
from desktop.store.fiscal import FiscalTicket
from desktop.store.journal import read_chained
from hardware.fiscal.port import FiscalDevice, FiscalSignature, FiscalStart
from hardware.ports import Condition, DeviceError, DeviceState, Health, Power
from hardware.worker import Backoff
from shared.ids import EntryId
from shared.journal.chain import ChainedEntry
from shared.trade.fact import FiscalOutcome
from shared.trade.fiscal import FiscalRecorded, FiscalState, Ticket, fiscal_data
from shared.trade.kinds import read_fact
from shared.trade.writing import Writing

DEADLINE_S: Final = 4.0
"""Makers of German devices advise three to five seconds (developer.fiskaly.com, time-outs)."""
PAPER_WAITS_S: Final = 2.0
BATCH: Final = 50
CANCELLED: Final = b'{"kind":"cancelled"}'
REFUSED: Final = "refused"
_FAILURES: Final = {
    Condition.NOHARDWARE: "offline",
    Condition.TIMEOUT: "timeout",
    Condition.ILLEGAL: REFUSED,
}

Work = Callable[[], None]
Answer = TypeVar("Answer")
log = structlog.get_logger("fiscal")


@dataclass(slots=True)
class _Basket:
    """The transaction of one basket; ``start`` comes from the device's thread, or never."""

    start: FiscalStart | None = None
    is_over: bool = False
    """Sold or given up: what was not begun by now need not be."""


class Fiscal:
    """What the till does about its fiscal device; does nothing at all where there is none."""

    def __init__(
        self,
        books: Books,
        device: FiscalDevice | None,
        *,
        paper_waits_s: float = PAPER_WAITS_S,
        backoff: Backoff | None = None,
        on_health: Callable[[Health], None] = lambda _health: None,
    ) -> None:
        self._books = books
        self._device = device
        self._paper_waits_s = paper_waits_s
        self._backoff = backoff or Backoff()
        self._on_health = on_health
        self._failure = ""
        """Of the last call; empty where it was answered."""
        self._basket: _Basket | None = None
        self._sold: dict[EntryId, _Basket] = {}
        """Tickets of this run whose transaction was begun with their basket."""
        self._work: deque[Work] = deque()
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fiscal", daemon=True)

    # For the sale path: each returns at once

    def basket_opened(self) -> None:
        """The first goods are in a basket."""
        if self._device is not None and self._basket is None:
            self._basket = basket = _Basket()
            self._do(lambda: self._begin(basket))

    def basket_over(self) -> None:
        """The basket came to nothing: the device is told, so that it keeps none open."""
        basket, self._basket = self._basket, None
        if basket is not None:
            basket.is_over = True
            self._do(lambda: self._cancel(basket))

    def outcome(self) -> FiscalOutcome | None:
        """What a ticket that is written now says: None without a device, else how it is known to
        fail; empty where the signature follows."""
        return None if self._device is None else FiscalOutcome(failure=self._failure)

    def written(self, entry_id: EntryId, *, of_basket: bool = True) -> None:
        """A ticket's commit has returned."""
        if self._device is None:
            return
        if of_basket:
            basket, self._basket = self._basket, None
            if basket is not None:
                basket.is_over = True
                self._sold[entry_id] = basket
        self._wake.set()

    def _do(self, work: Work) -> None:
        self._work.append(work)
        self._wake.set()

    # For paper and screens

    def wait_for(self, entry_id: EntryId) -> None:
        """Give the device a moment before a receipt is printed; none where it is known to fail."""
        if self._device is None:
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._is_promising(entry_id), self._paper_waits_s)

    def _is_promising(self, entry_id: EntryId) -> bool:
        if self._closing.is_set():
            return False
        with self._books.reading() as connection:
            found = kept.fiscal_ticket(connection, entry_id)
        return found is not None and found.state == kept.WAITING

    def unsigned(self) -> int:
        """How many receipts of this till have no signature."""
        with self._books.reading() as connection:
            return kept.count_unsigned(connection)

    # The thread

    def start(self) -> None:
        """Begin with what an earlier run has left unsigned."""
        if self._device is not None:
            self._thread.start()
            self._wake.set()

    def close(self) -> None:
        """Finish the call at hand and stop; what is unsigned stays so and is tried again."""
        self._closing.set()
        self._wake.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        retry_s: float | None = None
        while not self._closing.is_set():
            self._wake.wait(retry_s)
            self._wake.clear()
            try:
                retry_s = self.work()
            except Exception:
                # The edge of this thread: receipts stay unsigned, visibly, and are tried again.
                log.exception("fiscal-bug")
                retry_s = self._backoff.failed()

    def work(self) -> float | None:
        """Do what waits; seconds until the next try where the device fails, None when all is done.

        Baskets come first, for the device's numbers follow the order at the till.
        """
        while self._work and not self._closing.is_set():
            self._work.popleft()()
        refused: dict[EntryId, FiscalTicket] = {}
        while found := self._next(refused):
            for ticket in found:
                if self._closing.is_set():
                    return None
                if self._sign(ticket):
                    continue
                if self._failure != REFUSED:
                    self._tell_failure(found, self._failure)
                    return self._backoff.failed()
                # It works, and will not sign this one now: the others are not to wait for it.
                refused[ticket.entry_id] = ticket
        self._tell_failure(refused.values(), REFUSED)
        return self._backoff.failed() if refused else None

    def _next(self, refused: Collection[EntryId]) -> list[FiscalTicket]:
        """The oldest that are unsigned and were not refused just now."""
        with self._books.reading() as connection:
            found = kept.unsigned(connection, BATCH + len(refused))
        return [one for one in found if one.entry_id not in refused]

    def _begin(self, basket: _Basket) -> None:
        device = self._device
        assert device is not None
        if basket.is_over:
            # A device that was away would count through all baskets of that time.
            return
        basket.start = self._asked(lambda: device.begin(deadline_s=DEADLINE_S))

    def _cancel(self, basket: _Basket) -> None:
        device, start = self._device, basket.start
        assert device is not None
        if start is not None:
            about = f"cancelled-{start.number}"
            self._asked(
                lambda: device.finish(start.number, about, CANCELLED, deadline_s=DEADLINE_S)
            )

    def _asked(self, ask: Callable[[], Answer]) -> Answer | None:
        try:
            answer = ask()
        except DeviceError as error:
            self._fare(_FAILURES.get(error.condition, "failure"), error.condition.value)
            return None
        self._fare("", "ready")
        self._backoff.succeeded()
        return answer

    def _fare(self, failure: str, said: str) -> None:
        """Whether the device works: told when that changes, for the cashier should know."""
        before, self._failure = self._failure, failure
        if before == failure or self._device is None:
            return
        log.warning("fiscal-device", failure=failure)
        state = DeviceState.ERROR if failure else DeviceState.IDLE
        power = Power.OFFLINE if failure else Power.ONLINE
        said = "refused" if said == Condition.ILLEGAL else said
        self._on_health(Health(self._device.name, state, power, f"devices.asked.{said}"))

    def _sign(self, ticket: FiscalTicket) -> bool:
        """Have one ticket signed and write it down; False where the device has no answer."""
        with self._books.reading() as connection:
            chained = read_chained(connection, ticket.entry_id)
        fact = read_fact(chained.envelope)
        assert isinstance(fact, Ticket)
        data = fiscal_data(fact, chained.hash)
        signature = self._asked(lambda: self._signature(ticket.entry_id, data))
        if signature is None:
            return False
        self._write(chained, _signed(fact, ticket.entry_id, signature))
        self._sold.pop(ticket.entry_id, None)
        return True

    def _signature(self, entry_id: EntryId, data: bytes) -> FiscalSignature:
        device, basket = self._device, self._sold.get(entry_id)
        assert device is not None
        if basket is not None and basket.start is not None:
            number = basket.start.number
            try:
                return device.finish(number, entry_id, data, deadline_s=DEADLINE_S)
            except DeviceError as error:
                if error.condition is not Condition.ILLEGAL:
                    raise
                # A device that was changed or restarted meanwhile: it may sign all the same.
                log.warning("fiscal-not-finished", number=number)
        return device.sign(entry_id, data, deadline_s=DEADLINE_S)

    def _tell_failure(self, found: Iterable[FiscalTicket], failure: str) -> None:
        """Once for each ticket that does not say so itself: paper and head office can see it."""
        for one in found:
            with self._books.reading() as connection:
                ticket = kept.fiscal_ticket(connection, one.entry_id)
                if ticket is None or ticket.state != kept.WAITING:
                    continue
                chained = read_chained(connection, ticket.entry_id)
            fact = read_fact(chained.envelope)
            assert isinstance(fact, Ticket)
            self._write(
                chained,
                FiscalRecorded(
                    of_entry=ticket.entry_id,
                    receipt_no=fact.receipt_no,
                    till_id=fact.till_id,
                    state=FiscalState.FAILED,
                    failure=failure,
                ),
            )

    def _write(self, chained: ChainedEntry, fact: FiscalRecorded) -> None:
        envelope = chained.envelope
        self._books.record(
            Writing(fact, business_date=_day(envelope.business_date), depends_on=(envelope.id,))
        )
        log.info("fiscal", state=fact.state.value, failure=fact.failure)
        with self._changed:
            self._changed.notify_all()


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _signed(fact: Ticket, entry_id: EntryId, signature: FiscalSignature) -> FiscalRecorded:
    return FiscalRecorded(
        of_entry=entry_id,
        receipt_no=fact.receipt_no,
        till_id=fact.till_id,
        state=FiscalState.SIGNED,
        device=signature.serial,
        number=signature.number,
        counter=signature.counter,
        started_at=signature.started_at,
        finished_at=signature.finished_at,
        algorithm=signature.algorithm,
        signature=signature.signature,
        public_key=signature.public_key,
    )
