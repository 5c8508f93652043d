"""External payments: an attempt is written before the request leaves, and always ends visibly.

A wallet's gateway and a card terminal are asked in the same way, each by its name.

REQUESTED → APPROVED or DECLINED; without an answer in time UNKNOWN, then queried, then reversed. It
is never silently repeated or dropped. Refunds go the same way: a return books them, the gateway is
asked under an id that follows from the return, so that asking again gives nothing twice. What is
not over is listed at the sign-in and by the close.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import structlog

from desktop.services.books import Books
from desktop.store.payments import PaymentAttempt, open_payments
from desktop.store.tickets import OpenShift
from hardware.ports import (
    AttemptState,
    PaymentRequest,
    PaymentResult,
    PaymentTerminal,
    RefundRequest,
)
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.money import Currency, Money
from shared.trade.fact import TenderKind
from shared.trade.till import PaymentAttempted, PaymentState
from shared.trade.writing import Writing

PAY_DEADLINES_S = {TenderKind.WALLET: 30.0, TenderKind.CARD: 90.0}
"""A card's holder looks for it, types a PIN, and may try another one."""
QUERY_DEADLINE_S = 5.0
TRIES_MAX = 3

log = structlog.get_logger("payments")

_STATE = {
    AttemptState.APPROVED: PaymentState.APPROVED,
    AttemptState.DECLINED: PaymentState.DECLINED,
    AttemptState.UNKNOWN: PaymentState.UNKNOWN,
    AttemptState.REVERSED: PaymentState.REVERSED,
}


@dataclass(frozen=True, slots=True)
class PaymentProgress:
    """Where an attempt stands now; told from the payment's own thread."""

    attempt_id: str
    provider: str
    amount: int
    """Negative for a refund."""
    state: PaymentState
    reference: str = ""
    reason: str = ""
    is_final: bool = False
    kind: TenderKind = TenderKind.WALLET

    @property
    def is_refund(self) -> bool:
        """Whether money goes back."""
        return self.amount < 0


Tell = Callable[[PaymentProgress], None]


