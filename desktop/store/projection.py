"""What the till keeps about its own facts to find them again; derived from the journal alone."""

from functools import singledispatch

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.fiscal import note_recorded, note_ticket
from desktop.store.leases import end_lease, note_spending
from desktop.store.offer_uses import count_uses, give_uses_back
from desktop.store.prepared import Prepared
from desktop.store.schema import holds, open_basket, payment_attempts, shifts, tickets
from desktop.store.settings import RECEIPT_FORM, write_value
from shared.journal.entry import Envelope
from shared.trade.fact import Fact, Tender
from shared.trade.fiscal import FiscalRecorded
from shared.trade.lease import LeaseClosed
from shared.trade.paper import ReceiptFormChanged
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import (
    BasketAbandoned,
    BasketHeld,
    DayClosed,
    PaymentAttempted,
    PaymentState,
    ShiftClosed,
    ShiftOpened,
)


def note_fact(fact: Fact, envelope: Envelope, connection: Connection) -> None:
    """Note where a fact can be found again, and what it spent by which lease."""
    project(fact, envelope, connection)
    note_spending(connection, envelope.id, fact)


@singledispatch
def project(_fact: Fact, _envelope: Envelope, _connection: Connection) -> None:
    """Note where a fact can be found again; most facts need nothing beside the journal."""


@project.register
def _sale(fact: SaleCompleted, envelope: Envelope, connection: Connection) -> None:
    _put_ticket(fact, envelope, connection, original=None)
    note_ticket(connection, fact, envelope)
    _end_basket(fact.hold_id, connection)
    count_uses(connection, fact, envelope)
    attempts = [tender.attempt_id for tender in fact.tenders if tender.attempt_id]
    if attempts:
        connection.execute(
            update(payment_attempts)
            .where(payment_attempts.c.attempt_id.in_(attempts))
            .values(settled_by=envelope.id)
        )


@project.register
def _return(fact: SaleReturned, envelope: Envelope, connection: Connection) -> None:
    _put_ticket(fact, envelope, connection, original=fact.original)
    note_ticket(connection, fact, envelope)
    if fact.original is None:
        # What came back without a receipt was rung up in the basket.
        _end_basket(None, connection)
    else:
        give_uses_back(connection, fact, fact.original)
    for number, refund in enumerate(fact.refunds):
        if refund.attempt_id:
            _put_refund(f"{envelope.id}-{number}", refund, fact.shift_id, envelope, connection)


def _put_refund(
    refund_id: str, refund: Tender, shift_id: str, envelope: Envelope, connection: Connection
) -> None:
    """Booked, not yet given: it is asked for under an id that follows from the return."""
    connection.execute(
        insert(payment_attempts).values(
            attempt_id=refund_id,
            provider=refund.provider,
            amount=-refund.amount,
            state=PaymentState.REQUESTED,
            reference=refund.reference,
            shift_id=shift_id,
            refund_of=refund.attempt_id,
            requested_at=envelope.occurred_at,
        )
    )


def _end_basket(hold_id: str | None, connection: Connection) -> None:
    """The basket on the screen is sold, held, given up or taken back: it must not come again."""
    _CLEAR_BASKET.run(connection)
    if hold_id is not None:
        connection.execute(delete(holds).where(holds.c.hold_id == hold_id))


_CLEAR_BASKET = Prepared(delete(open_basket))
_INSERT_TICKET = Prepared(
    insert(tickets),
    (
        "entry_id",
        "epoch",
        "seq",
        "kind",
        "receipt_no",
        "shift_id",
        "business_date",
        "total",
        "member_id",
        "original",
    ),
)


def _put_ticket(
    fact: SaleCompleted | SaleReturned,
    envelope: Envelope,
    connection: Connection,
    *,
    original: str | None,
) -> None:
    _INSERT_TICKET.run(
        connection,
        entry_id=envelope.id,
        epoch=envelope.epoch,
        seq=envelope.seq,
        kind=envelope.kind,
        receipt_no=fact.receipt_no,
        shift_id=fact.shift_id,
        business_date=envelope.business_date,
        total=fact.total,
        member_id=fact.member.member_id if fact.member else None,
        original=original,
    )


@project.register
def _shift_opened(fact: ShiftOpened, envelope: Envelope, connection: Connection) -> None:
    connection.execute(
        insert(shifts).values(
            shift_id=fact.shift_id,
            operator_id=fact.operator_id,
            business_date=envelope.business_date,
            opened_entry=envelope.id,
        )
    )


@project.register
def _shift_closed(fact: ShiftClosed, envelope: Envelope, connection: Connection) -> None:
    connection.execute(
        update(shifts).where(shifts.c.shift_id == fact.shift_id).values(closed_entry=envelope.id)
    )


@project.register
def _day_closed(fact: DayClosed, envelope: Envelope, connection: Connection) -> None:
    connection.execute(
        update(shifts).where(shifts.c.shift_id.in_(fact.shifts)).values(day_entry=envelope.id)
    )


@project.register
def _receipt_form(fact: ReceiptFormChanged, _envelope: Envelope, connection: Connection) -> None:
    write_value(connection, RECEIPT_FORM, fact.form)


@project.register
def _held(_fact: BasketHeld, _envelope: Envelope, connection: Connection) -> None:
    # Who holds a basket keeps it in the same transaction.
    _end_basket(None, connection)


@project.register
def _abandoned(fact: BasketAbandoned, _envelope: Envelope, connection: Connection) -> None:
    _end_basket(fact.hold_id, connection)


@project.register
def _payment(fact: PaymentAttempted, envelope: Envelope, connection: Connection) -> None:
    statement = upsert(payment_attempts).values(
        attempt_id=fact.attempt_id,
        provider=fact.provider,
        amount=fact.amount,
        state=fact.state,
        reference=fact.reference,
        shift_id=fact.shift_id,
        requested_at=envelope.occurred_at,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["attempt_id"],
            set_={"state": statement.excluded.state, "reference": statement.excluded.reference},
        )
    )


@project.register
def _fiscal(fact: FiscalRecorded, envelope: Envelope, connection: Connection) -> None:
    note_recorded(connection, fact, envelope)


@project.register
def _lease_closed(fact: LeaseClosed, _envelope: Envelope, connection: Connection) -> None:
    end_lease(connection, fact.lease_id)
