"""What all pages share: who is signed in, the counter, the overlays, the last message."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol
from weakref import WeakKeyDictionary

from desktop.presenters.intent import DrawerFailed, Intent, Key, MembersTold, ReceiptTold
from desktop.presenters.services import CounterServices, TillServices
from desktop.presenters.text import Message, Text, Tone
from desktop.presenters.view import Sheet
from desktop.services.basket import Pricing
from desktop.store.operators import Operator
from desktop.store.tickets import OpenShift
from hardware.ports import CashDrawer, DeviceError
from hardware.scale.port import Scale
from shared.clock import Clock
from shared.errors import DomainError
from shared.language import Language
from shared.returning.sold import ReturnableSale

DRAWER_DEADLINE_S = 3.0

Values = dict[str, str]


class Overlay(Protocol):
    """A sheet over the sale; Esc takes it away."""

    def sheet(self) -> Sheet:
        """How it looks now."""
        ...

    def press(self, key: Key, values: Values) -> None:
        """A key that no field took."""
        ...

    def act(self, name: str, value: str, values: Values) -> None:
        """Something of it was tapped."""
        ...

    def edit(self, name: str, text: str) -> None:
        """A live field changed."""
        ...

    def typed(self, text: str) -> None:
        """Characters that no field took."""
        ...

    def scan(self, text: str) -> bool:
        """Whether a code was meant for it; if not, the sale takes it."""
        ...

    def answered(self, news: ReceiptTold | MembersTold) -> bool:
        """Whether it waited for this answer of the server; if not, it is only told."""
        ...


class PlainOverlay:
    """An overlay that does nothing by itself."""

    def press(self, key: Key, values: Values) -> None:
        """Nothing."""

    def act(self, name: str, value: str, values: Values) -> None:
        """Nothing."""

    def edit(self, name: str, text: str) -> None:
        """Nothing."""

    def typed(self, text: str) -> None:
        """Nothing."""

    def scan(self, text: str) -> bool:
        """The sale takes it."""
        del text
        return False

    def answered(self, news: ReceiptTold | MembersTold) -> bool:
        """It waited for nothing."""
        del news
        return False


@dataclass(slots=True)
class Session:
    """The state around the pages. One per window; lives on the till loop's thread."""

    till: TillServices
    clock: Clock
    post: Callable[[Intent], None]
    language: Language
    drawer: CashDrawer | None = None
    scale: Scale | None = None
    counter_in_use: CounterServices | None = None
    operator: Operator | None = None
    message: Message | None = None
    told: int = 0
    overlays: list[Overlay] = field(default_factory=list)
    numbers: WeakKeyDictionary[Overlay, int] = field(default_factory=WeakKeyDictionary)
    """Each overlay's, counted as they are opened."""
    opened: int = 0
    found_receipt: ReturnableSale | None = None
    """Of another till, come when nobody waited for it any more: the return sheet offers it."""
    in_payment: Callable[[], bool] = lambda: False
    """Whether a payment is on its way, for exactly the basket as it is."""
    attempt_id: Callable[[], str] = lambda: ""
    """The payment on its way for the basket; empty where none is."""
    asked: set[str] = field(default_factory=set, repr=False)
    """What the server was asked and has not answered."""

    @property
    def counter(self) -> CounterServices:
        """The services of selling, made at the first sign-in."""
        if self.counter_in_use is None:
            self.counter_in_use = self.till.counter()
            self.speak(self.language)
        return self.counter_in_use

    @property
    def pricing(self) -> Pricing:
        """What the basket on the screen is priced with."""
        return self.counter.checkout.basket.pricing

    @property
    def signed_in(self) -> Operator:
        """The operator; asking before the sign-in is a bug."""
        assert self.operator is not None
        return self.operator

    @property
    def shift(self) -> OpenShift:
        """The running shift; DomainError ``no-shift``."""
        return self.counter.shifts.required()

    def tell(self, text: Text, tone: Tone = Tone.INFO) -> None:
        """Say something where the cashier is looking."""
        self.message = Message(text, tone)
        self.told += 1

    def check_quiet(self) -> None:
        """Before the basket changes: DomainError ``payment-running`` while one is on its way."""
        if self.in_payment():
            raise DomainError("payment-running")

    def begin_asking(self, what: str) -> bool:
        """Note a question to the server; False where it is asked already."""
        if what in self.asked:
            return False
        self.asked.add(what)
        return True

    def end_asking(self, what: str) -> None:
        """The server answered, or could not be asked."""
        self.asked.discard(what)

    def push(self, overlay: Overlay) -> None:
        """Put an overlay on top."""
        self.opened += 1
        self.numbers[overlay] = self.opened
        self.overlays.append(overlay)

    def pop(self) -> None:
        """Take the topmost overlay away."""
        if self.overlays:
            self.overlays.pop()

    def remove(self, overlay: Overlay) -> None:
        """Take an overlay away, wherever it lies."""
        if overlay in self.overlays:
            self.overlays.remove(overlay)

    def close_overlays(self) -> None:
        """Back to the page."""
        self.overlays.clear()

    def speak(self, language: Language) -> None:
        """Screen and paper in this language from now on."""
        self.language = language
        self.till.books.paper_language = language.value

    def written(self) -> None:
        """A fact was written: print what it queued, send it."""
        self.till.wake_printer()
        self.till.wake_sync()

    def open_drawer(self) -> None:
        """Open the drawer without waiting for it; a failure is told and loses nothing."""
        drawer = self.drawer
        if drawer is None:
            return

        def pulse() -> None:
            try:
                drawer.open_drawer(deadline_s=DRAWER_DEADLINE_S)
            except DeviceError as error:
                self.post(DrawerFailed(error.condition.value))

        self.till.executor().submit(pulse)