@dataclass(frozen=True, slots=True)
class PaymentsBy:
    """Who deals with payments, in which shift."""

    shift: OpenShift
    operator_id: OperatorId


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What every step of one attempt writes."""

    attempt_id: str
    by: PaymentsBy
    provider: str
    amount: int
    refund_of: str = ""


Step = Callable[[_Attempt, Tell], None]


class Payments:
    """Payments and refunds through what is attached: a wallet's gateway, a card terminal."""

    def __init__(
        self,
        books: Books,
        attached: Mapping[TenderKind, PaymentTerminal],
        *,
        currency: str,
        executor: Executor,
        background: Executor,
    ) -> None:
        self._books = books
        self._by_kind = dict(attached)
        self._by_name = {one.name: (kind, one) for kind, one in attached.items()}
        self._currency = currency
        self._executor = executor
        self._background = background
        """For what nobody at the till waits for: it must not hold up a payment or the drawer."""
        self._lock = threading.Lock()
        self._paying: set[str] = set()
        """Attempts of the basket on the screen that are on their way."""
        self._asking: set[str] = set()
        """Older ones that somebody finds out about right now."""

    def takes(self, kind: TenderKind) -> bool:
        """Whether this till asks somebody for such a payment; else it is only written down."""
        return kind in self._by_kind

    def reaches(self, provider: str) -> bool:
        """Whether this till can ask the one that a payment was made with."""
        return provider in self._by_name

    def kind_of(self, provider: str) -> TenderKind:
        """As what a payment by a provider settles a sale; a wallet's where it is not attached."""
        kind, _ = self._by_name.get(provider, (TenderKind.WALLET, None))
        return kind

    def _terminal(self, provider: str) -> PaymentTerminal:
        if provider not in self._by_name:
            raise DomainError("no-wallet")
        return self._by_name[provider][1]

    def begin(
        self,
        by: PaymentsBy,
        *,
        amount: int,
        payer_code: str = "",
        tell: Tell,
        kind: TenderKind = TenderKind.WALLET,
    ) -> PaymentProgress:
        """Write the attempt, then ask for the money on a thread of its own.

        Raises DomainError ``no-wallet`` on a till without a gateway for it.
        """
        if kind not in self._by_kind:
            raise DomainError("no-wallet")
        attempt = _Attempt(self._books.new_id(), by, self._by_kind[kind].name, amount)
        progress = self._write(attempt, PaymentState.REQUESTED)
        request = PaymentRequest(attempt.attempt_id, self._money(amount), payer_code)
        self._start(
            attempt, lambda one, told: self._pay(one, request, told), tell, among=self._paying
        )
        return progress

    def cancel(self, running: PaymentProgress) -> None:
        """Ask whoever takes a payment to stop; nobody waits, and what became of it is told as ever.

        Nothing is written: until its provider has said so, a payment is not over.
        """
        terminal, one = self._terminal(running.provider), running.attempt_id

        def ask() -> None:
            try:
                terminal.cancel(one, deadline_s=QUERY_DEADLINE_S)
            except Exception:
                # The edge of this thread: the payment itself is still waited for elsewhere.
                log.exception("payment-bug", attempt_id=one)

        self._background.submit(ask)

    def outstanding(self, *, taken: Collection[str] = ()) -> list[PaymentAttempt]:
        """What is not over, oldest first, without what the basket on the screen is paid with."""
        with self._books.reading() as connection:
            found = open_payments(connection)
        with self._lock:
            not_left = self._paying.union(taken)
        return [one for one in found if one.attempt_id not in not_left]

    def is_asking(self, attempt_id: str) -> bool:
        """Whether an answer about it is waited for."""
        with self._lock:
            return attempt_id in self._asking

    def ask_again(
        self, by: PaymentsBy, tell: Tell, *, taken: Collection[str] = ()
    ) -> list[PaymentAttempt]:
        """Find out about everything that is not over, in the background; what was asked for.

        An approved payment stays approved: whether it pays for a sale or goes back, a person says.
        """
        asked = [
            one
            for one in self.outstanding(taken=taken)
            if self.reaches(one.provider)
            and (one.is_refund or one.state is not PaymentState.APPROVED)
        ]
        for found in asked:
            step = self._refund if found.is_refund else self._settle_unknown
            self._start(_of(found, by), step, tell, among=self._asking)
        return asked

    def give_back(self, found: PaymentAttempt, by: PaymentsBy, tell: Tell) -> None:
        """Reverse a payment that no sale takes, in the background.

        From here on the journal calls it unknown, so that no sale can take it meanwhile, not even
        after a crash. DomainError ``no-wallet`` where its provider cannot be asked.
        """
        if not self.reaches(found.provider):
            raise DomainError("no-wallet")
        attempt = _of(found, by)
        self._write(attempt, PaymentState.UNKNOWN, reference=found.reference)
        self._start(attempt, self._reverse, tell, among=self._asking)

    def ended(self, found: PaymentAttempt, by: PaymentsBy) -> Writing:
        """The fact that a refund will not be given by its provider; for who gives it otherwise."""
        return self._writing(_of(found, by), PaymentState.REVERSED, reference=found.reference)

    def _start(self, attempt: _Attempt, step: Step, tell: Tell, *, among: set[str]) -> None:
        with self._lock:
            if attempt.attempt_id in among:
                return
            among.add(attempt.attempt_id)

        def run() -> None:
            try:
                step(attempt, tell)
            except Exception:
                # The edge of this thread. Not even written down: the journal has it as asked for,
                # and it is listed as open.
                log.exception("payment-unwritten", attempt_id=attempt.attempt_id)
                self._forget(attempt)
                tell(self._progress(attempt, PaymentState.UNKNOWN, is_final=True))

        (self._executor if among is self._paying else self._background).submit(run)

    def _forget(self, attempt: _Attempt) -> None:
        with self._lock:
            self._paying.discard(attempt.attempt_id)
            self._asking.discard(attempt.attempt_id)

    # Steps, each on a thread of its own

    def _pay(self, attempt: _Attempt, request: PaymentRequest, tell: Tell) -> None:
        terminal = self._terminal(attempt.provider)
        deadline_s = PAY_DEADLINES_S[self.kind_of(attempt.provider)]
        result = _answer(attempt, lambda: terminal.pay(request, deadline_s=deadline_s))
        if result.state is not AttemptState.UNKNOWN:
            self._end(attempt, result, tell)
            return
        tell(self._write_result(attempt, result, is_final=False))
        self._settle_unknown(attempt, tell)

    def _settle_unknown(self, attempt: _Attempt, tell: Tell) -> None:
        """Query; where that tells nothing, reverse, so that the customer pays once at most."""
        terminal, one = self._terminal(attempt.provider), attempt.attempt_id
        result = _repeated(attempt, lambda: terminal.query(one, deadline_s=QUERY_DEADLINE_S))
        if result.state is AttemptState.UNKNOWN:
            self._reverse(attempt, tell)
        else:
            self._end(attempt, result, tell)

    def _reverse(self, attempt: _Attempt, tell: Tell) -> None:
        terminal, one = self._terminal(attempt.provider), attempt.attempt_id
        result = _answer(attempt, lambda: terminal.reverse(one, deadline_s=QUERY_DEADLINE_S))
        if result.state is not AttemptState.REVERSED:
            # Refused or no answer: the money may still be ours, so it stays on the list.
            result = replace(result, state=AttemptState.UNKNOWN)
        self._end(attempt, result, tell)

    def _refund(self, attempt: _Attempt, tell: Tell) -> None:
        terminal = self._terminal(attempt.provider)
        request = RefundRequest(attempt.attempt_id, attempt.refund_of, self._money(-attempt.amount))
        result = _repeated(attempt, lambda: terminal.refund(request, deadline_s=QUERY_DEADLINE_S))
        self._end(attempt, result, tell)

    def _end(self, attempt: _Attempt, result: PaymentResult, tell: Tell) -> None:
        # Over for this thread, whether or not the answer is the last one: it may be asked again.
        progress = self._write_result(attempt, result, is_final=True)
        self._forget(attempt)
        tell(progress)

    # The journal

    def _money(self, minor: int) -> Money:
        return Money(minor, Currency(self._currency))

    def _write_result(
        self, attempt: _Attempt, result: PaymentResult, *, is_final: bool
    ) -> PaymentProgress:
        return self._write(
            attempt,
            _STATE[result.state],
            reference=result.reference,
            reason=result.reason,
            is_final=is_final,
        )

    def _write(
        self,
        attempt: _Attempt,
        state: PaymentState,
        *,
        reference: str = "",
        reason: str = "",
        is_final: bool = False,
    ) -> PaymentProgress:
        self._books.record(self._writing(attempt, state, reference=reference))
        log.info("payment", attempt_id=attempt.attempt_id, state=state.value)
        return self._progress(attempt, state, reference=reference, reason=reason, is_final=is_final)

    def _progress(
        self,
        attempt: _Attempt,
        state: PaymentState,
        *,
        reference: str = "",
        reason: str = "",
        is_final: bool = False,
    ) -> PaymentProgress:
        return PaymentProgress(
            attempt_id=attempt.attempt_id,
            provider=attempt.provider,
            amount=attempt.amount,
            state=state,
            reference=reference,
            reason=reason,
            is_final=is_final,
            kind=self.kind_of(attempt.provider),
        )

    def _writing(self, attempt: _Attempt, state: PaymentState, *, reference: str) -> Writing:
        fact = PaymentAttempted(
            attempt_id=attempt.attempt_id,
            shift_id=attempt.by.shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=attempt.by.operator_id,
            currency=self._currency,
            provider=attempt.provider,
            amount=attempt.amount,
            state=state,
            reference=reference,
        )
        return Writing(fact, business_date=attempt.by.shift.business_date)


def _of(found: PaymentAttempt, by: PaymentsBy) -> _Attempt:
    return _Attempt(found.attempt_id, by, found.provider, found.amount, found.refund_of or "")


def _repeated(attempt: _Attempt, ask: Callable[[], PaymentResult]) -> PaymentResult:
    """Ask until something is known, a few times."""
    result = _answer(attempt, ask)
    for _ in range(TRIES_MAX - 1):
        if result.state is not AttemptState.UNKNOWN:
            break
        result = _answer(attempt, ask)
    return result


def _answer(attempt: _Attempt, ask: Callable[[], PaymentResult]) -> PaymentResult:
    """What the gateway says; a driver that breaks said nothing, and money may have moved."""
    try:
        return ask()
    except Exception:
        # The edge of this thread: whatever happens here, the cashier must be told something.
        log.exception("payment-bug", attempt_id=attempt.attempt_id)
        return PaymentResult(attempt.attempt_id, AttemptState.UNKNOWN)
