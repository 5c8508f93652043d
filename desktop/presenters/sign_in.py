"""Signing in: a name and a PIN, or an approval card and the PIN."""

from collections.abc import Callable

from desktop.presenters.intent import Key
from desktop.presenters.session import Session, Values
from desktop.presenters.text import Tone, say
from desktop.presenters.view import Button, Choice, Choices, Note, PinPad, Sheet
from desktop.services.operators import MANAGER
from desktop.store.operators import Operator
from shared.catalogue.codes import ApprovalCode, classify
from shared.errors import DomainError
from shared.ids import OperatorId

PIN_LENGTH_MAX = 12


class SignInPage:
    """Who works here now."""

    def __init__(self, session: Session, signed_in: Callable[[], None]) -> None:
        self._session = session
        self._signed_in = signed_in
        self._operators: list[Operator] = []
        self._chosen = ""
        self._pin = ""
        self.refresh()

    def refresh(self) -> None:
        """Somebody may have been added or taken away."""
        self._operators = self._session.till.operators.all()
        if self._chosen not in [one.operator_id for one in self._operators]:
            self._chosen = self._operators[0].operator_id if self._operators else ""
            self._pin = ""

    def sheet(self) -> Sheet:
        """Names on tiles, the PIN pad."""
        names = tuple(
            Choice(
                one.operator_id,
                one.name,
                detail=say("till.role.manager" if one.role == MANAGER else "till.role.cashier"),
                is_selected=one.operator_id == self._chosen,
            )
            for one in self._operators
        )
        note = () if names else (Note(say("till.sign-in.nobody"), Tone.ATTENTION),)
        return Sheet(
            kind="sign-in",
            title=say("till.sign-in.title"),
            parts=(*note, Choices("operator", names, columns=3), PinPad(len(self._pin))),
            buttons=(Button("sign-in", say("till.sign-in.go"), key="Enter", is_primary=True),),
        )

    def typed(self, text: str) -> None:
        """Digits of the PIN."""
        self._pin = (self._pin + "".join(c for c in text if c.isdecimal()))[:PIN_LENGTH_MAX]

    def press(self, key: Key, values: Values) -> None:
        """Enter signs in, up and down choose."""
        del values
        match key:
            case Key.ENTER:
                self._sign_in()
            case Key.BACKSPACE:
                self._pin = self._pin[:-1]
            case Key.ESC:
                self._pin = ""
            case Key.UP | Key.DOWN if self._operators:
                ids = [str(one.operator_id) for one in self._operators]
                step = 1 if key is Key.DOWN else -1
                self._chosen = ids[(ids.index(self._chosen) + step) % len(ids)]
                self._pin = ""
            case _:
                pass

    def act(self, name: str, value: str, values: Values) -> None:
        """A name or a digit was tapped."""
        del values
        match name:
            case "operator":
                self._chosen, self._pin = value, ""
            case "digit":
                self.typed(value)
            case "erase":
                self._pin = self._pin[:-1]
            case "sign-in":
                self._sign_in()
            case _:
                pass

    def scan(self, text: str) -> None:
        """An approval card names its owner; everything else waits until somebody is here."""
        code = classify(text)
        if not isinstance(code, ApprovalCode):
            raise DomainError("sign-in-first")
        self._chosen = self._session.till.operators.by_card(code.code).operator_id
        self._pin = ""

    def _sign_in(self) -> None:
        pin, self._pin = self._pin, ""
        if not self._chosen:
            raise DomainError("unknown-operator")
        operator = self._session.till.operators.sign_in(OperatorId(self._chosen), pin)
        self._session.operator = operator
        self._signed_in()
