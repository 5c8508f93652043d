"""External payments and refunds as they stand: the newest step of each attempt."""

from dataclasses import dataclass

from sqlalchemy import Connection, and_, or_, select

from desktop.store.schema import payment_attempts
from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted
from shared.trade.till import PaymentAttempted, PaymentState

_MONEY_MAY_HAVE_MOVED = (PaymentState.REQUESTED, PaymentState.APPROVED, PaymentState.UNKNOWN)
_REFUND_IS_OVER = (PaymentState.APPROVED, PaymentState.REVERSED)


@dataclass(frozen=True, slots=True)
class PaymentAttempt:
    """An external payment, or a refund of one."""

    attempt_id: str
    provider: str
    amount: int
    """Negative for a refund."""
    state: PaymentState
    reference: str
    refund_of: str | None
    """The payment that a refund gives back."""
    requested_at: str

    @property
    def is_refund(self) -> bool:
        """Whether money goes back."""
        return self.refund_of is not None


def open_payments(connection: Connection) -> list[PaymentAttempt]:
    """What is not over: payments whose money may be ours and on no sale, refunds not yet given."""
    is_payment = payment_attempts.c.refund_of.is_(None)
    rows = connection.execute(
        select(payment_attempts)
        .where(
            or_(
                and_(
                    is_payment,
                    payment_attempts.c.settled_by.is_(None),
                    payment_attempts.c.state.in_(_MONEY_MAY_HAVE_MOVED),
                ),
                and_(~is_payment, payment_attempts.c.state.not_in(_REFUND_IS_OVER)),
            )
        )
        .order_by(payment_attempts.c.requested_at, payment_attempts.c.attempt_id)
    )
    return [
        PaymentAttempt(
            attempt_id=row.attempt_id,
            provider=row.provider,
            amount=row.amount,
            state=PaymentState(row.state),
            reference=row.reference,
            refund_of=row.refund_of,
            requested_at=row.requested_at,
        )
        for row in rows
    ]


def ends_a_payment(connection: Connection, fact: Fact) -> bool:
    """Whether a fact says how a payment that is under way ended, or is the sale that it pays for:
    money may have moved, so whatever else a till writes no more, this it does."""
    match fact:
        case PaymentAttempted(attempt_id=attempt_id):
            ended = {attempt_id}
        case SaleCompleted(tenders=tenders):
            ended = {tender.attempt_id for tender in tenders if tender.attempt_id}
        case _:
            return False
    return not ended.isdisjoint(one.attempt_id for one in open_payments(connection))
