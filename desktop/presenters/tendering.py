"""The tender panel: any number of payments until nothing is due."""

from desktop.presenters.cash import suggested_notes
from desktop.presenters.intent import Key
from desktop.presenters.open_payments import payer, payments_by, telling
from desktop.presenters.session import Session
from desktop.presenters.text import Amount, Text, Tone, say
from desktop.presenters.view import Attempt, TenderPanel, TenderRow
from desktop.services.checkout import Checkout
from desktop.services.payments import PaymentProgress
from desktop.store.payments import PaymentAttempt
from hardware.ports import CANCELLED, NOT_REACHED
from shared.errors import DomainError
from shared.money import parse_amount
from shared.points import format_points
from shared.trade.fact import Tender, TenderKind
from shared.trade.till import PaymentState

_TONE = {
    PaymentState.REQUESTED: Tone.INFO,
    PaymentState.APPROVED: Tone.GOOD,
    PaymentState.DECLINED: Tone.REFUSED,
    PaymentState.UNKNOWN: Tone.ATTENTION,
    PaymentState.REVERSED: Tone.ATTENTION,
}


class Tendering:
    """Takes payments for the basket; the sale page finishes once it is settled."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.is_open = False
        self.entry = ""
        self._attempt: PaymentProgress | None = None
        self._cancelled = ""
        """The attempt that was asked to stop."""

    @property
    def _checkout(self) -> Checkout:
        return self._session.counter.checkout

    @property
    def is_waiting(self) -> bool:
        """Whether a payment is on its way: nothing else may be paid or changed meanwhile."""
        return self._attempt is not None and not self._attempt.is_final

    def reset(self) -> None:
        """The sale is done."""
        self.is_open = False
        self.entry = ""
        self._attempt = None

    def open(self) -> None:
        """Slide in; DomainError where nothing can be paid."""
        self._checkout.check_ready()
        self.is_open = True

    def check_quiet(self) -> None:
        """DomainError ``payment-running`` while a payment is on its way."""
        if self.is_waiting:
            raise DomainError("payment-running")

    def back(self) -> None:
        """One step back: what was typed, then the panel; taken payments keep it open."""
        if self.entry:
            self.entry = ""
        elif self._attempt is not None and not self._attempt.is_final:
            self._cancel(self._attempt)
        elif self._checkout.is_tendering:
            self._session.tell(say("till.tender.taken-first"), Tone.ATTENTION)
        else:
            self.is_open = False
            self._attempt = None
            self._checkout.plan(None)

    def _cancel(self, running: PaymentProgress) -> None:
        """Whoever pays is let go, if they have not paid yet; asked for once."""
        if self._cancelled == running.attempt_id:
            self._session.tell(say("till.tender.wait"), Tone.ATTENTION)
            return
        self._cancelled = running.attempt_id
        self._session.counter.payments.cancel(running)
        self._session.tell(say("till.tender.cancelling", who=payer(running.kind)), Tone.ATTENTION)

    def amount_typed(self) -> int | None:
        """What was typed, as money, once; None where nothing was typed."""
        if not self.entry:
            return None
        text, self.entry = self.entry, ""
        return parse_amount(text, self._session.pricing.programme.money)

    def cash(self, given: int | None) -> None:
        """Take cash."""
        self.check_quiet()
        self._checkout.tender_cash(given)
        self._settled_otherwise()

    def card(self) -> None:
        """Ask the card terminal; without one that listens, record what was paid on it."""
        self.check_quiet()
        if self._session.counter.payments.takes(TenderKind.CARD):
            self._ask(TenderKind.CARD)
            return
        self._checkout.tender(TenderKind.CARD, self._amount(TenderKind.CARD))
        self._settled_otherwise()

    def _amount(self, kind: TenderKind) -> int:
        """What was typed, else all that this way of paying may pay of what is due."""
        checkout, typed = self._checkout, self.amount_typed()
        checkout.plan(kind)
        wanted = typed or checkout.payable(kind)
        if wanted < checkout.due().amount:
            # It does not pay everything: what offers ask for that is not given.
            checkout.plan(None)
            wanted = typed or checkout.payable(kind)
        # Where it may pay nothing at all, asking for everything says why.
        return wanted or checkout.due().amount

    def voucher(self) -> None:
        """Record third-party paper."""
        self.check_quiet()
        self._checkout.tender(TenderKind.VOUCHER, self._amount(TenderKind.VOUCHER))
        self._settled_otherwise()

    def lower(self) -> bool:
        """Lower the price with points, where the programme says so; whether it did."""
        self.check_quiet()
        offered = self._checkout.points_offered().points
        typed = int(self.entry) if self.entry.isdecimal() else offered
        if not self._checkout.lower_with_points(typed):
            return False
        self.entry = ""
        return True

    def points(self) -> None:
        """Pay with the points typed, or with as many as the programme lets pay."""
        self.check_quiet()
        if self._checkout.basket.state.member is None:
            raise DomainError("points-need-member")
        typed, self.entry = self.entry, ""
        offered = self._checkout.points_offered().points
        self._checkout.tender_points(int(typed) if typed.isdecimal() else offered)
        self._settled_otherwise()

    def stored_value(self) -> None:
        """Pay with the member's stored value: the amount typed, or all that it may pay."""
        self.check_quiet()
        self._checkout.tender_stored_value(self.amount_typed())
        self._settled_otherwise()

    def gift_card(self, code: str) -> None:
        """Pay with a gift card that was scanned."""
        self.open()
        self.check_quiet()
        self._checkout.tender_gift_card(code, self.amount_typed())
        self._settled_otherwise()

    def wallet(self, code: str) -> None:
        """Ask the customer's wallet for the amount typed, or for the whole rest."""
        self.open()
        self.check_quiet()
        self._ask(TenderKind.WALLET, code)

    def _ask(self, kind: TenderKind, code: str = "") -> None:
        amount = self._amount(kind)
        # What is asked for has to be taken when it is approved: everything is looked at before.
        self._checkout.check_tender(kind, amount)
        self._attempt = self._session.counter.payments.begin(
            payments_by(self._session),
            amount=amount,
            payer_code=code,
            tell=telling(self._session),
            kind=kind,
        )

    def use(self, found: PaymentAttempt) -> None:
        """Take a payment that was approved for a sale that never came about."""
        self.open()
        self.check_quiet()
        self._checkout.tender(
            self._session.counter.payments.kind_of(found.provider),
            found.amount,
            provider=found.provider,
            attempt_id=found.attempt_id,
            reference=found.reference,
        )
        self._settled_otherwise()

    @property
    def attempt_id(self) -> str:
        """The payment on its way; empty where none is."""
        return self._attempt.attempt_id if self._attempt and self.is_waiting else ""

    def progressed(self, progress: PaymentProgress) -> bool:
        """A payment went on; approved money settles what is due. Whether it was taken."""
        if self._attempt is None or progress.attempt_id != self._attempt.attempt_id:
            self._tell_other(progress)
            return False
        self._attempt = progress
        if progress.is_final and progress.state is PaymentState.APPROVED:
            self._attempt = None
            self._checkout.tender(
                progress.kind,
                progress.amount,
                provider=progress.provider,
                attempt_id=progress.attempt_id,
                reference=progress.reference,
            )
            return True
        return False

    def _tell_other(self, progress: PaymentProgress) -> None:
        """News of a payment that is not the basket's, or of a refund."""
        what = "refund" if progress.is_refund else "attempt"
        key = f"till.{what}.{progress.state.value}"
        if not progress.is_refund:
            key = f"till.attempt.other-{progress.state.value}"
        text = say(key, amount=Amount(abs(progress.amount)), who=payer(progress.kind))
        is_given = progress.is_refund and progress.state is PaymentState.APPROVED
        is_over = progress.state is PaymentState.DECLINED and not progress.is_refund
        tone = Tone.GOOD if is_given else Tone.INFO if is_over else Tone.ATTENTION
        self._session.tell(text, tone)

    def withdraw(self, index: int) -> None:
        """Give a payment back; what a wallet has paid is reversed there."""
        self.check_quiet()
        session, payments = self._session, self._session.counter.payments
        tender = self._checkout.tenders[index]
        if tender.attempt_id and not payments.reaches(tender.provider):
            raise DomainError("no-wallet")
        self._checkout.withdraw(index)
        for found in payments.outstanding() if tender.attempt_id else ():
            if found.attempt_id == tender.attempt_id:
                payments.give_back(found, payments_by(session), telling(session))

    def withdraw_last(self) -> None:
        """Give back what was taken last."""
        self.withdraw(len(self._checkout.tenders) - 1)

    def make_changeable(self) -> None:
        """Before the basket changes: a points payment was made for the basket as it was."""
        self.check_quiet()
        for index, tender in reversed(list(enumerate(self._checkout.tenders))):
            if tender.tender is TenderKind.POINTS:
                self._checkout.withdraw(index)
                self._session.tell(say("till.tender.points-back"), Tone.ATTENTION)

    def type(self, text: str) -> None:
        """Digits of an amount."""
        self.entry = (self.entry + "".join(c for c in text if c.isdecimal() or c == "."))[:12]

    def press_back(self, key: Key) -> None:
        """Take a digit back."""
        if key is Key.BACKSPACE:
            self.entry = self.entry[:-1]

    def view(self) -> TenderPanel | None:
        """The panel; None while it is closed."""
        checkout = self._checkout
        if not checkout.basket.state.lines and not self.is_waiting:
            self.reset()
        if not self.is_open:
            return None
        due = checkout.due()
        return TenderPanel(
            due=due.amount,
            due_in_cash=due.in_cash,
            entry=self.entry,
            notes=suggested_notes(due.in_cash, checkout.basket.pricing.programme.money),
            tenders=tuple(self._row(tender) for tender in checkout.tenders),
            points_offered=self.offered(),
            value_offered=self.value_offered(),
            attempt=self._attempt_view(),
            savings=tuple(_saving(*one) for one in checkout.saved_by_paying()),
            is_settled=checkout.can_finish,
        )

    def offered(self) -> Text:
        """What the member's points could pay now; empty where nothing."""
        checkout = self._checkout
        if not checkout.basket.state.lines:
            return ""
        offer = checkout.points_offered()
        if not offer.points:
            return ""
        decimals = checkout.basket.pricing.programme.points.decimals
        return say(
            "till.tender.points-offered",
            points=format_points(offer.points, decimals),
            worth=Amount(offer.value_minor),
        )

    def value_offered(self) -> Text:
        """What the member's stored value could pay now; empty where there is none."""
        member = self._checkout.basket.state.member
        if member is None or member.wallet.total <= 0:
            return ""
        return say(
            "till.tender.value-offered",
            here=Amount(self._checkout.value_offered()),
            balance=Amount(member.wallet.total),
        )

    def _settled_otherwise(self) -> None:
        """A refused attempt is of no interest once something else was taken."""
        if self._attempt is not None and self._attempt.is_final:
            self._attempt = None

    def _row(self, tender: Tender) -> TenderRow:
        kind = "exchange" if tender.is_set_off else tender.tender.value
        text: Text = say(f"paper.tender.{kind}")
        return TenderRow(text, tender.amount)

    def _attempt_view(self) -> Attempt | None:
        attempt = self._attempt
        if attempt is None:
            return None
        state = attempt.state.value
        key = f"till.attempt.{state}" if attempt.is_final else f"till.attempt.{state}-running"
        if attempt.reason in (NOT_REACHED, CANCELLED):
            key = f"till.attempt.{attempt.reason}"
        text = say(key, amount=Amount(attempt.amount), who=payer(attempt.kind))
        return Attempt(text, _TONE[attempt.state], is_running=not attempt.is_final)


def _saving(kind: TenderKind, off: int) -> Text:
    tender = say(f"paper.tender.{kind.value}")
    return say("till.tender.saves", tender=tender, amount=Amount(off))
