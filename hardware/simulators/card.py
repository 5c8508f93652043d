"""A card reader to tap at."""

from hardware.card.tracks import is_payment_card
from hardware.ports import CardData, DeviceState, Health, OnCard, Power


class CardReaderSimulator:
    """A ``CardReader`` that is shown the cards it is told to; payment cards never come through."""

    def __init__(self, name: str = "card reader") -> None:
        self._name = name
        self._on_card: OnCard | None = None
        self._is_open = False
        self.dropped = 0
        """Payment cards that were shown, counted and forgotten."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    def open(self) -> None:
        """Switch it on."""
        self._is_open = True

    def close(self) -> None:
        """Switch it off: taps get lost."""
        self._is_open = False

    def deliver_to(self, on_card: OnCard | None) -> None:
        """See ``CardReader.deliver_to``."""
        self._on_card = on_card

    def check_health(self, *, deadline_s: float) -> Health:  # noqa: ARG002 - known without waiting
        """Ready while it is open."""
        state = DeviceState.IDLE if self._is_open else DeviceState.CLOSED
        power = Power.ONLINE if self._is_open else Power.OFF
        key = "devices.card.ready" if self._is_open else "devices.card.closed"
        return Health(self._name, state, power, key)

    def tap(self, token: str) -> None:
        """Show a card."""
        if is_payment_card(token):
            self.dropped += 1
        elif self._is_open and self._on_card:
            self._on_card(CardData(token, self._name))
