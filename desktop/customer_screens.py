"""Carries what the customer sees to the display on the counter and to the second window."""

from collections.abc import Callable
from dataclasses import dataclass

from desktop.presenters.customer import CustomerLine, CustomerView, customer_view
from desktop.presenters.view import TillView
from desktop.ui.wording import Wording
from hardware.display.port import CustomerDisplay, DisplayLine
from shared.language import Language

Publish = Callable[[TillView], None]


@dataclass(slots=True)
class CustomerScreens:
    """Shows each change once. Called on the till loop's thread; waits for nothing."""

    display: CustomerDisplay | None = None
    window: Callable[[CustomerView], None] | None = None
    _shown: CustomerView | None = None

    def show(self, view: TillView) -> None:
        """The customer's side of a view."""
        seen = customer_view(view)
        if seen == self._shown:
            return
        self._shown = seen
        if self.display is not None:
            self._write(self.display, seen)
        if self.window is not None:
            self.window(seen)

    def beside(self, publish: Publish) -> Publish:
        """Publish to the cashier first, then to the customer."""

        def both(view: TillView) -> None:
            publish(view)
            self.show(view)

        return both

    @staticmethod
    def _write(display: CustomerDisplay, seen: CustomerView) -> None:
        language = seen.language if display.shows_chinese else Language.ENGLISH
        wording = Wording(language, seen.currency)

        def line(one: CustomerLine) -> DisplayLine:
            return DisplayLine(wording.text(one.text), wording.text(one.figure))

        display.show(line(seen.upper), line(seen.lower))
