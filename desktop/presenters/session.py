"""What all pages share: who is signed in, the counter, the overlays, the last message."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from desktop.presenters.intent import DrawerFailed, Intent, Key
from desktop.presenters.services import CounterServices, TillServices
from desktop.presenters.text import Message, Text, Tone
from desktop.presenters.view import Sheet
from desktop.services.basket import Pricing
from desktop.store.operators import Operator
from desktop.store.tickets import OpenShift
from hardware.ports import CashDrawer, DeviceError
from shared.clock import Clock
from shared.language import Language

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


@dataclass(slots=True)
class Session:
    """The state around the pages. One per window; lives on the till loop's thread."""

    till: TillServices
    clock: Clock
    post: Callable[[Intent], None]
    language: Language
    drawer: CashDrawer | None = None
    counter_in_use: CounterServices | None = None
    operator: Operator | None = None
    message: Message | None = None
    told: int = 0
    overlays: list[Overlay] = field(default_factory=list)

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

    def push(self, overlay: Overlay) -> None:
        """Put an overlay on top."""
        self.overlays.append(overlay)

    def pop(self) -> None:
        """Take the topmost overlay away."""
        if self.overlays:
            self.overlays.pop()

    def close_overlays(self) -> None:
        """Back to the page."""
        self.overlays.clear()

    def speak(self, language: Language) -> None:
        """Screen and paper in this language from now on."""
        self.language = language
        self.till.returns.language = language.value
        self.till.copies.language = language.value
        if self.counter_in_use is not None:
            self.counter_in_use.checkout.language = language.value
            self.counter_in_use.shifts.language = language.value
            self.counter_in_use.holding.language = language.value

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
