"""Closing the business day: a check each, then done; it can always be finished."""

from collections.abc import Callable

from desktop.presenters.intent import Key
from desktop.presenters.session import Session, Values
from desktop.presenters.text import Amount, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Figure, Figures, Sheet
from desktop.store.payments import open_payments
from shared.errors import DomainError
from shared.trade.till import DayClosed


class CloseDayPage:
    """What is still open, said before and after."""

    def __init__(self, session: Session, *, left: Callable[[], None]) -> None:
        self._session = session
        self._left = left
        self._closed: DayClosed | None = None

    def sheet(self) -> Sheet:
        """The checks, then the figures of the day."""
        if self._closed is not None:
            return self._closed_sheet(self._closed)
        return Sheet(
            kind="close-day",
            title=say("till.day.title"),
            parts=(Choices("check", self._checks()),),
            buttons=(
                Button("leave", say("till.day.later"), key="Esc"),
                Button("close", say("till.day.go"), key="Enter", is_primary=True),
            ),
        )

    def _checks(self) -> tuple[Choice, ...]:
        session = self._session
        with session.till.books.reading() as connection:
            payments = len(open_payments(connection))
        counts = {
            "held-baskets": len(session.counter.holding.held()),
            "unknown-payments": payments,
            "uncertain-prints": len(session.till.copies.uncertain()),
            "unsent": session.till.unsent(),
        }
        if unsigned := session.till.fiscal.unsigned():
            counts["unsigned-receipts"] = unsigned
        return tuple(
            Choice(
                name,
                say(f"till.day.{name}"),
                trailing=say("till.day.open", count=count) if count else say("till.day.clear"),
                tone=Tone.ATTENTION if count else Tone.GOOD,
            )
            for name, count in counts.items()
        )

    def _closed_sheet(self, closed: DayClosed) -> Sheet:
        left = tuple(
            Choice(code, say(f"till.day.{code}"), tone=Tone.ATTENTION) for code in closed.left_open
        )
        return Sheet(
            kind="day-closed",
            title=say("till.day.done"),
            parts=(
                Figures(
                    (
                        Figure(say("till.day.shifts"), str(len(closed.shifts))),
                        Figure(say("till.figures.sales"), str(closed.sales)),
                        Figure(
                            say("till.figures.turnover"), Amount(closed.turnover), is_strong=True
                        ),
                        Figure(say("till.figures.returns"), str(closed.returns)),
                        Figure(say("till.figures.refunded"), Amount(closed.refunded)),
                        Figure(say("till.figures.expected"), Amount(closed.expected_cash)),
                        Figure(say("till.figures.counted"), Amount(closed.counted_cash)),
                        Figure(say("till.figures.grand-total"), Amount(closed.grand_total)),
                    )
                ),
                Choices("left", left),
            ),
            buttons=(Button("leave", say("till.day.leave"), key="Enter", is_primary=True),),
        )

    def typed(self, text: str) -> None:
        """Nothing."""

    def scan(self, text: str) -> None:
        """The next sale needs a shift."""
        del text
        raise DomainError("no-shift")

    def press(self, key: Key, values: Values) -> None:
        """Enter closes, then leaves; Esc leaves."""
        if key is Key.ENTER:
            self.act("leave" if self._closed else "close", "", values)
        elif key is Key.ESC:
            self.act("leave", "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value, values
        session = self._session
        if name == "leave":
            self._left()
        elif name == "close" and self._closed is None:
            self._closed = session.counter.shifts.close_day(session.signed_in.operator_id)
            session.written()
