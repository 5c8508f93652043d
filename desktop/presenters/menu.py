"""F10: everything that is not done all day."""

from collections.abc import Callable, Mapping

from desktop.presenters.drawer import DrawerMenu
from desktop.presenters.figures import ShiftFiguresSheet
from desktop.presenters.members import MemberSearch
from desktop.presenters.open_payments import OpenPayments, UsePayment
from desktop.presenters.papers import UncertainPapers
from desktop.presenters.receipts import Receipts
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.stored_value import CloseCard, PayIn, close_value
from desktop.presenters.text import say
from desktop.presenters.view import Button, Choice, Choices, Sheet
from shared.language import Language

ENTRIES = (
    "figures",
    "drawer",
    "top-up",
    "close-value",
    "sell-card",
    "close-card",
    "receipts",
    "members",
    "payments",
    "papers",
    "discount",
    "comes-in",
    "give-up",
    "sync",
    "close-shift",
    "sign-out",
)
LEFT_TO_TILL = ("sync", "close-shift", "sign-out", "language")
"""Acted on by the till itself, which knows the pages."""


class Menu(PlainOverlay):
    """Tiles."""

    def __init__(
        self, session: Session, *, use: UsePayment, does: Mapping[str, Callable[[], None]]
    ) -> None:
        self._session = session
        self._use = use
        self._does = does
        """What the sale page does for an entry."""

    def sheet(self) -> Sheet:
        """What there is, and the languages in their own names."""
        items = [Choice(name, say(f"till.menu.{name}")) for name in ENTRIES]
        languages = tuple(
            Choice(one.value, one.own_name, is_selected=one is self._session.language)
            for one in Language
        )
        return Sheet(
            kind="menu",
            title=say("till.menu.title"),
            parts=(
                Choices("menu", tuple(items), columns=3),
                Choices("language", languages, columns=2),
            ),
            buttons=(Button("back", say("till.key.back"), key="Esc"),),
        )

    def act(self, name: str, value: str, values: Values) -> None:  # noqa: C901 - one arm a tile
        """A tile."""
        del values
        if name != "menu" or value in LEFT_TO_TILL:
            return
        session = self._session
        session.pop()
        match value:
            case "figures":
                session.push(ShiftFiguresSheet(session))
            case "drawer":
                session.push(DrawerMenu(session))
            case "top-up" | "sell-card":
                session.push(PayIn(session, is_card=value == "sell-card"))
            case "close-value":
                close_value(session)
            case "close-card":
                session.push(CloseCard(session))
            case "receipts":
                session.push(Receipts(session))
            case "members":
                session.push(MemberSearch(session))
            case "payments":
                session.push(OpenPayments(session, self._use))
            case "papers":
                session.push(UncertainPapers(session))
            case _:
                self._does[value]()
