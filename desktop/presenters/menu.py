"""F10: everything that is not done all day."""

from collections.abc import Callable, Mapping
from typing import Final

from desktop.presenters.drawer import DrawerMenu
from desktop.presenters.figures import ShiftFiguresSheet
from desktop.presenters.intent import Act
from desktop.presenters.members import MemberSearch
from desktop.presenters.open_payments import OpenPayments, UsePayment
from desktop.presenters.papers import UncertainPapers
from desktop.presenters.receipt_form import ReceiptFormSheet
from desktop.presenters.receipts import Receipts
from desktop.presenters.session import Overlay, PlainOverlay, Session, Values
from desktop.presenters.stored_value import CloseCard, PayIn, close_value
from desktop.presenters.taking_part import TakingPart
from desktop.presenters.text import say
from desktop.presenters.view import Button, Choice, Choices, Sheet
from shared.language import Language

COLUMNS = 3
ENTRIES = (
    # The running sale.
    *("discount", "comes-in", "give-up"),
    # Members and their money.
    *("members", "top-up", "close-value"),
    *("sell-card", "close-card", "payments"),
    # Paper and cash.
    *("receipts", "papers", "drawer"),
    # The till and its day.
    *("figures", "close-shift", "sync"),
    *("sign-out", "taking-part", "receipt-form"),
)
"""A row each for what belongs together."""
KEYS = dict(zip("123456789ABCDEFGHI", ENTRIES, strict=True))
"""What is typed for an entry; a letter in either case."""
LEFT_TO_TILL = ("sync", "close-shift", "sign-out", "language")
"""Acted on by the till itself, which knows the pages."""
_SHEETS: Final[Mapping[str, Callable[[Session], Overlay]]] = {
    "close-card": CloseCard,
    "drawer": DrawerMenu,
    "figures": ShiftFiguresSheet,
    "members": MemberSearch,
    "papers": UncertainPapers,
    "receipt-form": ReceiptFormSheet,
    "receipts": Receipts,
    "taking-part": TakingPart,
}


class Menu(PlainOverlay):
    """Tiles, each with the key that stands for it."""

    def __init__(
        self, session: Session, *, use: UsePayment, does: Mapping[str, Callable[[], None]]
    ) -> None:
        self._session = session
        self._use = use
        self._does = does
        """What the sale page does for an entry."""

    def sheet(self) -> Sheet:
        """What there is, and the languages in their own names."""
        items = [Choice(name, say(f"till.menu.{name}"), trailing=key) for key, name in KEYS.items()]
        languages = tuple(
            Choice(one.value, one.own_name, is_selected=one is self._session.language)
            for one in Language
        )
        return Sheet(
            kind="menu",
            title=say("till.menu.title"),
            parts=(
                Choices("menu", tuple(items), columns=COLUMNS, is_compact=True),
                Choices("language", languages, columns=2, is_compact=True),
            ),
            buttons=(Button("back", say("till.key.back"), key="Esc"),),
        )

    def typed(self, text: str) -> None:
        """A tile by its key."""
        if entry := KEYS.get(text.upper()):
            self._session.post(Act("menu", entry))

    def act(self, name: str, value: str, values: Values) -> None:
        """A tile."""
        del values
        if name != "menu" or value in LEFT_TO_TILL:
            return
        session = self._session
        session.pop()
        match value:
            case _ if value in _SHEETS:
                session.push(_SHEETS[value](session))
            case "top-up" | "sell-card":
                session.push(PayIn(session, is_card=value == "sell-card"))
            case "close-value":
                close_value(session)
            case "payments":
                session.push(OpenPayments(session, self._use))
            case _:
                self._does[value]()
