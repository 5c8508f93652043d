"""What a wallet's or a card terminal's own server knows, with scripted behaviour."""

from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock

from hardware.ports import CANCELLED, AttemptState, PaymentRequest, PaymentResult, RefundRequest
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
    SLOW = "slow"
    """The customer takes their time: neither known nor reversible until ``settle``; then paid."""
    LATE_REVERSAL = "late-reversal"
    """Paid and not said; a query knows nothing, and a reversal is done but only known later."""


@dataclass(frozen=True, slots=True)
class BookedAttempt:
    """What the provider itself knows of an attempt."""

    amount: Money | None
    state: AttemptState
    behaviour: Behaviour = Behaviour.APPROVE
    reason: str = ""
    """Why it was declined."""


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """What the provider itself knows of a refund."""

    attempt_id: str
    minor: int
    state: AttemptState


class PaymentBooks:
    """Every call gives the answer, or None where there is only silence.

    The script is followed once, then every payment is approved.
    """

    def __init__(self) -> None:
        self._script: deque[Behaviour] = deque()
        self._books: dict[str, BookedAttempt] = {}
        self._refunds: dict[str, BookedRefund] = {}
        self._line_is_dead = False
        self._lock = Lock()

    @property
    def books(self) -> dict[str, BookedAttempt]:
        """Every attempt the provider knows, by id."""
        with self._lock:
            return dict(self._books)

    @property
    def refunds(self) -> dict[str, BookedRefund]:
        """Every refund the provider knows, by its id."""
        with self._lock:
            return dict(self._refunds)

    def taken(self) -> int:
        """Money it has of customers now, minor units: approved, not reversed, less refunds."""
        paid = sum(
            one.amount.minor
            for one in self.books.values()
            if one.amount is not None and one.state is AttemptState.APPROVED
        )
        back = (one.minor for one in self.refunds.values() if one.state is AttemptState.APPROVED)
        return paid - sum(back)

    def script(self, *behaviours: Behaviour) -> None:
        """What the next payments meet, in order."""
        self._script.extend(behaviours)

    def forget_script(self) -> None:
        """From now on everything is approved."""
        self._script.clear()

    def cut(self) -> None:
        """The line is dead from now on, until ``revive``."""
        self._line_is_dead = True

    def revive(self) -> None:
        """Repair a dead line."""
        self._line_is_dead = False

    def settle(self, attempt_id: str) -> PaymentResult | None:
        """The slow customer has paid; the answer of before, if the line is alive."""
        with self._lock:
            booked = self._books[attempt_id]
            if booked.state is AttemptState.UNKNOWN:
                self._books[attempt_id] = replace(booked, state=AttemptState.APPROVED)
        return self._answer(attempt_id)

    def cancel(self, attempt_id: str) -> PaymentResult | None:
        """The customer has not paid yet, and will not any more; one that has paid has paid."""
        if self._line_is_dead:
            return None
        with self._lock:
            booked = self._books.get(attempt_id)
            if booked is not None and booked.state is AttemptState.UNKNOWN:
                self._books[attempt_id] = replace(
                    booked, state=AttemptState.DECLINED, reason=CANCELLED
                )
        # One that was never seen is barred, as by a question about it.
        return self.query(attempt_id)

    def pay(self, request: PaymentRequest) -> PaymentResult | None:
        """See ``PaymentTerminal.pay``; a repeated attempt id is answered from the books."""
        with self._lock:
            is_known = request.attempt_id in self._books
            behaviour = Behaviour.APPROVE
            if self._script and not is_known:
                behaviour = self._script.popleft()
            if not is_known and behaviour is not Behaviour.LOSE_REQUEST:
                self._books[request.attempt_id] = _booked(request.amount, behaviour)
        self._line_is_dead = self._line_is_dead or behaviour is Behaviour.DEAD_LINE
        if is_known:
            return self.query(request.attempt_id)
        is_said = behaviour in (Behaviour.APPROVE, Behaviour.DECLINE)
        return self._answer(request.attempt_id) if is_said else None

    def query(self, attempt_id: str) -> PaymentResult | None:
        """See ``PaymentTerminal.query``."""
        with self._lock:
            if not self._line_is_dead:
                # Barred from now on: a late request must not take the money after all.
                self._books.setdefault(attempt_id, BookedAttempt(None, AttemptState.DECLINED))
        return self._answer(attempt_id)

    def reverse(self, attempt_id: str) -> PaymentResult | None:
        """See ``PaymentTerminal.reverse``."""
        if self._line_is_dead:
            return None
        with self._lock:
            known = self._books.get(attempt_id, BookedAttempt(None, AttemptState.DECLINED))
            if known.state is AttemptState.UNKNOWN:
                return PaymentResult(attempt_id, AttemptState.UNKNOWN, reason="busy")
            self._books[attempt_id] = replace(known, state=AttemptState.REVERSED)
            was_hidden = _is_hidden(known)
        return None if was_hidden else self._answer(attempt_id)

    def refund(self, request: RefundRequest) -> PaymentResult | None:
        """See ``PaymentTerminal.refund``; never more in all than an attempt has paid."""
        if self._line_is_dead:
            return None
        with self._lock:
            if request.refund_id not in self._refunds:
                self._refunds[request.refund_id] = self._refunded(request)
            state = self._refunds[request.refund_id].state
        reason = "refund-refused" if state is AttemptState.DECLINED else ""
        return PaymentResult(request.refund_id, state, _reference(request.refund_id), reason)

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

    def _answer(self, attempt_id: str) -> PaymentResult | None:
        with self._lock:
            booked = self._books.get(attempt_id)
        if self._line_is_dead or booked is None or _is_hidden(booked):
            return None
        is_declined = booked.state is AttemptState.DECLINED
        reason = (booked.reason or "insufficient-funds") if is_declined else ""
        return PaymentResult(attempt_id, booked.state, _reference(attempt_id), reason)


def _booked(amount: Money, behaviour: Behaviour) -> BookedAttempt:
    states = {Behaviour.DECLINE: AttemptState.DECLINED, Behaviour.SLOW: AttemptState.UNKNOWN}
    return BookedAttempt(amount, states.get(behaviour, AttemptState.APPROVED), behaviour)


def _is_hidden(booked: BookedAttempt) -> bool:
    """Whether nobody is told of it yet."""
    is_late = booked.behaviour is Behaviour.LATE_REVERSAL
    return is_late and booked.state is AttemptState.APPROVED


def _reference(of: str) -> str:
    return f"SIM-{of[-8:]}"
