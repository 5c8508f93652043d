"""Opening a shift: the float, by denomination."""

from collections.abc import Callable
from datetime import datetime, time

from desktop.presenters.counting import count_fields, read_counts
from desktop.presenters.intent import Key
from desktop.presenters.session import Session, Values
from desktop.presenters.text import Moment, Tone, say
from desktop.presenters.view import Button, Note, Sheet
from shared.errors import DomainError


class OpenShiftPage:
    """The drawer is taken over."""

    def __init__(
        self, session: Session, *, opened: Callable[[], None], left: Callable[[], None]
    ) -> None:
        self._session = session
        self._opened = opened
        self._left = left

    def sheet(self) -> Sheet:
        """Pieces of every denomination."""
        return Sheet(
            kind="open-shift",
            title=say("till.open-shift.title"),
            parts=(
                *self._doubt(),
                Note(say("till.open-shift.note")),
                count_fields(self._session.pricing.programme.money),
            ),
            buttons=(
                Button("sign-out", say("till.menu.sign-out"), key="Esc"),
                Button("open", say("till.open-shift.go"), key="Enter", is_primary=True),
            ),
        )

    def _doubt(self) -> tuple[Note, ...]:
        shifts = self._session.counter.shifts
        if not shifts.is_clock_behind:
            return ()
        zone = self._session.till.books.identity.zone
        day = Moment(datetime.combine(shifts.next_business_date(), time(), zone), is_date=True)
        return (Note(say("till.open-shift.clock-behind", day=day), Tone.ATTENTION),)

    def typed(self, text: str) -> None:
        """Nothing: the fields take what is typed."""

    def press(self, key: Key, values: Values) -> None:
        """Enter opens, Esc signs out."""
        if key is Key.ENTER:
            self._open(values)
        elif key is Key.ESC:
            self._left()

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value
        if name == "open":
            self._open(values)
        elif name == "sign-out":
            self._left()

    def scan(self, text: str) -> None:
        """Goods wait for the shift."""
        del text
        raise DomainError("no-shift")

    def _open(self, values: Values) -> None:
        session = self._session
        counts = read_counts(values, session.pricing.programme.money)
        session.counter.shifts.open(session.signed_in.operator_id, counts)
        session.written()
        self._opened()
