"""Sale and return: the facts in which goods, money and points change hands."""

from typing import ClassVar

from shared.ids import CouponId, EntryId, OperatorId, ShiftId, StoreId, TillId
from shared.trade.fact import (
    Approval,
    BasketDiscount,
    BundleRef,
    CardStamped,
    CardTakenBack,
    CouponIssued,
    Fact,
    FiscalOutcome,
    KnownBefore,
    LineDiscount,
    LineTax,
    LotDraw,
    Measure,
    MemberOutcome,
    OfferApplied,
    PriceSource,
    ReferralPaid,
    ReferralTakenBack,
    TaxTotal,
    Tender,
    Value,
)


class SaleLine(Value, frozen=True, kw_only=True):
    """One line with everything decided about it.

    ``gross`` is tax-included, before discounts and without levies; ``amount`` is what the customer
    pays for the line: gross less the discounts, plus the levy. ``taxes`` and ``levy`` are parts of
    ``amount``. A discount typed by hand stands among ``discounts`` as offer ``manual``, the line's
    share of one on the whole basket as ``manual-basket``.
    """

    line: int
    """1, 2, 3 … as printed; returns name it."""
    goods_id: str
    names: dict[str, str]
    barcode: str = ""
    quantity: int
    measure: Measure = Measure.PIECE
    list_price: int
    unit_price: int
    """Per piece or per kilogram."""
    price_source: PriceSource = PriceSource.LIST
    gross: int
    discounts: tuple[LineDiscount, ...] = ()
    amount: int
    tax_class: str
    taxes: tuple[LineTax, ...] = ()
    levy: int = 0
    points: int = 0
    """The line's share of the points earned."""
    growth: int = 0
    spend: int = 0
    """The line's share of the earning base."""
    points_paid: int = 0
    """Money of this line that was paid with points."""
    points_spent: int = 0
    """Points that paid it, or that a reward on it cost."""
    given_by: str = ""
    """The offer that gave these units on top, at 0; empty for goods that were rung up."""
    comes_in: bool = False
    """Handed in by the customer, as an empty bottle is: all its amounts are below zero."""
    batch: str = ""
    """Which batch the goods are from, where their label said it."""


class SaleCompleted(Fact, frozen=True, kw_only=True):
    """A sale: lines, discounts, tax, tenders and what they did to the member."""

    kind: ClassVar[str] = "sale_completed"

    receipt_no: str
    ticket_id: str
    """Shared by the sale and the return of one exchange."""
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
    programme: BundleRef
    engine: str
    catalogue_version: int = 0
    training: bool = False
    hold_id: str | None = None
    lines: tuple[SaleLine, ...]
    offers: tuple[OfferApplied, ...] = ()
    discount: BasketDiscount | None = None
    taxes: tuple[TaxTotal, ...] = ()
    total: int
    """Sum of the lines' amounts; below zero where more came in than was bought."""
    rounding: int = 0
    """Cash rounding: tenders sum to ``total + rounding``."""
    tenders: tuple[Tender, ...]
    member: MemberOutcome | None = None
    coupons_issued: tuple[CouponIssued, ...] = ()
    approvals: tuple[Approval, ...] = ()
    seen: tuple[str, ...] = ()
    """What the cashier has looked at before selling: ``restriction/demand``."""
    known: KnownBefore | None = None
    """What the price depended on beside goods and programme; null where nothing more was asked."""
    cards: tuple[CardStamped, ...] = ()
    """Visit cards that have goods of this sale."""
    referral: ReferralPaid | None = None
    fiscal: FiscalOutcome | None = None
    exchange: EntryId | None = None
    """The return of the goods that came back for these; it was written just before, with the same
    ``ticket_id``, and is on the sale's paper."""


class ReturnLine(Value, frozen=True, kw_only=True):
    """Units of one line coming back, with exactly what they take along.

    Without any units it is about goods that are kept and cost something else now (below zero: more)
    that others have come back: returns that price again what is kept say so.
    """

    line: int
    of_line: int
    """The line of the original sale; 0 without receipt."""
    goods_id: str
    names: dict[str, str]
    quantity: int
    measure: Measure = Measure.PIECE
    amount: int
    tax_class: str
    taxes: tuple[LineTax, ...] = ()
    levy: int = 0
    points: int = 0
    """Earned points taken back."""
    growth: int = 0
    spend: int = 0
    points_paid: int = 0
    """Money of it that goes back as points."""
    points_spent: int = 0
    """Points given back."""
    given_by: str = ""
    """The offer that had given these units on top; without units, those that stay are charged."""


class SaleReturned(Fact, frozen=True, kw_only=True):
    """Goods come back: the refund, and the exact claw-back of what their lines gave."""

    kind: ClassVar[str] = "sale_returned"

    receipt_no: str
    ticket_id: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
    programme: BundleRef
    engine: str
    original: EntryId | None
    """The sale's entry; null for a return without receipt."""
    original_receipt_no: str = ""
    lines: tuple[ReturnLine, ...]
    taxes: tuple[TaxTotal, ...] = ()
    total: int
    rounding: int = 0
    """Cash rounding of the refund: refunds sum to ``total + rounding``."""
    refunds: tuple[Tender, ...]
    """What is paid out, per tender; ``points`` tenders carry the points and lots given back."""
    points_taken: tuple[LotDraw, ...] = ()
    """From which lots earned points were taken back; lot ``debt`` for what was already spent."""
    member: MemberOutcome | None = None
    """Growth and spend are negative here."""
    coupons_given_back: tuple[CouponId, ...] = ()
    """Used by the sale; they can be used again."""
    coupons_voided: tuple[CouponId, ...] = ()
    """Issued by the sale; they are good no more."""
    cards: tuple[CardTakenBack, ...] = ()
    referral: ReferralTakenBack | None = None
    reason: str
    approvals: tuple[Approval, ...] = ()
    fiscal: FiscalOutcome | None = None
