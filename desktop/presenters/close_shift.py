"""Closing a shift: counted blind, compared, counted again or explained, then the Z."""

from collections.abc import Callable

from desktop.presenters.counting import count_fields, read_counts
from desktop.presenters.figures import shift_rows
from desktop.presenters.intent import Key
from desktop.presenters.open_payments import OpenPayments, outstanding
from desktop.presenters.session import Session, Values
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import (
    Button,
    Field,
    FieldKind,
    Fields,
    Figure,
    Figures,
    Note,
    Part,
    Sheet,
)
from desktop.services.shifts import count_total
from shared.errors import DomainError
from shared.trade.fact import CashCount
from shared.trade.till import ShiftClosed

REASONS = ("miscounted", "wrong-change", "unknown")


class CloseShiftPage:
    """Count, difference, done."""

    def __init__(
        self,
        session: Session,
        *,
        back: Callable[[], None],
        to_day: Callable[[], None],
        left: Callable[[], None],
    ) -> None:
        self._session = session
        self._back = back
        self._to_day = to_day
        self._left = left
        self._counts: tuple[CashCount, ...] | None = None
        self._difference = 0
        self._recounts = 0
        self._closed: ShiftClosed | None = None

    def sheet(self) -> Sheet:
        """The step at hand."""
        if self._closed is not None:
            return self._closed_sheet(self._closed)
        if self._counts is not None:
            return self._difference_sheet()
        return self._count_sheet()

    def _count_sheet(self) -> Sheet:
        open_count = len(outstanding(self._session))
        held = len(self._session.counter.holding.held())
        parts: list[Part] = [Note(say("till.close.note"))]
        if held:
            parts.append(Note(say("till.close.held", count=held), Tone.ATTENTION))
        if open_count:
            parts.append(Note(say("till.close.payments", count=open_count), Tone.ATTENTION))
        parts.append(count_fields(self._session.pricing.programme.money))
        ask = (Button("resolve", say("till.close.resolve")),) if open_count else ()
        return Sheet(
            kind=f"close-shift-{self._recounts}",
            title=say("till.close.title"),
            parts=tuple(parts),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                *ask,
                Button("count", say("till.close.counted"), key="Enter", is_primary=True),
            ),
        )

    def _difference_sheet(self) -> Sheet:
        options: tuple[tuple[str, Text], ...] = tuple(
            (reason, say(f"reason.{reason}")) for reason in REASONS
        )
        key = "till.close.over" if self._difference > 0 else "till.close.short"
        counted = count_total(self._counts or ())
        return Sheet(
            kind="close-difference",
            title=say("till.close.difference"),
            parts=(
                Note(say(key, amount=Amount(abs(self._difference))), Tone.ATTENTION),
                Figures((Figure(say("till.close.counted-cash"), Amount(counted)),)),
                Fields(
                    (
                        Field(
                            "reason",
                            say("till.close.reason"),
                            FieldKind.CHOICE,
                            REASONS[0],
                            options=options,
                        ),
                    )
                ),
            ),
            buttons=(
                Button("recount", say("till.close.recount"), key="Esc"),
                Button("close", say("till.close.anyway"), key="Enter", is_primary=True),
            ),
        )

    def _closed_sheet(self, closed: ShiftClosed) -> Sheet:
        rows = (
            *shift_rows(closed),
            Figure(say("till.figures.expected"), Amount(closed.expected_cash)),
            Figure(say("till.figures.counted"), Amount(closed.counted_cash), is_strong=True),
            Figure(
                say("till.figures.difference"),
                Amount(closed.counted_cash - closed.expected_cash),
            ),
        )
        return Sheet(
            kind="closed",
            title=say("till.close.done", z=closed.z_number),
            parts=(Figures(rows),),
            buttons=(
                Button("leave", say("till.menu.sign-out"), key="Esc"),
                Button("day", say("till.close.to-day"), key="Enter", is_primary=True),
            ),
        )

    def typed(self, text: str) -> None:
        """Nothing: the fields take what is typed."""

    def scan(self, text: str) -> None:
        """A sale does not begin in the middle of a count."""
        del text
        raise DomainError("counting-now")

    def press(self, key: Key, values: Values) -> None:
        """Enter goes on, Esc back."""
        if key is Key.ENTER:
            self.act(self._forward(), "", values)
        elif key is Key.ESC:
            self.act(self._backward(), "", values)

    def _forward(self) -> str:
        if self._closed is not None:
            return "day"
        return "close" if self._counts is not None else "count"

    def _backward(self) -> str:
        if self._closed is not None:
            return "leave"
        return "recount" if self._counts is not None else "back"

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value
        match name:
            case "count":
                self._compare(read_counts(values, self._session.pricing.programme.money))
            case "recount":
                self._counts = None
                self._recounts += 1
            case "close":
                self._close(values.get("reason") or REASONS[0])
            case "resolve":
                self._session.push(OpenPayments(self._session))
            case "back":
                self._back()
            case "day":
                self._to_day()
            case "leave":
                self._left()
            case _:
                pass

    def _compare(self, counts: tuple[CashCount, ...]) -> None:
        expected = self._session.counter.shifts.figures().expected_cash
        self._counts = counts
        self._difference = count_total(counts) - expected
        if self._difference == 0:
            self._close("")

    def _close(self, reason: str) -> None:
        session = self._session
        assert self._counts is not None
        self._closed = session.counter.shifts.close(
            session.signed_in.operator_id, self._counts, difference_reason=reason
        )
        session.written()
