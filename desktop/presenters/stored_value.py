"""Stored value and gift cards over the counter: top up, pay out, sell a card, pay a card out."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.session import Overlay, PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Note, Part, Sheet
from desktop.services.stored_value import VALUE_OUT, By, Written, paying
from desktop.store.members import Member
from shared.errors import DomainError
from shared.money import parse_amount
from shared.trade.fact import Approval, TenderKind
from shared.trade.value import ValueToppedUp

WAYS = (TenderKind.CASH, TenderKind.CARD)


class PayIn(PlainOverlay):
    """Money for a member's stored value, or for a gift card."""

    def __init__(self, session: Session, *, is_card: bool) -> None:
        self._session = session
        self._is_card = is_card
        self._code = ""
        self._name = "sell-card" if is_card else "top-up"

    def sheet(self) -> Sheet:
        """How much, how it is paid; of a card its code, where it is one from the rack."""
        ways: tuple[tuple[str, Text], ...] = tuple(
            (way.value, say(f"paper.tender.{way.value}")) for way in WAYS
        )
        fields = [
            Field("amount", say("till.value.amount"), FieldKind.AMOUNT),
            Field("given", say("till.value.given"), FieldKind.AMOUNT, is_optional=True),
            Field("way", say("till.value.way"), FieldKind.CHOICE, WAYS[0].value, options=ways),
        ]
        if self._is_card:
            fields.append(Field("code", say("till.value.code"), value=self._code, is_optional=True))
        parts: list[Part] = [self._note(), Fields(tuple(fields))]
        return Sheet(
            kind=f"{self._name}-{bool(self._code)}",
            title=say(f"till.menu.{self._name}"),
            parts=tuple(parts),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("go", say("till.value.take"), key="Enter", is_primary=True),
            ),
        )

    def _note(self) -> Note:
        if self._is_card:
            return Note(say("till.value.card-note"))
        member = _member(self._session)
        if member is None:
            return Note(say("till.value.member-first"), Tone.ATTENTION)
        wallet = member.wallet
        return Note(
            say(
                "till.value.has",
                name=member.name,
                principal=Amount(wallet.principal),
                bonus=Amount(wallet.bonus),
            )
        )

    def scan(self, text: str) -> bool:
        """A card from the rack."""
        if not self._is_card or not self._session.counter.cards.is_card(text):
            return False
        self._code = text.strip()
        return True

    def press(self, key: Key, values: Values) -> None:
        """Enter takes the money."""
        if key is Key.ENTER:
            self._take(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "go":
            self._take(values)

    def _take(self, values: Values) -> None:
        session = self._session
        amount = _amount(session, values.get("amount", ""))
        given = values.get("given", "").strip()
        way = TenderKind(values.get("way") or WAYS[0].value)
        tender = paying(way, amount, _amount(session, given) if given else None)
        by = By(session.shift, session.signed_in.operator_id)
        desk = session.counter.value
        if self._is_card:
            code = values.get("code", "") or self._code
            session.counter.cards.sell(session.pricing, amount, tender, by, code=code)
            change = Amount(tender.change)
            told: Text = say("till.value.card-sold", amount=Amount(amount), change=change)
        else:
            member = _member(session)
            if member is None:
                raise DomainError("stored-value-needs-member")
            done = desk.top_up(session.pricing, member, amount, tender, by)
            refresh(session, member)
            told = _topped_up(done, tender.change)
        _done(session, self, told, opens_drawer=way is TenderKind.CASH)


def _topped_up(done: Written, change: int) -> Text:
    fact = done.fact
    assert isinstance(fact, ValueToppedUp)
    return say(
        "till.value.topped-up",
        amount=Amount(fact.amount),
        bonus=Amount(fact.bonus),
        balance=Amount(fact.after.principal + fact.after.bonus),
        change=Amount(change),
    )


def close_value(session: Session) -> None:
    """Pay the member's principal out, once a manager allows it."""
    session.check_quiet()
    member = _member(session)
    if member is None:
        raise DomainError("stored-value-needs-member")
    _check_untendered(session)
    desk = session.counter.value
    amount = desk.to_pay_out(session.pricing, member)

    def pay_out(approval: Approval) -> None:
        by = By(session.shift, session.signed_in.operator_id)
        desk.close(session.pricing, member, by, (approval,))
        refresh(session, member)
        _done(session, None, say("till.value.paid-out", amount=Amount(amount)), opens_drawer=True)

    what = say("till.value.pay-out-what", forfeited=Amount(member.wallet.bonus))
    ask(session, action=VALUE_OUT, what=what, amount=amount, then=pay_out)


class CloseCard(PlainOverlay):
    """What is left on a gift card is paid out."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._code = ""

    def sheet(self) -> Sheet:
        """The card."""
        code = Field("code", say("till.value.code"), value=self._code)
        return Sheet(
            kind=f"close-card-{bool(self._code)}",
            title=say("till.menu.close-card"),
            parts=(Note(say("till.value.close-card-note")), Fields((code,))),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("go", say("till.value.pay-out"), key="Enter", is_primary=True),
            ),
        )

    def scan(self, text: str) -> bool:
        """The card is scanned."""
        if not self._session.counter.cards.is_card(text):
            return False
        self._code = text.strip()
        self._ask(self._code)
        return True

    def press(self, key: Key, values: Values) -> None:
        """Enter asks the manager."""
        if key is Key.ENTER:
            self._ask(values.get("code", "") or self._code)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "go":
            self._ask(values.get("code", "") or self._code)

    def _ask(self, code: str) -> None:
        session, desk = self._session, self._session.counter.cards
        amount = desk.left_on(session.pricing, code)

        def pay_out(approval: Approval) -> None:
            by = By(session.shift, session.signed_in.operator_id)
            desk.close(session.pricing, code, by, (approval,))
            told = say("till.value.paid-out", amount=Amount(amount))
            _done(session, self, told, opens_drawer=True)

        what = say("till.value.card-out-what")
        ask(session, action=VALUE_OUT, what=what, amount=amount, then=pay_out)


def refresh(session: Session, member: Member) -> None:
    """Show the member's accounts as they are by now, where the basket is theirs."""
    basket = session.counter.checkout.basket
    attached = basket.state.member
    if attached is not None and attached.member_id == member.member_id:
        basket.attach(session.till.members.by_id(member.member_id))


def _member(session: Session) -> Member | None:
    return session.counter.checkout.basket.state.member


def _check_untendered(session: Session) -> None:
    if session.counter.checkout.is_tendering:
        raise DomainError("tenders-first")


def _done(session: Session, overlay: Overlay | None, told: Text, *, opens_drawer: bool) -> None:
    if overlay is not None:
        session.remove(overlay)
    if opens_drawer:
        session.open_drawer()
    session.written()
    session.tell(told, Tone.GOOD)


def _amount(session: Session, text: str) -> int:
    currency = session.pricing.programme.money
    if not text.strip():
        raise DomainError("bad-amount", text="", currency=currency.code)
    return parse_amount(text, currency)
