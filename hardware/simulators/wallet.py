"""A wallet's server with scripted behaviour: it keeps its own books, as a real one does."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Event, Lock

from hardware.ports import AttemptState, PaymentRequest, PaymentResult, RefundRequest
from shared.money import Money


class Behaviour(StrEnum):
    """What the next payment meets."""

    APPROVE = "approve"
    """Paid and said so."""
    DECLINE = "decline"
    """Refused: not enough money."""
    LOSE_ANSWER = "lose-answer"
    """Paid, but the answer is lost; a query finds it."""
    LOSE_REQUEST = "lose-request"
    """The request is lost; a query finds nothing, and the attempt is barred."""
    DEAD_LINE = "dead-line"
    """Paid, and then the line is dead: nothing more gets an answer until ``revive``."""


@dataclass(frozen=True, slots=True)
class BookedAttempt:
    """What the wallet itself knows of an attempt."""

    amount: Money | None
    state: AttemptState


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """What the wallet itself knows of a refund."""

    attempt_id: str
    minor: int
    state: AttemptState


Wait = Callable[[float], object]


class WalletSimulator:
    """A ``WalletGateway``. The script is followed once, then every payment is approved.

    ``wait`` is how a lost answer passes the time until the deadline; tests and headless runs give
    one that does not wait.
    """

    def __init__(self, name: str = "wallet", *, wait: Wait | None = None) -> None:
        self._name = name
        self._wait: Wait = Event().wait if wait is None else wait
        self._script: deque[Behaviour] = deque()
        self._books: dict[str, BookedAttempt] = {}
        self._refunds: dict[str, BookedRefund] = {}
        self._line_is_dead = False
        self._lock = Lock()

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    @property
    def books(self) -> dict[str, BookedAttempt]:
        """Every attempt the wallet knows, by id."""
        with self._lock:
            return dict(self._books)

    @property
    def refunds(self) -> dict[str, BookedRefund]:
        """Every refund the wallet knows, by its id."""
        with self._lock:
            return dict(self._refunds)

    def script(self, *behaviours: Behaviour) -> None:
        """What the next payments meet, in order."""
        self._script.extend(behaviours)

    def cut(self) -> None:
        """The line is dead from now on, until ``revive``."""
        self._line_is_dead = True

    def revive(self) -> None:
        """Repair a dead line."""
        self._line_is_dead = False

    def pay(self, request: PaymentRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.pay``; a repeated attempt id is answered from the books."""
        with self._lock:
            known = self._books.get(request.attempt_id)
        if known:
            return self.query(request.attempt_id, deadline_s=deadline_s)
        behaviour = self._script.popleft() if self._script else Behaviour.APPROVE
        if behaviour is not Behaviour.LOSE_REQUEST:
            declined = behaviour is Behaviour.DECLINE
            state = AttemptState.DECLINED if declined else AttemptState.APPROVED
            self._book(request.attempt_id, BookedAttempt(request.amount, state))
        self._line_is_dead = self._line_is_dead or behaviour is Behaviour.DEAD_LINE
        if behaviour in (Behaviour.APPROVE, Behaviour.DECLINE) and not self._line_is_dead:
            return self._answer(request.attempt_id)
        return self._silence(request.attempt_id, deadline_s)

    def query(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.query``."""
        if self._line_is_dead:
            return self._silence(attempt_id, deadline_s)
        with self._lock:
            known = attempt_id in self._books
        if not known:  # barred from now on: a late request must not take the money after all
            self._book(attempt_id, BookedAttempt(None, AttemptState.DECLINED))
        return self._answer(attempt_id)

    def reverse(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.reverse``."""
        if self._line_is_dead:
            return self._silence(attempt_id, deadline_s)
        with self._lock:
            known = self._books.get(attempt_id, BookedAttempt(None, AttemptState.DECLINED))
            self._books[attempt_id] = replace(known, state=AttemptState.REVERSED)
        return self._answer(attempt_id)

    def refund(self, request: RefundRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.refund``; never more in all than an attempt has paid."""
        if self._line_is_dead:
            return self._silence(request.refund_id, deadline_s)
        with self._lock:
            if request.refund_id not in self._refunds:
                self._refunds[request.refund_id] = self._refunded(request)
            state = self._refunds[request.refund_id].state
        reason = "refund-refused" if state is AttemptState.DECLINED else ""
        return PaymentResult(request.refund_id, state, f"SIM-{request.refund_id[-8:]}", reason)

    def _refunded(self, request: RefundRequest) -> BookedRefund:
        paid = self._books.get(request.attempt_id)
        left = 0
        if paid and paid.amount and paid.state is AttemptState.APPROVED:
            left = paid.amount.minor - sum(
                one.minor
                for one in self._refunds.values()
                if one.attempt_id == request.attempt_id and one.state is AttemptState.APPROVED
            )
        is_covered = 0 < request.amount.minor <= left
        state = AttemptState.APPROVED if is_covered else AttemptState.DECLINED
        return BookedRefund(request.attempt_id, request.amount.minor, state)

    def _book(self, attempt_id: str, attempt: BookedAttempt) -> None:
        with self._lock:
            self._books[attempt_id] = attempt

    def _answer(self, attempt_id: str) -> PaymentResult:
        with self._lock:
            state = self._books[attempt_id].state
        reason = "insufficient-funds" if state is AttemptState.DECLINED else ""
        return PaymentResult(attempt_id, state, f"SIM-{attempt_id[-8:]}", reason)

    def _silence(self, attempt_id: str, deadline_s: float) -> PaymentResult:
        self._wait(deadline_s)
        return PaymentResult(attempt_id, AttemptState.UNKNOWN)
