"""F4: puts the basket aside, or takes one up again."""

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Tone, say, wall_time
from desktop.presenters.view import Button, Choice, Choices, Sheet
from desktop.store.holds import Hold
from shared.errors import DomainError


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
        recall(session, held[0].hold_id)
    else:
        session.push(HeldBaskets(session))


def recall(session: Session, hold_id: str) -> None:
    """Take a basket up, and say so where it costs something else by now.

    One that cannot be priced any more is shown in the list, from where it can be given up.
    """
    try:
        found = session.counter.holding.recall(hold_id)
    except DomainError:
        if not any(isinstance(one, HeldBaskets) for one in session.overlays):
            session.push(HeldBaskets(session))
        raise
    session.overlays[:] = [one for one in session.overlays if not isinstance(one, HeldBaskets)]
    session.counter.checkout.restore(found.state, found.tenders)
    if found.repriced:
        session.tell(say("till.hold.recalled-repriced", count=found.repriced), Tone.ATTENTION)
    else:
        session.tell(say("till.hold.recalled"), Tone.GOOD)


class HeldBaskets(PlainOverlay):
    """Which of several; also where one is given up."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._selected = 0

    @property
    def _held(self) -> list[Hold]:
        return self._session.counter.holding.held()

    def sheet(self) -> Sheet:
        """Held baskets, oldest first."""
        zone = self._session.till.books.identity.zone
        rows = tuple(
            Choice(
                hold.hold_id,
                say("till.hold.at", at=wall_time(hold.held_at, zone)),
                trailing=Amount(hold.total),
                is_selected=index == self._selected,
            )
            for index, hold in enumerate(self._held)
        )
        return Sheet(
            kind="holds",
            title=say("till.hold.title"),
            parts=(Choices("hold", rows, empty=say("till.hold.none")),),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("give-up", say("till.hold.give-up"), key="Del"),
                Button("take", say("till.hold.recall"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter recalls, Del gives up, up and down choose."""
        del values
        held = self._held
        if not held:
            return
        chosen = held[min(self._selected, len(held) - 1)].hold_id
        if key is Key.ENTER:
            recall(self._session, chosen)
        elif key is Key.DELETE:
            self._give_up(chosen)
        elif key in (Key.UP, Key.DOWN):
            step = 1 if key is Key.DOWN else -1
            self._selected = (self._selected + step) % len(held)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or the button."""
        if name == "hold":
            recall(self._session, value)
        elif name == "take":
            self.press(Key.ENTER, values)
        elif name == "give-up":
            self.press(Key.DELETE, values)

    def _give_up(self, hold_id: str) -> None:
        session = self._session
        operator = session.signed_in.operator_id
        paid = session.counter.holding.give_up(hold_id, session.shift, operator)
        session.written()
        if not self._held:
            session.remove(self)
        if paid:
            session.tell(say("till.hold.given-up-paid", amount=Amount(paid)), Tone.ATTENTION)
        else:
            session.tell(say("till.hold.given-up"))
