"""What the window paints: immutable values, complete in themselves."""

from dataclasses import dataclass
from enum import StrEnum

from desktop.presenters.text import Message, Text, Tone
from shared.language import Language


class Page(StrEnum):
    """The pages of the till."""

    FIRST_RUN = "first-run"
    """Server address and one-time code."""
    SIGN_IN = "sign-in"
    OPEN_SHIFT = "open-shift"
    SALE = "sale"
    CLOSE_SHIFT = "close-shift"
    """The blind count, recount and difference."""
    CLOSE_DAY = "close-day"
    FAULT = "fault"
    """What stops the till from starting, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A key that does something now; tapping it does the same."""

    key: str
    text: Text
    is_primary: bool = False


# A sheet: a page or overlay made of parts


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: Text
    tone: Tone = Tone.INFO


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of a table of figures."""

    label: Text
    value: Text
    is_strong: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """A table of figures, values right-aligned."""

    rows: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things that can be tapped."""

    value: str
    title: Text
    detail: Text = ""
    trailing: Text = ""
    is_selected: bool = False
    tone: Tone = Tone.INFO


@dataclass(frozen=True, slots=True)
class Choices:
    """Things to choose from: rows, or tiles in ``columns``. Tapping one acts as ``name``.

    Compact tiles are lower, for many of them, and have their key beside the title.
    """

    name: str
    items: tuple[Choice, ...]
    columns: int = 1
    empty: Text = ""
    is_compact: bool = False


class FieldKind(StrEnum):
    """What a field takes."""

    TEXT = "text"
    AMOUNT = "amount"
    NUMBER = "number"
    PIN = "pin"
    """Shown as dots."""
    CHOICE = "choice"
    """A drop-down list."""


@dataclass(frozen=True, slots=True)
class Field:
    """Something to fill in. ``is_live`` sends every change, for a search.

    Enter passes an ``is_optional`` one by: whoever needs it gets there with Tab or a tap.
    """

    name: str
    label: Text
    kind: FieldKind = FieldKind.TEXT
    value: str = ""
    hint: Text = ""
    is_live: bool = False
    is_optional: bool = False
    options: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields side by side in ``columns``."""

    fields: tuple[Field, ...]
    columns: int = 1


@dataclass(frozen=True, slots=True)
class PinPad:
    """Digits to tap, and dots for those already entered; the digits themselves never come here."""

    entered: int


@dataclass(frozen=True, slots=True)
class Button:
    """Something to do; tapping it acts as ``name``, or presses ``key`` where it has one."""

    name: str
    text: Text
    key: str = ""
    is_primary: bool = False
    is_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Steps:
    """Quantities of several rows, each with less and more to tap; acts as ``name``:±value."""

    name: str
    rows: tuple["StepRow", ...]


@dataclass(frozen=True, slots=True)
class StepRow:
    """One row of ``Steps``."""

    value: str
    title: Text
    detail: Text
    count: int
    most: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Something to look at, as PNG; ``text`` says what it is and stands for an empty one."""

    png: bytes
    text: Text
    shows_end: bool = False
    """Its end is what has changed, and is brought to sight."""


Part = Note | Figures | Choices | Fields | PinPad | Steps | Picture


@dataclass(frozen=True, slots=True)
class Sheet:
    """A titled stack of parts with its buttons; a whole page, or an overlay over the sale.

    ``kind`` names what it is, so that the window keeps typed text while the same sheet changes.
    """

    kind: str
    title: Text
    parts: tuple[Part, ...]
    buttons: tuple[Button, ...] = ()
    is_wide: bool = False
    aside: Picture | None = None
    """Stands beside the parts, as high as the sheet."""


# The sale page


@dataclass(frozen=True, slots=True)
class DiscountRow:
    """What an offer took off a line, or the whole of a hand-typed change."""

    text: Text
    minor: int


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of the basket as the table shows it."""

    line_id: str
    number: int
    name: Text
    quantity: int
    is_weighed: bool
    """The quantity is grams."""
    unit_price: int
    amount: int
    """Before the discounts that stand below it."""
    discounts: tuple[DiscountRow, ...]
    is_selected: bool
    is_manual: bool


@dataclass(frozen=True, slots=True)
class CouponRow:
    """A claimed coupon, and whether it is used as the basket stands."""

    name: Text
    is_used: bool


@dataclass(frozen=True, slots=True)
class MemberPanel:
    """The member of the sale at a glance."""

    name: str
    tail: str
    tier: Text
    points: str
    worth: int
    """What the points buy, minor units; 0 where the programme has no such payment."""
    earns: str
    """Points this sale earns as it stands."""
    lapsing: Text
    next_tier: Text
    progress_percent: int
    as_of: Text
    cards: tuple[Text, ...] = ()
    """How far the visit cards are, and what this sale adds."""


@dataclass(frozen=True, slots=True)
class ChangeStrip:
    """The last sale, until the next scan."""

    total: int
    given: int
    change: int
    receipt_no: str


@dataclass(frozen=True, slots=True)
class TenderRow:
    """A payment that was taken."""

    text: Text
    minor: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where a wallet payment stands."""

    text: Text
    tone: Tone
    is_running: bool


@dataclass(frozen=True, slots=True)
class TenderPanel:
    """What is due and how it can be paid."""

    due: int
    due_in_cash: int
    entry: str
    notes: tuple[int, ...]
    tenders: tuple[TenderRow, ...]
    points_offered: Text
    attempt: Attempt | None
    is_settled: bool
    value_offered: Text = ""
    """What the member's stored value could pay; empty where there is none."""
    savings: tuple[Text, ...] = ()
    """What would be saved by paying everything in one way."""


@dataclass(frozen=True, slots=True)
class SaleView:
    """The page on which everything happens."""

    lines: tuple[LineRow, ...]
    entry: str
    quantity: int
    """Typed with ``*``; 0 where none."""
    comes_in: bool
    """Whether the next goods are handed in by the customer."""
    items: int
    saved: int
    total: int
    member: MemberPanel | None
    coupons: tuple[CouponRow, ...]
    unlock: Text
    """What little is missing for which offer."""
    tiles: tuple[Choice, ...]
    tiles_title: Text
    tender: TenderPanel | None
    change: ChangeStrip | None
    is_best_price: bool


@dataclass(frozen=True, slots=True)
class TopBar:
    """Where, who, when, and how the till is."""

    store: str
    till: str
    operator: str
    business_date: Text
    sync: Text
    sync_tone: Tone
    printer: Text
    printer_tone: Tone


@dataclass(frozen=True, slots=True)
class TillView:
    """Everything the window shows."""

    page: Page
    top: TopBar | None
    body: SaleView | Sheet
    overlay: Sheet | None
    message: Message | None
    hints: tuple[Hint, ...]
    language: Language
    currency: str
    told: int = 0
    """How many messages there were so far, so that the same one again is noticed."""
    stack: tuple[int, ...] = ()
    """The overlays, lowest first, each with a number of its own: what is typed into one that is
    covered comes back with it, and into no other."""
