"""What both readers share: a card that lies there is one tap, and bank cards are forgotten."""

from collections.abc import Callable
from threading import Lock

from hardware.nfc.card import CardKind, TappedCard
from hardware.ports import CardData, OnCard


class TapReader:
    """What every reader of tapped cards says of itself, whatever line it stands on."""

    def __init__(self, name: str, *, takes_uid: bool) -> None:
        self._name = name
        self._takes_uid = takes_uid
        self._tapping = Tapping(name)

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    @property
    def dropped(self) -> int:
        """Payment cards that were shown, counted and forgotten."""
        return self._tapping.dropped

    @property
    def foreign(self) -> int:
        """Cards that name nobody."""
        return self._tapping.foreign

    def deliver_to(self, on_card: OnCard | None) -> None:
        """See ``CardReader.deliver_to``."""
        self._tapping.deliver_to(on_card)


class Tapping:
    """Hands over member cards. Thread-safe."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._on_card: OnCard | None = None
        self._lock = Lock()
        self._present = b""
        self.dropped = 0
        """Payment cards that were shown: counted, and nothing else."""
        self.foreign = 0
        """Cards that name nobody."""

    def deliver_to(self, on_card: OnCard | None) -> None:
        """See ``CardReader.deliver_to``."""
        with self._lock:
            self._on_card = on_card

    def saw(self, uid: bytes, read: Callable[[], TappedCard]) -> None:
        """A card lies there; it is read once, until another one or none lies there."""
        if uid == self._present:
            return
        card = read()
        self._present = uid
        with self._lock:
            on_card = self._on_card
        self.dropped += card.kind is CardKind.PAYMENT
        self.foreign += card.kind is CardKind.FOREIGN
        if card.kind is CardKind.MEMBER and on_card is not None:
            on_card(CardData(card.token, self._source))

    def saw_none(self) -> None:
        """Nothing lies there."""
        self._present = b""
