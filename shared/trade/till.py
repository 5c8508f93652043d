"""The other facts of a till's day."""

from enum import StrEnum
from typing import ClassVar

from shared.ids import EntryId, MemberId, OperatorId, ShiftId, StoreId, TillId
from shared.trade.fact import Approval, CashCount, Fact, Measure, TaxTotal, Value


class MemberEnrolled(Fact, frozen=True, kw_only=True):
    """A person joined. Name, phone, card and birthday are in the attachment ``profile``."""

    kind: ClassVar[str] = "member_enrolled"

    member_id: MemberId
    store_id: StoreId
    till_id: TillId | None
    operator_id: OperatorId | None
    terms_version: str
    tier: str
    referred_by: MemberId | None = None
    """The member who brought them."""


class ShiftOpened(Fact, frozen=True, kw_only=True):
    """An operator took over a drawer with a float."""

    kind: ClassVar[str] = "shift_opened"

    shift_id: ShiftId
    store_id: StoreId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    float_amount: int
    counts: tuple[CashCount, ...] = ()


class CashDirection(StrEnum):
    """Which way cash moved, seen from the drawer."""

    PAID_IN = "paid-in"
    PAID_OUT = "paid-out"
    DROP = "drop"
    """From the drawer to the safe."""


class CashMoved(Fact, frozen=True, kw_only=True):
    """Cash went into or out of the drawer without a sale; a note is the attachment ``note``."""

    kind: ClassVar[str] = "cash_moved"

    shift_id: ShiftId
    store_id: StoreId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    direction: CashDirection
    amount: int
    reason: str
    approvals: tuple[Approval, ...] = ()


class NoSale(Fact, frozen=True, kw_only=True):
    """The drawer was opened without a sale."""

    kind: ClassVar[str] = "no_sale"

    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    reason: str


class BasketLineNote(Value, frozen=True, kw_only=True):
    """Enough of a basket line to see later what was held, dropped or voided."""

    goods_id: str
    quantity: int
    measure: Measure = Measure.PIECE
    amount: int


class BasketHeld(Fact, frozen=True, kw_only=True):
    """A basket was put aside; it posts nothing."""

    kind: ClassVar[str] = "basket_held"

    hold_id: str
    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    lines: tuple[BasketLineNote, ...]
    total: int
    member_id: MemberId | None = None


class BasketAbandoned(Fact, frozen=True, kw_only=True):
    """A basket, held or on screen, was given up."""

    kind: ClassVar[str] = "basket_abandoned"

    hold_id: str | None
    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    lines: tuple[BasketLineNote, ...]
    total: int


class LineVoided(Fact, frozen=True, kw_only=True):
    """A line was taken off the basket before the end of the sale."""

    kind: ClassVar[str] = "line_voided"

    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    line: BasketLineNote
    approvals: tuple[Approval, ...] = ()


class PriceOverridden(Fact, frozen=True, kw_only=True):
    """A price was typed by hand."""

    kind: ClassVar[str] = "price_overridden"

    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    goods_id: str
    list_price: int
    unit_price: int
    reason: str
    approvals: tuple[Approval, ...] = ()


class ReceiptReprinted(Fact, frozen=True, kw_only=True):
    """A copy of a receipt was printed."""

    kind: ClassVar[str] = "receipt_reprinted"

    shift_id: ShiftId | None
    till_id: TillId
    operator_id: OperatorId
    of_entry: EntryId
    receipt_no: str
    copy: int
    """1 for the first copy."""


class PaymentState(StrEnum):
    """Where an external payment attempt stands."""

    REQUESTED = "requested"
    """Written before the request leaves."""
    APPROVED = "approved"
    DECLINED = "declined"
    UNKNOWN = "unknown"
    """No answer in time; queried, then reversed, never repeated or dropped silently."""
    REVERSED = "reversed"


class PaymentAttempted(Fact, frozen=True, kw_only=True):
    """A step of an external payment attempt; all steps share ``attempt_id``. Posts nothing."""

    kind: ClassVar[str] = "payment_attempted"

    attempt_id: str
    shift_id: ShiftId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    provider: str
    amount: int
    state: PaymentState
    reference: str = ""


class TenderTotal(Value, frozen=True, kw_only=True):
    """What one tender took and gave back in a shift."""

    tender: str
    taken: int
    refunded: int
    count: int


class ShiftClosed(Fact, frozen=True, kw_only=True):
    """The Z: a blind count against the books."""

    kind: ClassVar[str] = "shift_closed"

    shift_id: ShiftId
    store_id: StoreId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    z_number: int
    opened_by: EntryId
    sales: int
    returns: int
    turnover: int
    """Sum of sales, tax included."""
    refunded: int
    rounding: int
    tenders: tuple[TenderTotal, ...]
    float_amount: int
    paid_in: int
    paid_out: int
    dropped: int
    expected_cash: int
    counted_cash: int
    counts: tuple[CashCount, ...] = ()
    difference_reason: str = ""
    held_open: int = 0
    payments_open: int = 0
    unsent: int = 0
    """Entries of this till that the server had not acknowledged."""
    grand_total: int
    """Turnover less refunds over the life of the till's journal, this shift included."""
    value_in: int = 0
    """Paid in for stored value and gift cards, whatever the tender: no turnover."""
    value_out: int = 0
    """Paid out of them, in cash."""
    value_cash: int = 0
    """What of both went into the drawer, less what came out."""
    taxes: tuple[TaxTotal, ...] = ()
    """What became due: sales and cards that were taxed when sold, less returns and what such cards
    paid. Releases that did not add it up have none."""


class DayClosed(Fact, frozen=True, kw_only=True):
    """A till's business day is complete: its shifts and their sums."""

    kind: ClassVar[str] = "day_closed"

    store_id: StoreId
    till_id: TillId
    operator_id: OperatorId
    currency: str
    shifts: tuple[ShiftId, ...]
    sales: int
    returns: int
    turnover: int
    refunded: int
    rounding: int
    counted_cash: int
    expected_cash: int
    grand_total: int
    left_open: tuple[str, ...] = ()
    """Codes of what the close found unfinished."""
    taxes: tuple[TaxTotal, ...] = ()
    """Sum of its shifts'."""


class EpochClosed(Fact, frozen=True, kw_only=True):
    """The last entry of an epoch; nothing may follow it."""

    kind: ClassVar[str] = "epoch_closed"

    last_seq: int
    hash: str


class EpochClosedWithLoss(Fact, frozen=True, kw_only=True):
    """A manager gave up the lost tail of an epoch; first entry of the next one."""

    kind: ClassVar[str] = "epoch_closed_with_loss"

    lost_epoch: int
    last_seq: int
    """The last entry that could be saved; -1 where none."""
    hash: str
    approvals: tuple[Approval, ...]
