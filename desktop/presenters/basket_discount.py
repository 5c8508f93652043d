"""A discount typed by hand on the whole basket, with a manager's approval."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Note, Part, Sheet
from shared.errors import DomainError
from shared.money import parse_amount, parse_percent
from shared.pricing.basket import HandDiscount
from shared.trade.fact import Approval


class BasketDiscountSheet(PlainOverlay):
    """A percentage or an amount off everything, after all offers."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sheet(self) -> Sheet:
        """What is due, what was given already, and what to give."""
        basket = self._session.counter.checkout.basket
        given = basket.state.discount
        parts: list[Part] = [Note(say("till.discount.now", total=Amount(basket.quote.total_minor)))]
        if given is not None:
            taken = Amount(basket.saved_by(given))
            told = say("till.discount.given", discount=_told(given), amount=taken)
            parts.append(Note(told, Tone.ATTENTION))
        parts += [
            Fields(
                (
                    Field("percent", say("till.discount.percent"), FieldKind.NUMBER),
                    Field("amount", say("till.discount.amount"), FieldKind.AMOUNT),
                )
            ),
            Note(say("till.discount.note")),
        ]
        return Sheet(
            kind="basket-discount",
            title=say("till.discount.title"),
            parts=tuple(parts),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("off", say("till.discount.off"), is_enabled=given is not None),
                Button("set", say("till.discount.set"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter asks for the approval."""
        if key is Key.ENTER:
            self._ask(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A button."""
        del value
        if name == "set":
            self._ask(values)
        elif name == "off":
            self._set(None, None)

    def _ask(self, values: Values) -> None:
        session, basket = self._session, self._session.counter.checkout.basket
        hand = self._typed(values)
        ask(
            session,
            action="basket-discount",
            what=say("till.discount.what", discount=_told(hand)),
            amount=basket.saved_by(hand),
            then=lambda approval: self._set(hand, approval),
        )

    def _typed(self, values: Values) -> HandDiscount:
        """One of both; DomainError ``bad-discount`` and ``bad-amount``."""
        currency = self._session.pricing.programme.money
        percent, amount = values.get("percent", "").strip(), values.get("amount", "").strip()
        if bool(percent) is bool(amount):
            raise DomainError("discount-one-of-both")
        hand = (
            HandDiscount(basis_points=parse_percent(percent))
            if percent
            else HandDiscount(amount_minor=parse_amount(amount, currency))
        )
        if not (hand.basis_points or hand.amount_minor):
            raise DomainError("discount-one-of-both")
        return hand

    def _set(self, hand: HandDiscount | None, approval: Approval | None) -> None:
        session = self._session
        session.check_quiet()
        if session.counter.checkout.is_tendering:
            raise DomainError("tenders-first")
        session.counter.checkout.basket.discount_all(hand, approval)
        session.remove(self)
        session.tell(say("till.discount.done" if hand else "till.discount.gone"), Tone.GOOD)


def _told(hand: HandDiscount) -> Text:
    if hand.basis_points:
        return f"{hand.basis_points / 100:g}%"
    return Amount(hand.amount_minor)
