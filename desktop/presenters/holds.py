"""F4: puts the basket aside, or takes one up again."""

from datetime import datetime

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Moment, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Sheet
from desktop.store.holds import Hold


def hold_or_recall(session: Session) -> None:
    """Hold with lines in the basket; recall without: at once where there is only one."""
    counter = session.counter
    if counter.checkout.basket.state.lines:
        counter.holding.hold(session.shift, session.signed_in.operator_id)
        session.written()
        session.tell(say("till.hold.held"), Tone.GOOD)
        return
    held = counter.holding.held()
    if not held:
        session.tell(say("till.hold.none"))
    elif len(held) == 1:
        counter.holding.recall(held[0].hold_id)
        session.tell(say("till.hold.recalled"), Tone.GOOD)
    else:
        session.push(HeldBaskets(session, held))


class HeldBaskets(PlainOverlay):
    """Which of several."""

    def __init__(self, session: Session, held: list[Hold]) -> None:
        self._session = session
        self._held = held
        self._selected = 0

    def sheet(self) -> Sheet:
        """Held baskets, oldest first."""
        zone = self._session.till.books.identity.zone
        rows = tuple(
            Choice(
                hold.hold_id,
                say(
                    "till.hold.at", at=Moment(datetime.fromisoformat(hold.held_at).astimezone(zone))
                ),
                trailing=Amount(hold.total),
                is_selected=index == self._selected,
            )
            for index, hold in enumerate(self._held)
        )
        return Sheet(
            kind="holds",
            title=say("till.hold.title"),
            parts=(Choices("hold", rows),),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("take", say("till.hold.recall"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter recalls, up and down choose."""
        del values
        if key is Key.ENTER:
            self._recall(self._held[self._selected].hold_id)
        elif key in (Key.UP, Key.DOWN):
            step = 1 if key is Key.DOWN else -1
            self._selected = (self._selected + step) % len(self._held)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or the button."""
        if name == "hold":
            self._recall(value)
        elif name == "take":
            self.press(Key.ENTER, values)

    def _recall(self, hold_id: str) -> None:
        self._session.pop()
        self._session.counter.holding.recall(hold_id)
        self._session.tell(say("till.hold.recalled"), Tone.GOOD)
