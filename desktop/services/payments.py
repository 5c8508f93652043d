"""External payments: an attempt is written before the request leaves, and always ends visibly.

REQUESTED → APPROVED or DECLINED; without an answer in time UNKNOWN, then queried, then reversed. It
is never silently repeated or dropped: what stays UNKNOWN is listed by the close.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from desktop.services.books import Books
from desktop.store.tickets import OpenShift, PaymentAttempt, open_payments
from hardware.ports import AttemptState, PaymentRequest, PaymentResult, WalletGateway
from shared.ids import OperatorId
from shared.money import Currency, Money
from shared.trade.till import PaymentAttempted, PaymentState
from shared.trade.writing import Writing

PAY_DEADLINE_S = 30.0
QUERY_DEADLINE_S = 5.0
QUERIES_MAX = 3

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
    state: PaymentState
    reference: str = ""
    reason: str = ""
    is_final: bool = False


Tell = Callable[[PaymentProgress], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What every step of one attempt writes."""

    attempt_id: str
    shift: OpenShift
    operator_id: OperatorId
    provider: str
    amount: int


class Payments:
    """Wallet payments through a gateway port."""

    def __init__(
        self, books: Books, gateway: WalletGateway, *, currency: str, executor: Executor
    ) -> None:
        self._books = books
        self._gateway = gateway
        self._currency = currency
        self._executor = executor

    def begin(
        self, shift: OpenShift, operator_id: OperatorId, *, amount: int, payer_code: str, tell: Tell
    ) -> PaymentProgress:
        """Write the attempt, then ask for the money on a thread of its own."""
        attempt = Attempt(self._books.new_id(), shift, operator_id, self._gateway.name, amount)
        progress = self._write(attempt, PaymentState.REQUESTED)
        request = PaymentRequest(
            attempt.attempt_id, Money(amount, Currency(self._currency)), payer_code
        )
        self._executor.submit(self._ask, attempt, request, tell)
        return progress

    def _ask(self, attempt: Attempt, request: PaymentRequest, tell: Tell) -> None:
        gateway = self._gateway
        result = _answer(attempt, lambda: gateway.pay(request, deadline_s=PAY_DEADLINE_S))
        if result.state is not AttemptState.UNKNOWN:
            tell(self._write_result(attempt, result, is_final=True))
            return
        tell(self._write_result(attempt, result, is_final=False))
        tell(self._write_result(attempt, self._find_out(attempt), is_final=True))

    def _find_out(self, attempt: Attempt) -> PaymentResult:
        """Query; where that tells nothing, reverse, so that the customer pays once at most."""
        gateway, one = self._gateway, attempt.attempt_id
        for _ in range(QUERIES_MAX):
            result = _answer(attempt, lambda: gateway.query(one, deadline_s=QUERY_DEADLINE_S))
            if result.state is not AttemptState.UNKNOWN:
                return result
        return _answer(attempt, lambda: gateway.reverse(one, deadline_s=QUERY_DEADLINE_S))

    def resolve_open(self, shift: OpenShift, operator_id: OperatorId) -> list[PaymentProgress]:
        """Ask again about attempts that never ended (after a crash, before a close)."""
        with self._books.reading() as connection:
            attempts = open_payments(connection)
        return [self._resolve(found, shift, operator_id) for found in attempts]

    def _resolve(
        self, found: PaymentAttempt, shift: OpenShift, operator_id: OperatorId
    ) -> PaymentProgress:
        attempt = Attempt(found.attempt_id, shift, operator_id, found.provider, found.amount)
        # Approved, but no sale took it: the customer's money goes back.
        gateway, one = self._gateway, attempt.attempt_id
        result = _answer(attempt, lambda: gateway.reverse(one, deadline_s=QUERY_DEADLINE_S))
        return self._write_result(attempt, result, is_final=True)

    def _write_result(
        self, attempt: Attempt, result: PaymentResult, *, is_final: bool
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
        attempt: Attempt,
        state: PaymentState,
        *,
        reference: str = "",
        reason: str = "",
        is_final: bool = False,
    ) -> PaymentProgress:
        fact = PaymentAttempted(
            attempt_id=attempt.attempt_id,
            shift_id=attempt.shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=attempt.operator_id,
            currency=self._currency,
            provider=attempt.provider,
            amount=attempt.amount,
            state=state,
            reference=reference,
        )
        self._books.record(Writing(fact, business_date=attempt.shift.business_date))
        log.info("payment", attempt_id=attempt.attempt_id, state=state.value)
        return PaymentProgress(
            attempt_id=attempt.attempt_id,
            provider=attempt.provider,
            amount=attempt.amount,
            state=state,
            reference=reference,
            reason=reason,
            is_final=is_final,
        )


def _answer(attempt: Attempt, ask: Callable[[], PaymentResult]) -> PaymentResult:
    """What the gateway says; a driver that breaks said nothing, and money may have moved."""
    try:
        return ask()
    except Exception:
        # The edge of this thread: whatever happens here, the cashier must be told something.
        log.exception("payment-bug", attempt_id=attempt.attempt_id)
        return PaymentResult(attempt.attempt_id, AttemptState.UNKNOWN)
