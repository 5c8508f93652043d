"""The drawer's day: shift opened, cash moved, shift closed by a blind count, day closed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import msgspec
from sqlalchemy import Connection

from desktop.services.books import Books
from desktop.store.entries import read_entry
from desktop.store.fiscal import count_unsigned
from desktop.store.holds import all_held
from desktop.store.journal import current_epoch
from desktop.store.payments import open_payments
from desktop.store.print_jobs import uncertain
from desktop.store.tickets import (
    OpenShift,
    ShiftRecord,
    ValueMove,
    closed_shifts_of_open_day,
    last_close,
    newest_business_date,
    open_shift,
    read_shift,
)
from desktop.store.writer import Transaction
from shared.catalogue.card_numbers import refuse_card_number
from shared.errors import DomainError
from shared.ids import EntryId, OperatorId, ShiftId
from shared.journal.attachment import attach
from shared.journal.chain import ChainedEntry
from shared.money import AMOUNT_MINOR_MAX
from shared.trade.fact import Approval, CashCount, TaxTotal, Tender, TenderKind
from shared.trade.tax_due import tax_due, tax_table
from shared.trade.till import (
    CashDirection,
    CashMoved,
    DayClosed,
    NoSale,
    ShiftClosed,
    ShiftOpened,
    TenderTotal,
)
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp
from shared.trade.writing import Writing

NOTE_LENGTH_MAX = 500
PAID_OUT_ACTIONS = frozenset({"paid-out", "refund-in-cash"})
"""What a manager approves when cash leaves the till for good."""


@dataclass(frozen=True, slots=True)
class ShiftFigures:
    """The books of a running shift: what an X report says and a close compares with."""

    sales: int
    returns: int
    turnover: int
    refunded: int
    rounding: int
    tenders: tuple[TenderTotal, ...]
    float_amount: int
    paid_in: int
    paid_out: int
    dropped: int
    expected_cash: int
    value_in: int
    value_out: int
    value_cash: int
    taxes: tuple[TaxTotal, ...]
    """What became due."""


def shift_figures(record: ShiftRecord) -> ShiftFigures:
    """Sum a shift: expected drawer = float + cash sales - cash refunds + in - out - drops."""
    taken: Counter[str] = Counter()
    refunded: Counter[str] = Counter()
    number: Counter[str] = Counter()
    for sale in record.sales:
        for tender in sale.tenders:
            taken[tender.tender] += tender.amount
            number[tender.tender] += 1
            if tender.tender is not TenderKind.CASH:
                # Change is paid out of the drawer, whatever was given for it.
                taken[tender.tender] += tender.change
                taken[TenderKind.CASH] -= tender.change
    for returned in record.returns:
        for refund in returned.refunds:
            refunded[refund.tender] += refund.amount
            number[refund.tender] += 1
    moved: Counter[str] = Counter()
    for move in record.cash_moves:
        moved[move.direction] += move.amount
    paid_in = [one for move in record.value_moves for one in _paid_in(move)]
    for tender in paid_in:
        taken[tender.tender] += tender.amount
        number[tender.tender] += 1
    paid_out = [amount for move in record.value_moves if (amount := _paid_out(move))]
    refunded[TenderKind.CASH] += sum(paid_out)
    number[TenderKind.CASH] += len(paid_out)
    cash_in = sum(one.amount for one in paid_in if one.tender is TenderKind.CASH)
    cash = taken[TenderKind.CASH] - refunded[TenderKind.CASH]
    return ShiftFigures(
        sales=len(record.sales),
        returns=len(record.returns),
        turnover=sum(sale.total for sale in record.sales),
        refunded=sum(returned.total for returned in record.returns),
        rounding=sum(sale.rounding for sale in record.sales)
        - sum(returned.rounding for returned in record.returns),
        tenders=tuple(
            TenderTotal(tender=kind, taken=taken[kind], refunded=refunded[kind], count=number[kind])
            for kind in TenderKind
            if number[kind] or taken[kind]
        ),
        float_amount=record.opened.float_amount,
        paid_in=moved[CashDirection.PAID_IN],
        paid_out=moved[CashDirection.PAID_OUT],
        dropped=moved[CashDirection.DROP],
        expected_cash=record.opened.float_amount
        + cash
        + moved[CashDirection.PAID_IN]
        - moved[CashDirection.PAID_OUT]
        - moved[CashDirection.DROP],
        value_in=sum(one.amount for one in paid_in),
        value_out=sum(paid_out),
        value_cash=cash_in - sum(paid_out),
        taxes=tax_table(row for fact in record.facts for row in tax_due(fact)),
    )


def _paid_in(move: ValueMove) -> tuple[Tender, ...]:
    return move.tenders if isinstance(move, ValueToppedUp | GiftCardSold) else ()


def _paid_out(move: ValueMove) -> int:
    if isinstance(move, ValueClosed):
        return move.principal
    return move.amount if isinstance(move, GiftCardClosed) else 0


def count_total(counts: Iterable[CashCount]) -> int:
    """The sum of a count by denomination; DomainError ``bad-count`` for what cannot be counted."""
    counts = tuple(counts)
    for count in counts:
        if count.pieces < 0 or count.denomination <= 0:
            raise DomainError("bad-count", pieces=count.pieces)
    total = sum(count.denomination * count.pieces for count in counts)
    if total > AMOUNT_MINOR_MAX:
        raise DomainError("bad-count", pieces=total)
    return total


class Shifts:
    """Opening, moving cash, closing. A close never blocks: it says what was left open."""

    def __init__(self, books: Books, *, currency: str) -> None:
        self._books = books
        self._currency = currency

    def current(self) -> OpenShift | None:
        """The running shift."""
        with self._books.reading() as connection:
            return open_shift(connection)

    def required(self) -> OpenShift:
        """The running shift; DomainError ``no-shift`` without one."""
        shift = self.current()
        if shift is None:
            raise DomainError("no-shift")
        return shift

    def open(
        self,
        operator_id: OperatorId,
        counts: Sequence[CashCount],
        *,
        business_date: date | None = None,
    ) -> OpenShift:
        """Take over the drawer with a float; DomainError ``shift-already-open``."""
        if self.current() is not None:
            raise DomainError("shift-already-open")
        day = business_date or self.next_business_date()
        fact = ShiftOpened(
            shift_id=ShiftId(self._books.new_id()),
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._currency,
            float_amount=count_total(counts),
            counts=tuple(count for count in counts if count.pieces),
        )
        chained = self._books.record(Writing(fact, business_date=day))
        return OpenShift(fact.shift_id, operator_id, day, chained.id)

    def next_business_date(self) -> date:
        """Today; never before a day that was worked on, whatever the clock says."""
        with self._books.reading() as connection:
            return max(self._books.today(), newest_business_date(connection) or date.min)

    @property
    def is_clock_behind(self) -> bool:
        """Whether the clock says a day before one that was worked on."""
        return self._books.today() < self.next_business_date()

    def figures(self) -> ShiftFigures:
        """The running shift's books: an X report."""
        with self._books.reading() as connection:
            shift = open_shift(connection)
            if shift is None:
                raise DomainError("no-shift")
            return shift_figures(read_shift(connection, shift))

    def move_cash(
        self,
        operator_id: OperatorId,
        direction: CashDirection,
        amount: int,
        *,
        reason: str,
        note: str = "",
        approvals: tuple[Approval, ...] = (),
        ending: Writing | None = None,
    ) -> ChainedEntry:
        """Cash in, cash out, or a drop to the safe; prints a slip.

        ``ending`` is written with it: the end of what the cash stands in for. DomainError
        ``approval-needed``: cash leaves the till for good only when a manager allows it.
        """
        shift = self.required()
        allowed = any(approval.action in PAID_OUT_ACTIONS for approval in approvals)
        if direction is CashDirection.PAID_OUT and not allowed:
            raise DomainError("approval-needed", action=direction.value)
        if not 0 < amount <= AMOUNT_MINOR_MAX:
            raise DomainError("bad-amount", text=str(amount), currency=self._currency)
        if len(note) > NOTE_LENGTH_MAX:
            raise DomainError("note-too-long", limit=NOTE_LENGTH_MAX)
        refuse_card_number(note)
        fact = CashMoved(
            shift_id=shift.shift_id,
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._currency,
            direction=direction,
            amount=amount,
            reason=reason,
            approvals=approvals,
        )
        noted = (("note", attach(note.encode())),) if note else ()

        writing = Writing(fact, business_date=shift.business_date, attachments=noted)

        def work(transaction: Transaction) -> ChainedEntry:
            chained = self._books.append_printed(transaction, writing)
            if ending is not None:
                self._books.append(transaction, ending)
            return chained

        return self._books.writer.run(work)

    def no_sale(self, operator_id: OperatorId, reason: str) -> ChainedEntry:
        """Note that the drawer is opened without a sale."""
        shift = self.required()
        fact = NoSale(
            shift_id=shift.shift_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            reason=reason,
        )
        return self._books.record(Writing(fact, business_date=shift.business_date))

    def close(
        self, operator_id: OperatorId, counts: Sequence[CashCount], *, difference_reason: str = ""
    ) -> ShiftClosed:
        """Close the shift on a blind count and queue its Z report."""
        count_total(counts)

        def work(transaction: Transaction) -> ShiftClosed:
            connection = transaction.connection
            shift = open_shift(connection)
            if shift is None:
                raise DomainError("no-shift")
            fact = msgspec.structs.replace(
                self._closing(connection, shift, operator_id, tuple(counts)),
                difference_reason=difference_reason,
            )
            writing = Writing(fact, business_date=shift.business_date)
            self._books.append_printed(transaction, writing)
            return fact

        return self._books.writer.run(work)

    def _closing(
        self,
        connection: Connection,
        shift: OpenShift,
        operator_id: OperatorId,
        counts: tuple[CashCount, ...],
    ) -> ShiftClosed:
        figures = shift_figures(read_shift(connection, shift))
        before = last_close(connection)
        epoch = current_epoch(connection)
        assert epoch is not None
        grand_total = (before.grand_total if before else 0) + figures.turnover - figures.refunded
        return ShiftClosed(
            shift_id=shift.shift_id,
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._currency,
            z_number=(before.z_number if before else 0) + 1,
            opened_by=shift.opened_entry,
            sales=figures.sales,
            returns=figures.returns,
            turnover=figures.turnover,
            refunded=figures.refunded,
            rounding=figures.rounding,
            tenders=figures.tenders,
            float_amount=figures.float_amount,
            paid_in=figures.paid_in,
            paid_out=figures.paid_out,
            dropped=figures.dropped,
            expected_cash=figures.expected_cash,
            counted_cash=count_total(counts),
            counts=tuple(count for count in counts if count.pieces),
            held_open=len(all_held(connection)),
            payments_open=len(open_payments(connection)),
            unsent=epoch.unsent,
            grand_total=grand_total,
            value_in=figures.value_in,
            value_out=figures.value_out,
            value_cash=figures.value_cash,
            taxes=figures.taxes,
        )

    def close_day(self, operator_id: OperatorId) -> DayClosed:
        """Close the business day of this till and queue its report.

        DomainError ``nothing-to-close`` without a Z.
        """

        def work(transaction: Transaction) -> DayClosed:
            connection = transaction.connection
            closed = closed_shifts_of_open_day(connection)
            if not closed:
                raise DomainError("nothing-to-close")
            fact = self._day(operator_id, closed, _left_open(connection))
            day = _business_date(connection, closed)
            self._books.append_printed(transaction, Writing(fact, business_date=day))
            return fact

        return self._books.writer.run(work)

    def _day(
        self, operator_id: OperatorId, closed: list[ShiftClosed], left_open: tuple[str, ...]
    ) -> DayClosed:
        return DayClosed(
            store_id=self._books.identity.store_id,
            till_id=self._books.identity.till_id,
            operator_id=operator_id,
            currency=self._currency,
            shifts=tuple(shift.shift_id for shift in closed),
            sales=sum(shift.sales for shift in closed),
            returns=sum(shift.returns for shift in closed),
            turnover=sum(shift.turnover for shift in closed),
            refunded=sum(shift.refunded for shift in closed),
            rounding=sum(shift.rounding for shift in closed),
            counted_cash=sum(shift.counted_cash for shift in closed),
            expected_cash=sum(shift.expected_cash for shift in closed),
            grand_total=closed[-1].grand_total,
            left_open=left_open,
            taxes=tax_table(row for shift in closed for row in shift.taxes),
        )


def _left_open(connection: Connection) -> tuple[str, ...]:
    """What a day close finds unfinished, as codes; it says so and goes on."""
    found = {
        "shift-open": open_shift(connection) is not None,
        "held-baskets": bool(all_held(connection)),
        "unknown-payments": bool(open_payments(connection)),
        "uncertain-prints": bool(uncertain(connection)),
        "unsigned-receipts": bool(count_unsigned(connection)),
    }
    return tuple(code for code, is_open in found.items() if is_open)


def _business_date(connection: Connection, closed: list[ShiftClosed]) -> date:
    entry = read_entry(connection, EntryId(closed[-1].opened_by))
    assert entry is not None
    assert entry.envelope.business_date is not None
    return date.fromisoformat(entry.envelope.business_date)
