"""A price or a discount typed by hand, with a manager's approval."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Tone, goods_name, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Note, Sheet
from shared.errors import DomainError
from shared.money import parse_amount
from shared.trade.fact import Approval


class PriceOverride(PlainOverlay):
    """The new price of one line."""

    def __init__(self, session: Session, line_id: str) -> None:
        self._session = session
        self._line = session.counter.checkout.basket.state.line(line_id)

    def sheet(self) -> Sheet:
        """Name, price now, new price."""
        return Sheet(
            kind="price",
            title=goods_name(self._line.goods),
            parts=(
                Note(say("till.price.now", price=Amount(self._line.unit_price_minor))),
                Fields((Field("price", say("till.price.new"), FieldKind.AMOUNT),)),
                Note(say("till.price.note")),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("set", say("till.price.set"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter asks for the approval."""
        if key is Key.ENTER:
            self._ask(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "set":
            self._ask(values)

    def _ask(self, values: Values) -> None:
        session = self._session
        currency = session.pricing.programme.money
        text = values.get("price", "")
        price = parse_amount(text, currency) if text.strip() else -1
        if price < 0:
            raise DomainError("bad-amount", text=text, currency=currency.code)
        ask(
            session,
            action="price-override",
            what=say(
                "till.price.what",
                name=goods_name(self._line.goods),
                before=Amount(self._line.unit_price_minor),
                after=Amount(price),
            ),
            amount=0,
            then=lambda approval: self._set(price, approval),
        )

    def _set(self, price: int, approval: Approval) -> None:
        session = self._session
        session.check_quiet()
        session.counter.holding.override_price(
            self._line.id, price, approval, session.shift, session.signed_in.operator_id
        )
        session.pop()
        session.tell(say("till.price.done"), Tone.GOOD)
