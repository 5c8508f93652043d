"""One manager action: what is approved, how much, and a manager's own PIN; no network needed."""

from collections.abc import Callable

from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Note, Part, PinPad, Sheet
from desktop.services.operators import MANAGER
from desktop.store.operators import Operator
from shared.errors import DomainError
from shared.ids import OperatorId
from shared.trade.fact import Approval

PIN_LENGTH_MAX = 12

Then = Callable[[Approval], None]


class ApprovalOverlay(PlainOverlay):
    """Asks for a manager and the PIN, then goes on with what was wanted."""

    def __init__(
        self, session: Session, *, action: str, what: Text, amount: int, then: Then
    ) -> None:
        self._session = session
        self._action = action
        self._what = what
        self._amount = amount
        self._then = then
        managers = [one for one in session.till.operators.all() if one.role == MANAGER]
        self._managers = managers
        self._chosen: OperatorId | None = self._first(managers)
        self._pin = ""

    def _first(self, managers: list[Operator]) -> OperatorId | None:
        """Whoever is signed in where that is a manager, else the first."""
        own = self._session.operator
        if own is not None and own.role == MANAGER:
            return own.operator_id
        return managers[0].operator_id if managers else None

    def sheet(self) -> Sheet:
        """What is approved, who approves, and the PIN."""
        parts: list[Part] = [Note(self._what, Tone.ATTENTION)]
        if self._amount:
            parts.append(Note(say("till.approval.amount", amount=Amount(self._amount))))
        if not self._managers:
            parts.append(Note(say("till.approval.nobody"), Tone.REFUSED))
        parts.append(
            Choices(
                "approver",
                tuple(
                    Choice(one.operator_id, one.name, is_selected=one.operator_id == self._chosen)
                    for one in self._managers
                ),
                columns=3,
            )
        )
        parts.append(PinPad(len(self._pin)))
        return Sheet(
            kind="approval",
            title=say("till.approval.title"),
            parts=tuple(parts),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("approve", say("till.approval.approve"), key="Enter", is_primary=True),
            ),
        )

    def typed(self, text: str) -> None:
        """Digits of the PIN."""
        digits = "".join(c for c in text if c.isdecimal())
        self._pin = (self._pin + digits)[:PIN_LENGTH_MAX]

    def press(self, key: Key, values: Values) -> None:
        """Enter approves."""
        del values
        if key is Key.BACKSPACE:
            self._pin = self._pin[:-1]
        elif key is Key.ENTER:
            self._approve()
        elif key in (Key.UP, Key.DOWN) and self._managers:
            ids: list[OperatorId | None] = [one.operator_id for one in self._managers]
            at = ids.index(self._chosen) if self._chosen in ids else 0
            self._chosen = ids[(at + (1 if key is Key.DOWN else -1)) % len(ids)]

    def act(self, name: str, value: str, values: Values) -> None:
        """A name or a digit was tapped."""
        del values
        if name == "approver":
            self._chosen, self._pin = OperatorId(value), ""
        elif name == "digit":
            self.typed(value)
        elif name == "erase":
            self._pin = self._pin[:-1]
        elif name == "approve":
            self._approve()

    def scan(self, text: str) -> bool:
        """An approval card names the approver; the PIN follows always."""
        found = self._session.counter.scanning.identify(text)
        if found is None:
            return False
        self._chosen, self._pin = found.operator.operator_id, ""
        return True

    def _approve(self) -> None:
        pin, self._pin = self._pin, ""
        if self._chosen is None:
            raise DomainError("unknown-operator")
        approval = self._session.till.operators.approve(
            self._chosen, pin, action=self._action, amount=self._amount
        )
        self._session.pop()
        self._then(approval)


def ask(session: Session, *, action: str, what: Text, amount: int, then: Then) -> None:
    """Put the approval on top of whatever is open."""
    session.push(ApprovalOverlay(session, action=action, what=what, amount=amount, then=then))
