"""Sales, returns and shifts of this till, found again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import Connection, func, select

from desktop.store.entries import read_entry
from desktop.store.schema import entries, shifts, tickets
from shared.ids import EntryId, OperatorId, ShiftId
from shared.journal.entry import Entry, decode_entry
from shared.trade.fact import Fact
from shared.trade.kinds import read_fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import CashMoved, ShiftClosed, ShiftOpened
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp

FactType = TypeVar("FactType", bound=Fact)
ValueMove = ValueToppedUp | ValueClosed | GiftCardSold | GiftCardClosed
_OF_A_SHIFT = (
    SaleCompleted,
    SaleReturned,
    CashMoved,
    ValueToppedUp,
    ValueClosed,
    GiftCardSold,
    GiftCardClosed,
)


@dataclass(frozen=True, slots=True)
class TicketSummary:
    """A row of the list of receipts."""

    entry_id: EntryId
    receipt_no: str
    kind: str
    total: int
    business_date: str
    member_id: str | None


@dataclass(frozen=True, slots=True)
class OpenShift:
    """The shift a till is in."""

    shift_id: ShiftId
    operator_id: OperatorId
    business_date: date
    opened_entry: EntryId


def open_shift(connection: Connection) -> OpenShift | None:
    """The shift that was opened and not closed; a till has at most one."""
    row = connection.execute(
        select(shifts).where(shifts.c.closed_entry.is_(None)).limit(1)
    ).one_or_none()
    if row is None:
        return None
    return OpenShift(
        ShiftId(row.shift_id),
        OperatorId(row.operator_id),
        date.fromisoformat(row.business_date),
        EntryId(row.opened_entry),
    )


def find_receipt(connection: Connection, receipt_no: str) -> tuple[Entry, SaleCompleted] | None:
    """The sale with this receipt number, if it was made here."""
    entry_id = connection.execute(
        select(tickets.c.entry_id).where(
            tickets.c.receipt_no == receipt_no, tickets.c.kind == SaleCompleted.kind
        )
    ).scalar()
    return find_sale(connection, EntryId(entry_id)) if entry_id else None


def find_sale(connection: Connection, entry_id: EntryId) -> tuple[Entry, SaleCompleted] | None:
    """One sale made here."""
    entry = read_entry(connection, entry_id)
    if entry is None:
        return None
    fact = read_fact(entry.envelope)
    return (entry, fact) if isinstance(fact, SaleCompleted) else None


def returns_of(connection: Connection, sale_id: EntryId) -> list[SaleReturned]:
    """What came back of a sale so far, as this till knows."""
    return list(_facts(connection, SaleReturned, tickets.c.original == sale_id))


def given_without_receipt(connection: Connection, day: date) -> int:
    """What this till has given back on a business day for goods whose sale nobody knows."""
    given = connection.execute(
        select(func.coalesce(func.sum(tickets.c.total), 0)).where(
            tickets.c.kind == SaleReturned.kind,
            tickets.c.original.is_(None),
            tickets.c.business_date == day.isoformat(),
        )
    ).scalar_one()
    return int(given)


def _facts(
    connection: Connection,
    kind: type[FactType],
    *where: object,
) -> Iterator[FactType]:
    rows = connection.execute(
        select(entries.c.bytes)
        .join(tickets, tickets.c.entry_id == entries.c.id)
        .where(*where)  # type: ignore[arg-type]  # column expressions
        .order_by(entries.c.epoch, entries.c.seq)
    )
    for row in rows:
        fact = read_fact(decode_entry(row.bytes).envelope)
        if isinstance(fact, kind):
            yield fact


def recent(connection: Connection, *, limit: int, text: str = "") -> list[TicketSummary]:
    """The newest receipts first, those whose number contains ``text``."""
    rows = connection.execute(
        select(tickets)
        # Receipts of entries that were deleted are numbers only; the server has the sale.
        .join(entries, entries.c.id == tickets.c.entry_id)
        .where(tickets.c.receipt_no.contains(text, autoescape=True))
        .order_by(tickets.c.epoch.desc(), tickets.c.seq.desc())
        .limit(limit)
    )
    return [
        TicketSummary(
            EntryId(row.entry_id),
            row.receipt_no,
            row.kind,
            row.total,
            row.business_date,
            row.member_id,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class ShiftRecord:
    """Everything a shift did, read from the journal."""

    opened: ShiftOpened
    sales: tuple[SaleCompleted, ...]
    returns: tuple[SaleReturned, ...]
    cash_moves: tuple[CashMoved, ...]
    value_moves: tuple[ValueMove, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """All that moved goods or money."""
        return (*self.sales, *self.returns, *self.cash_moves, *self.value_moves)


def read_shift(connection: Connection, shift: OpenShift) -> ShiftRecord:
    """Fold nothing, just gather: the facts of one shift in the order they were written."""
    opened_entry = read_entry(connection, shift.opened_entry)
    assert opened_entry is not None
    opened = read_fact(opened_entry.envelope)
    assert isinstance(opened, ShiftOpened)
    rows = connection.execute(
        select(entries.c.bytes)
        .where(
            entries.c.epoch >= opened_entry.envelope.epoch,
            entries.c.kind.in_([kind.kind for kind in _OF_A_SHIFT]),
            (entries.c.epoch > opened_entry.envelope.epoch)
            | (entries.c.seq > opened_entry.envelope.seq),
        )
        .order_by(entries.c.epoch, entries.c.seq)
    )
    facts = [read_fact(decode_entry(row.bytes).envelope) for row in rows]
    return ShiftRecord(
        opened,
        tuple(f for f in facts if isinstance(f, SaleCompleted) and f.shift_id == shift.shift_id),
        tuple(f for f in facts if isinstance(f, SaleReturned) and f.shift_id == shift.shift_id),
        tuple(f for f in facts if isinstance(f, CashMoved) and f.shift_id == shift.shift_id),
        tuple(f for f in facts if isinstance(f, ValueMove) and f.shift_id == shift.shift_id),
    )


def closed_shifts_of_open_day(connection: Connection) -> list[ShiftClosed]:
    """Closed shifts that no day close has taken yet."""
    rows = connection.execute(
        select(entries.c.bytes)
        .join(shifts, shifts.c.closed_entry == entries.c.id)
        .where(shifts.c.day_entry.is_(None))
        .order_by(entries.c.epoch, entries.c.seq)
    )
    facts = (read_fact(decode_entry(row.bytes).envelope) for row in rows)
    return [fact for fact in facts if isinstance(fact, ShiftClosed)]


def newest_business_date(connection: Connection) -> date | None:
    """The latest day on which a shift was opened here."""
    found = connection.execute(select(func.max(shifts.c.business_date))).scalar()
    return date.fromisoformat(found) if found else None


def last_close(connection: Connection) -> ShiftClosed | None:
    """The newest Z, for its number and grand total."""
    encoded = connection.execute(
        select(entries.c.bytes)
        .where(entries.c.kind == ShiftClosed.kind)
        .order_by(entries.c.epoch.desc(), entries.c.seq.desc())
        .limit(1)
    ).scalar()
    if encoded is None:
        return None
    fact = read_fact(decode_entry(encoded).envelope)
    assert isinstance(fact, ShiftClosed)
    return fact


def count_tickets(connection: Connection) -> int:
    """How many receipts this till has numbered."""
    return connection.execute(select(func.count()).select_from(tickets)).scalar_one()
