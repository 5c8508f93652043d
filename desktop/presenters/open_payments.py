"""Payments and refunds that are not over: asked about at the sign-in, and before a close."""

from collections.abc import Callable

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key, PaymentTold
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, Join, Text, Tone, say, wall_time
from desktop.presenters.view import Button, Choice, Choices, Note, Sheet
from desktop.services.payments import PaymentsBy, Tell
from desktop.store.payments import PaymentAttempt
from shared.errors import DomainError
from shared.trade.fact import Approval, TenderKind
from shared.trade.till import CashDirection, PaymentState

UsePayment = Callable[[PaymentAttempt], None]


def payments_by(session: Session) -> PaymentsBy:
    """Who deals with payments now."""
    return PaymentsBy(session.shift, session.signed_in.operator_id)


def telling(session: Session) -> Tell:
    """How the payment's thread tells the till."""
    return lambda progress: session.post(PaymentTold(progress))


def payer(kind: TenderKind) -> Text:
    """Who is asked for a payment of a kind, in a sentence."""
    return say(f"till.payer.{kind.value}")


def in_the_basket(session: Session) -> set[str]:
    """Attempts that pay for the basket on the screen, or are about to."""
    taken = {tender.attempt_id for tender in session.counter.checkout.tenders}
    return taken | {session.attempt_id()}


def outstanding(session: Session) -> list[PaymentAttempt]:
    """What is not over and not in the basket on the screen."""
    return session.counter.payments.outstanding(taken=in_the_basket(session))


def ask_about_payments(session: Session) -> None:
    """Send the refunds that are booked, and ask about whatever else has no answer."""
    session.counter.payments.ask_again(
        payments_by(session), telling(session), taken=in_the_basket(session)
    )


class OpenPayments(PlainOverlay):
    """Each with what can be done about it."""

    def __init__(self, session: Session, use: UsePayment | None = None) -> None:
        self._session = session
        self._use = use
        self._chosen = ""

    def sheet(self) -> Sheet:
        """The list; buttons are those that the chosen one can take."""
        found = outstanding(self._session)
        chosen = self._selected(found)
        rows = tuple(
            Choice(
                one.attempt_id,
                say("till.payments.refund" if one.is_refund else "till.payments.payment"),
                detail=self._detail(one),
                trailing=Amount(abs(one.amount)),
                is_selected=one is chosen,
                tone=Tone.ATTENTION,
            )
            for one in found
        )
        return Sheet(
            kind="payments",
            title=say("till.payments.title"),
            parts=(
                Note(say("till.payments.note")),
                Choices("payment", rows, empty=say("till.payments.none")),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                *(self._can_do(chosen) if chosen else ()),
            ),
            is_wide=True,
        )

    def _detail(self, one: PaymentAttempt) -> Text:
        kind = "refund-" if one.is_refund else ""
        asking = self._session.counter.payments.is_asking(one.attempt_id)
        state = say("till.payments.asking" if asking else f"till.payments.{kind}{one.state.value}")
        zone = self._session.till.books.identity.zone
        kind_of = self._session.counter.payments.kind_of(one.provider)
        tender = say(f"paper.tender.{kind_of.value}")
        return Join((wall_time(one.requested_at, zone), tender, state), " · ")

    def _selected(self, found: list[PaymentAttempt]) -> PaymentAttempt | None:
        chosen = [one for one in found if one.attempt_id == self._chosen]
        return next(iter(chosen or found), None)

    def _can_do(self, one: PaymentAttempt) -> tuple[Button, ...]:
        if self._session.counter.payments.is_asking(one.attempt_id):
            return ()
        is_reached = self._session.counter.payments.reaches(one.provider)
        if one.is_refund and (one.state is PaymentState.DECLINED or not is_reached):
            return (Button("in-cash", say("till.payments.in-cash"), key="F9", is_primary=True),)
        if not is_reached:
            return ()
        if one.is_refund or one.state is not PaymentState.APPROVED:
            return (self._again(),)
        back = Button("give-back", say("till.payments.give-back"), key="F8")
        lines = self._session.counter.checkout.basket.state.lines
        if self._use is None or not lines:
            return (back,)
        return (back, Button("use", say("till.payments.use"), key="F7", is_primary=True))

    def _again(self) -> Button:
        return Button("again", say("till.payments.again"), key="Enter", is_primary=True)

    def press(self, key: Key, values: Values) -> None:
        """Up and down choose; the rest is on the buttons."""
        found = outstanding(self._session)
        chosen = self._selected(found)
        if chosen is None:
            return
        if key in (Key.UP, Key.DOWN):
            at = found.index(chosen) + (1 if key is Key.DOWN else -1)
            self._chosen = found[at % len(found)].attempt_id
            return
        for button in self._can_do(chosen):
            if button.key == key.value:
                self.act(button.name, "", values)

    def act(self, name: str, value: str, values: Values) -> None:
        """A row or a button."""
        del values
        if name == "payment":
            self._chosen = value
            return
        session = self._session
        chosen = self._selected(outstanding(session))
        if chosen is None or name not in {button.name for button in self._can_do(chosen)}:
            return
        match name:
            case "again":
                ask_about_payments(session)
                session.tell(say("till.payments.asking"))
            case "give-back":
                session.counter.payments.give_back(chosen, payments_by(session), telling(session))
            case "use" if self._use is not None:
                session.remove(self)
                self._use(chosen)
            case "in-cash":
                self._ask_in_cash(chosen)
            case _:
                pass

    def _ask_in_cash(self, refund: PaymentAttempt) -> None:
        ask(
            self._session,
            action="refund-in-cash",
            what=say("till.payments.in-cash-what"),
            amount=-refund.amount,
            then=lambda approval: self._pay_out(refund, approval),
        )

    def _pay_out(self, refund: PaymentAttempt, approval: Approval) -> None:
        session = self._session
        if session.counter.payments.is_asking(refund.attempt_id):
            raise DomainError("payment-running")
        still_open = [one.attempt_id for one in outstanding(session)]
        if refund.attempt_id not in still_open:
            raise DomainError("refund-given-already")
        session.counter.shifts.move_cash(
            session.signed_in.operator_id,
            CashDirection.PAID_OUT,
            -refund.amount,
            reason="refund",
            approvals=(approval,),
            ending=session.counter.payments.ended(refund, payments_by(session)),
        )
        session.open_drawer()
        session.written()
        session.tell(say("till.payments.paid-out", amount=Amount(-refund.amount)), Tone.GOOD)
