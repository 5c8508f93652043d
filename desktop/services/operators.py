"""Sign-in and approvals: own PINs, verified offline, with a lock-out that survives a restart."""

from datetime import datetime, timedelta
from typing import NoReturn

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from desktop.services.books import Books
from desktop.store.operators import (
    Attempts,
    Operator,
    active_operators,
    find_by_card,
    find_operator,
    read_attempts,
    write_attempts,
)
from desktop.store.writer import Urgency
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.trade.fact import Approval
from shared.trade.profile import KeyKind, lookup_hash

FAILURES_MAX = 5
LOCK_FIRST = timedelta(minutes=1)
LOCK_MAX = timedelta(hours=1)
DOUBLINGS_MAX = 6
"""Beyond this a lock-out is at its longest anyway, and durations would overflow."""
MANAGER = "manager"


class Operators:
    """Who may do what at this till."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._hasher = PasswordHasher()

    def all(self) -> list[Operator]:
        """Everybody who may sign in here."""
        with self._books.reading() as connection:
            return active_operators(connection)

    def sign_in(self, operator_id: OperatorId, pin: str) -> Operator:
        """The operator, if the PIN is right.

        Raises DomainError ``unknown-operator``, ``wrong-pin`` (with the tries left) or
        ``pin-locked`` (with the minutes left).
        """
        with self._books.reading() as connection:
            operator = find_operator(connection, operator_id)
            attempts = read_attempts(connection, operator_id)
        if operator is None:
            raise DomainError("unknown-operator")
        now = self._books.clock.now()
        if attempts.locked_until is not None and now < attempts.locked_until:
            self._stay_locked(operator_id, attempts.failures, attempts.locked_until)
        try:
            self._hasher.verify(operator.pin_hash, pin)
        except VerificationError:
            self._note_failure(operator_id, attempts)
        if attempts.failures:
            self._write(operator_id, Attempts(0, None))
        return operator

    def _stay_locked(self, operator_id: OperatorId, failures: int, until: datetime) -> NoReturn:
        now = self._books.clock.now()
        if until - now > LOCK_MAX:
            # A clock set back must neither unlock nor lock for the months it was set back.
            until = now + LOCK_MAX
            self._write(operator_id, Attempts(failures, until))
        raise DomainError("pin-locked", minutes=int((until - now).total_seconds() // 60) + 1)

    def _note_failure(self, operator_id: OperatorId, before: Attempts) -> None:
        failures = before.failures + 1
        rounds = failures // FAILURES_MAX
        locked = failures % FAILURES_MAX == 0
        until = (
            self._books.clock.now()
            + min(LOCK_MAX, LOCK_FIRST * 2 ** min(rounds - 1, DOUBLINGS_MAX))
            if locked
            else None
        )
        self._write(operator_id, Attempts(failures, until))
        raise DomainError("wrong-pin", left=FAILURES_MAX - failures % FAILURES_MAX)

    def _write(self, operator_id: OperatorId, attempts: Attempts) -> None:
        self._books.change(
            lambda transaction: write_attempts(transaction.connection, operator_id, attempts),
            Urgency.SALE,
        )

    def by_card(self, code: str) -> Operator:
        """The operator an approval card names; the PIN follows always."""
        key = lookup_hash(self._books.identity.lookup_key, KeyKind.CARD, code)
        with self._books.reading() as connection:
            operator = find_by_card(connection, key)
        if operator is None:
            raise DomainError("unknown-operator")
        return operator

    def approve(
        self, approver_id: OperatorId, pin: str, *, action: str, amount: int = 0
    ) -> Approval:
        """One manager action that approves one thing, offline too; it goes into that thing's fact.

        Raises DomainError ``not-a-manager`` and what ``sign_in`` raises.
        """
        operator = self.sign_in(approver_id, pin)
        if operator.role != MANAGER:
            raise DomainError("not-a-manager", name=operator.name)
        return Approval(
            approval_id=self._books.new_id(),
            action=action,
            approver_id=operator.operator_id,
            amount=amount,
        )
