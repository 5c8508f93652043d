"""What can come in: keys, typing, scans, taps, and news from the background."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from desktop.services.payments import PaymentProgress
from desktop.services.printing import PrinterStatus
from desktop.store.members import Member
from desktop.sync.status import SyncStatus
from hardware.ports import Health
from shared.errors import EvertillError
from shared.returning.sold import ReturnableSale


class Key(StrEnum):
    """A key that does something; which physical key it is, the window knows."""

    F1 = "F1"
    """Help."""
    F2 = "F2"
    """Search goods."""
    F3 = "F3"
    """Member."""
    F4 = "F4"
    """Hold with a basket, recall without one."""
    F5 = "F5"
    """Return."""
    F6 = "F6"
    """Coupon."""
    F7 = "F7"
    """Points."""
    F8 = "F8"
    """Price of the line."""
    F9 = "F9"
    """Drawer."""
    F10 = "F10"
    """Menu."""
    F11 = "F11"
    """Other tenders: the tender panel."""
    F12 = "F12"
    """Pay: the whole sale in cash, at once."""
    PLUS = "+"
    """The number pad's plus: as F12 while the entry line is empty."""
    MINUS = "-"
    """The next goods come in, while the entry line is empty."""
    TIMES = "*"
    """What was typed is a quantity."""
    ENTER = "Enter"
    ESC = "Esc"
    """One step back."""
    DELETE = "Del"
    """Drop the line."""
    BACKSPACE = "Backspace"
    UP = "Up"
    DOWN = "Down"


@dataclass(frozen=True, slots=True)
class Press:
    """A key went down. ``at`` is when, in monotonic seconds; ``values`` are the fields' texts."""

    key: Key
    at: float = 0.0
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Typed:
    """Characters for the entry line or the PIN."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scan:
    """A code was read, or a card tapped; ``is_damaged`` where parts of it were lost."""

    text: str = field(repr=False)
    is_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A button, tile or row was tapped: what it is called, and which of several."""

    name: str
    value: str = ""
    at: float = 0.0
    values: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Edit:
    """A field that searches while somebody types has changed."""

    name: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SyncTold:
    """News of the background sync."""

    status: SyncStatus


@dataclass(frozen=True, slots=True)
class PrinterTold:
    """News of the printer."""

    status: PrinterStatus


@dataclass(frozen=True, slots=True)
class PaymentTold:
    """A payment attempt went on."""

    progress: PaymentProgress
    at: float = float("inf")


@dataclass(frozen=True, slots=True)
class ProgrammeChanged:
    """Another programme is in force from the next sale on."""


@dataclass(frozen=True, slots=True)
class DrawerFailed:
    """The drawer did not open; the sale stands."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeviceTold:
    """A device is gone, or back."""

    health: Health


class TriedBy(Protocol):
    """Who waits for a printer that is tested."""

    def tried(self, error: EvertillError | None) -> None: ...


@dataclass(frozen=True, slots=True)
class PrinterTried:
    """A step of a printer test is over."""

    by: TriedBy
    error: EvertillError | None = None


@dataclass(frozen=True, slots=True)
class ScaleTold:
    """What lies on the scale has changed; whoever asks for a weight looks."""


@dataclass(frozen=True, slots=True)
class ReceiptTold:
    """The server answered about a receipt, or could not be asked: then ``error`` says why."""

    receipt_no: str
    sold: ReturnableSale | None = None
    error: EvertillError | None = None


@dataclass(frozen=True, slots=True)
class MembersTold:
    """The server answered about a card or phone, or could not be asked: ``error`` says why."""

    text: str = field(repr=False)
    found: tuple[Member, ...] = field(default=(), repr=False)
    error: EvertillError | None = None


Intent = (
    Press
    | Typed
    | Scan
    | Act
    | Edit
    | SyncTold
    | PrinterTold
    | PaymentTold
    | ProgrammeChanged
    | DrawerFailed
    | ScaleTold
    | DeviceTold
    | PrinterTried
    | ReceiptTold
    | MembersTold
)
