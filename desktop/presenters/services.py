"""What presenters need of the till: the shape that ``desktop.bootstrap`` fills."""

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Protocol

from desktop.services.basket import Pricing
from desktop.services.benefits import BenefitDesk
from desktop.services.books import Books
from desktop.services.checkout import Checkout
from desktop.services.draft import Draft
from desktop.services.elsewhere import Elsewhere
from desktop.services.fiscal import Fiscal
from desktop.services.gift_cards import GiftCardDesk
from desktop.services.holding import Holding
from desktop.services.leases import Leases
from desktop.services.members import Members
from desktop.services.operators import Operators
from desktop.services.payments import Payments
from desktop.services.printing import Copies
from desktop.services.profiles import Profiles
from desktop.services.receipt_form import ReceiptFormDesk
from desktop.services.returns import Returns
from desktop.services.scanning import Scanning
from desktop.services.shifts import Shifts
from desktop.services.stored_value import ValueDesk
from shared.ids import EntryId
from shared.receipt.document import Document


class Seen(Protocol):
    """One possible answer about a page."""

    @property
    def value(self) -> str: ...

    @property
    def message_key(self) -> str: ...

    @property
    def line(self) -> str: ...


class Asked(Protocol):
    """What is asked about a page of the printer test."""

    @property
    def message_key(self) -> str: ...

    @property
    def sample(self) -> str: ...

    @property
    def choices(self) -> Sequence[Seen]: ...


class PrinterTrial(Protocol):
    """A guided test of the till's printer (``desktop.printer_trial``)."""

    @property
    def named_profile(self) -> str: ...

    def ask(self) -> object: ...

    def question(self) -> Asked | None: ...

    def answer(self, value: str) -> None: ...

    def print_page(self) -> None: ...

    def save(self) -> object: ...


class CounterServices(Protocol):
    """One basket and everything that can be done with it."""

    @property
    def checkout(self) -> Checkout: ...

    @property
    def draft(self) -> Draft: ...

    @property
    def value(self) -> ValueDesk: ...

    @property
    def cards(self) -> GiftCardDesk: ...

    @property
    def benefits(self) -> BenefitDesk: ...

    @property
    def shifts(self) -> Shifts: ...

    @property
    def holding(self) -> Holding: ...

    @property
    def scanning(self) -> Scanning: ...

    @property
    def payments(self) -> Payments: ...


class TillServices(Protocol):
    """An enrolled till."""

    @property
    def books(self) -> Books: ...

    @property
    def operators(self) -> Operators: ...

    @property
    def members(self) -> Members: ...

    @property
    def profiles(self) -> Profiles: ...

    @property
    def returns(self) -> Returns: ...

    @property
    def copies(self) -> Copies: ...

    @property
    def elsewhere(self) -> Elsewhere: ...

    @property
    def leases(self) -> Leases: ...

    @property
    def fiscal(self) -> Fiscal: ...

    @property
    def receipt_form(self) -> ReceiptFormDesk: ...

    def check_logo(self, logo: str) -> None: ...

    def paper_columns(self) -> int: ...

    def paper_picture(self, document: Document, columns: int, logo: str) -> bytes: ...

    def coupon_slips(self, entry_id: EntryId) -> list[Document]: ...

    def print_page(self, document: Document, title: str) -> None: ...

    def pricing(self) -> Pricing: ...

    def counter(self) -> CounterServices: ...

    def unsent(self) -> int: ...

    def wake_printer(self) -> None: ...

    def wake_sync(self) -> None: ...

    def executor(self) -> Executor: ...

    def background(self) -> Executor: ...

    def printer_trial(self) -> PrinterTrial: ...
