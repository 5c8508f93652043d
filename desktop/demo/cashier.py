"""What a cashier does at the till, step by step, with hands and eyes only."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from desktop.demo.hands import Hands
from desktop.demo.history import pieces_of
from desktop.demo.stock import Operator, Stock
from desktop.presenters.text import Tone, key_of
from desktop.presenters.view import Fields, Page, TillView
from desktop.reckoning.file import reading

FLOAT_MINOR: Final = 50_000
Tell = Callable[[str], None]


class Cashier:
    """One till's cashier."""

    def __init__(self, hands: Hands, stock: Stock, file: Path, tell: Tell) -> None:
        self.hands = hands
        self.stock = stock
        self._file = file
        self._tell = tell
        self.last_receipt = ""

    # The shift

    def sign_in(self, operator: Operator) -> None:
        """Name and PIN, as soon as the till is up to date."""
        hands = self.hands
        self.wait_for_names()
        hands.tap(operator.name)
        hands.type(operator.pin)
        hands.press("Enter")
        hands.wait("the next page", lambda view: view.page is not Page.SIGN_IN)
        self._tell(f"{operator.name} signs in")

    def wait_for_names(self) -> None:
        """Until the till knows who works here."""
        self.hands.wait("names to sign in", _is_online)

    def open_shift(self) -> None:
        """The float, counted piece by piece."""
        self.count(FLOAT_MINOR)
        self.hands.wait("the sale page", lambda view: view.page is Page.SALE)

    def count(self, amount: int) -> None:
        """Type how many pieces of each denomination lie in the drawer."""
        pieces = {f"pieces-{one.denomination}": one.pieces for one in pieces_of(amount)}
        fields = next(part for part in self.hands.sheet.parts if isinstance(part, Fields))
        self.hands.touch_first_field()
        self.hands.fill(*(str(pieces[field.name] or "") for field in fields.fields))

    def close_shift(self, *, miscount: int = 0) -> None:
        """On the count: blind, wrongly at first by ``miscount``, then the Z."""
        cash = cash_in_drawer(self._file)
        if miscount:
            self.count(cash - miscount)
            self.hands.picture("close-difference")
            self.hands.press("Esc")
        self.count(cash)
        self.hands.wait("the Z", lambda _: self.hands.sheet.kind == "closed")
        self.hands.picture("closed")
        self._tell("shift closed on a blind count")

    def to_close_shift(self) -> None:
        """To the count."""
        self.menu("close-shift")
        self.hands.wait("the count", lambda view: view.page is Page.CLOSE_SHIFT)

    def close_day(self) -> None:
        """After the Z: the checks, the close, and out."""
        hands = self.hands
        hands.press("Enter")
        hands.picture("close-day")
        hands.press("Enter")
        hands.wait("the day's end", lambda _: hands.sheet.kind == "day-closed")
        hands.picture("day-closed")
        hands.press("Enter")
        hands.wait("the sign-in", lambda view: view.page is Page.SIGN_IN)
        self._tell("business day closed")

    def menu(self, entry: str) -> None:
        """F10 and a tile."""
        self.hands.press("F10")
        self.hands.tap(self.hands.say(f"till.menu.{entry}"))

    # Selling

    def ring(self, *names: str, member: str = "") -> None:
        """Scan goods by name, and a member's card."""
        self.hands.scan(*(self.stock.code(name) for name in names))
        if member:
            self.hands.scan(member)

    def pay(self, *keys: str) -> str:
        """Press the keys that settle the sale; the receipt's number."""
        self.hands.press(*(keys or ("F12",)))
        return self.paid()

    def pay_notes(self, given: str) -> str:
        """Type what the customer hands over, then F12."""
        self.hands.type(given)
        return self.pay()

    def paid(self) -> str:
        """Wait for the strip of the finished sale."""

        def is_done(view: TillView) -> bool:
            change = getattr(view.body, "change", None)
            return change is not None and change.receipt_no != self.last_receipt

        self.hands.wait("the end of the sale", is_done)
        change = self.hands.sale.change
        assert change is not None
        self.last_receipt = change.receipt_no
        self._tell(f"sale {change.receipt_no}  {change.total / 100:.2f}")
        return change.receipt_no

    def sell(self, *names: str, member: str = "") -> str:
        """Ring up and take exact cash in one action."""
        self.ring(*names, member=member)
        return self.pay()

    def enrol(self, name: str, phone: str) -> None:
        """Fill the fields that an unknown card has opened."""
        self.hands.fill(name)
        self.hands.fill(phone)
        self.hands.press("Enter")
        self.told("till.sale.member-found")
        self._tell(f"{name} joins")

    def take_back(self, receipt_no: str) -> None:
        """Scan a receipt and take its first line back."""
        self.hands.scan(receipt_no)
        self.hands.tap("+")
        self.hands.press("F12")
        self.told("till.return.done")
        self._tell(f"goods of {receipt_no} come back")

    def override(self, price: str, manager: Operator, *, picture: bool = False) -> None:
        """Type a price for the newest line; the manager comes and approves."""
        hands = self.hands
        hands.press("F8")
        if picture:
            hands.picture("price")
        hands.fill(price)
        if picture:
            hands.picture("approval")
        hands.type(manager.pin)
        hands.press("Enter")
        self.told("till.price.done")
        self._tell(f"price changed to {price}, approved by {manager.name}")

    def told(self, key: str) -> None:
        """Wait for a message."""

        def says(view: TillView) -> bool:
            text = view.message.text if view.message else ""
            return key_of(text) == key

        self.hands.wait(key, says)

    # The network

    def wait_offline(self) -> None:
        """Until the top bar says so."""
        self.hands.wait(
            "the cut network",
            lambda view: view.top is not None and view.top.sync_tone is Tone.ATTENTION,
        )

    def wait_online(self, unsent: Callable[[], int]) -> None:
        """Until everything is sent and the top bar says so."""
        self.hands.wait("everything sent", lambda view: _is_online(view) and not unsent())

    @staticmethod
    def idle(seconds: float) -> None:
        """No customer for a while."""
        time.sleep(seconds)


def _is_online(view: TillView) -> bool:
    return view.top is not None and view.top.sync_tone is Tone.GOOD


def cash_in_drawer(file: Path) -> int:
    """What lies in the drawer, minor units: everything the open shift's facts put in or took out.

    A real cashier counts it; here the till's file is read, past all of the till's own code.
    """
    cash = 0
    with reading(file) as connection:
        rows = connection.execute("SELECT bytes FROM entries ORDER BY epoch, seq").fetchall()
    for told in (json.loads(encoded) for (encoded,) in rows):
        body = told["body"]
        match told["kind"]:
            case "shift_opened":
                cash = body["float_amount"]
            case "sale_completed":
                cash += _cash(body["tenders"])
            case "sale_returned":
                cash -= _cash(body["refunds"])
            case "cash_moved":
                sign = 1 if body["direction"] == "paid-in" else -1
                cash += sign * body["amount"]
            case _:
                pass
    return cash


def _cash(tenders: Sequence[dict[str, Any]]) -> int:
    return sum(int(one["amount"]) for one in tenders if one["tender"] == "cash")
