"""The drawer without a sale: cash in, cash out, to the safe, or just opened."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import Button, Choice, Choices, Field, FieldKind, Fields, Sheet
from shared.errors import DomainError
from shared.money import parse_amount
from shared.trade.fact import Approval
from shared.trade.till import CashDirection

NO_SALE = "no-sale"
REASONS = {
    NO_SALE: ("change", "check", "other"),
    CashDirection.PAID_IN: ("change", "float", "other"),
    CashDirection.PAID_OUT: ("supplier", "petty", "other"),
    CashDirection.DROP: ("safe",),
}


class DrawerMenu(PlainOverlay):
    """What is to be done with the drawer."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """Four tiles."""
        items = tuple(Choice(kind, say(f"till.drawer.{kind}")) for kind in REASONS)
        return Sheet(
            kind="drawer",
            title=say("till.drawer.title"),
            parts=(Choices("kind", items, columns=2),),
            buttons=(Button("back", say("till.key.back"), key="Esc"),),
        )

    def act(self, name: str, value: str, values: Values) -> None:
        """A tile."""
        del values
        if name == "kind":
            self._session.pop()
            self._session.push(DrawerMove(self._session, value))


class DrawerMove(PlainOverlay):
    """How much, and why."""

    def __init__(self, session: Session, kind: str) -> None:
        self._session = session
        self._kind = kind

    def sheet(self) -> Sheet:
        """Amount, reason, note; a drawer just opened has no amount."""
        reasons = REASONS[self._kind]
        options: tuple[tuple[str, Text], ...] = tuple(
            (reason, say(f"reason.{reason}")) for reason in reasons
        )
        why = Field(
            "reason", say("till.drawer.reason"), FieldKind.CHOICE, reasons[0], options=options
        )
        fields = [why]
        if self._kind != NO_SALE:
            fields.insert(0, Field("amount", say("till.drawer.amount"), FieldKind.AMOUNT))
            fields.append(Field("note", say("till.drawer.note")))
        return Sheet(
            kind=f"drawer-{self._kind}",
            title=say(f"till.drawer.{self._kind}"),
            parts=(Fields(tuple(fields)),),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("go", say("till.drawer.go"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter does it."""
        if key is Key.ENTER:
            self._move(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "go":
            self._move(values)

    def _move(self, values: Values) -> None:
        session = self._session
        shifts = session.counter.shifts
        operator = session.signed_in.operator_id
        reason = values.get("reason") or REASONS[self._kind][0]
        if self._kind == NO_SALE:
            shifts.no_sale(operator, reason)
            self._done(say("till.drawer.opened"))
            return
        amount = self._amount(values.get("amount", ""))
        direction = CashDirection(self._kind)
        note = values.get("note", "").strip()

        def move(*approvals: Approval) -> None:
            shifts.move_cash(
                operator, direction, amount, reason=reason, note=note, approvals=approvals
            )
            self._done(say("till.drawer.moved", amount=Amount(amount)))

        if direction is CashDirection.PAID_OUT:
            what = say("till.drawer.paid-out")
            ask(session, action=direction.value, what=what, amount=amount, then=move)
        else:
            move()

    def _done(self, text: Text) -> None:
        session = self._session
        session.remove(self)
        session.open_drawer()
        session.written()
        session.tell(text, Tone.GOOD)

    def _amount(self, text: str) -> int:
        currency = self._session.pricing.programme.money
        if not text.strip():
            raise DomainError("bad-amount", text="", currency=currency.code)
        return parse_amount(text, currency)
