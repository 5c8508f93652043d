"""What the till keeps about its own facts to find them again; derived from the journal alone."""

from functools import singledispatch

from sqlalchemy import Connection, delete, insert, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import holds, payment_attempts, shifts, tickets
from shared.journal.entry import Envelope
from shared.trade.fact import Fact, Tender
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import (
    BasketAbandoned,
    DayClosed,
    PaymentAttempted,
    ShiftClosed,
    ShiftOpened,
)


@singledispatch
def project(_fact: Fact, _envelope: Envelope, _connection: Connection) -> None:
    """Note where a fact can be found again; most facts need nothing beside the journal."""


@project.register
def _sale(fact: SaleCompleted, envelope: Envelope, connection: Connection) -> None:
    _put_ticket(fact, envelope, connection, original=None)
    if fact.hold_id is not None:
        connection.execute(delete(holds).where(holds.c.hold_id == fact.hold_id))
    _settle(fact.tenders, envelope, connection)


@project.register
def _return(fact: SaleReturned, envelope: Envelope, connection: Connection) -> None:
    _put_ticket(fact, envelope, connection, original=fact.original)
    _settle(fact.refunds, envelope, connection)


def _put_ticket(
    fact: SaleCompleted | SaleReturned,
    envelope: Envelope,
    connection: Connection,
    *,
    original: str | None,
) -> None:
    connection.execute(
        insert(tickets).values(
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
    )


def _settle(tenders: tuple[Tender, ...], envelope: Envelope, connection: Connection) -> None:
    attempts = [tender.attempt_id for tender in tenders if tender.attempt_id]
    if attempts:
        connection.execute(
            update(payment_attempts)
            .where(payment_attempts.c.attempt_id.in_(attempts))
            .values(settled_by=envelope.id)
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
def _abandoned(fact: BasketAbandoned, _envelope: Envelope, connection: Connection) -> None:
    if fact.hold_id is not None:
        connection.execute(delete(holds).where(holds.c.hold_id == fact.hold_id))


@project.register
def _payment(fact: PaymentAttempted, _envelope: Envelope, connection: Connection) -> None:
    statement = upsert(payment_attempts).values(
        attempt_id=fact.attempt_id,
        provider=fact.provider,
        amount=fact.amount,
        state=fact.state,
        reference=fact.reference,
        shift_id=fact.shift_id,
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["attempt_id"],
            set_={"state": statement.excluded.state, "reference": statement.excluded.reference},
        )
    )
