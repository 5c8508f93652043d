"""Money of a sale goes back and the goods stay: an amount, a reason, a manager's approval."""

from desktop.presenters.approval import ask
from desktop.presenters.intent import Key
from desktop.presenters.refund_told import tell_refund
from desktop.presenters.session import PlainOverlay, Session, Values
from desktop.presenters.text import Amount, say
from desktop.presenters.view import Button, Field, FieldKind, Fields, Note, Sheet
from desktop.services.returns import WITHOUT_GOODS, ReturnedBy
from shared.money import parse_amount
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Approval


class AmountRefund(PlainOverlay):
    """How much goes back of a sale without goods."""

    def __init__(self, session: Session, sold: ReturnableSale, reason: Field) -> None:
        self._session = session
        self._sold = sold
        self._reason = reason

    def sheet(self) -> Sheet:
        """What was paid, the amount and the reason."""
        sale = self._sold.sale
        return Sheet(
            kind="refund-amount",
            title=say("till.refund-amount.title", receipt_no=sale.receipt_no),
            parts=(
                Note(say("till.refund-amount.note", total=Amount(sale.total))),
                Fields((Field("amount", say("till.refund-amount.amount"), FieldKind.AMOUNT),)),
                Fields((self._reason,)),
            ),
            buttons=(
                Button("back", say("till.key.back"), key="Esc"),
                Button("go", say("till.refund-amount.go"), key="Enter", is_primary=True),
            ),
        )

    def press(self, key: Key, values: Values) -> None:
        """Enter asks for the approval."""
        if key in (Key.ENTER, Key.F12):
            self._ask(values)

    def act(self, name: str, value: str, values: Values) -> None:
        """The button."""
        del value
        if name == "go":
            self._ask(values)

    def _ask(self, values: Values) -> None:
        session = self._session
        session.check_quiet()
        amount = parse_amount(values.get("amount", ""), session.pricing.programme.money)
        reason = values.get("reason") or self._reason.value
        ask(
            session,
            action=WITHOUT_GOODS,
            what=say("till.refund-amount.title", receipt_no=self._sold.sale.receipt_no),
            amount=amount,
            then=lambda approval: self._refund(amount, reason, approval),
        )

    def _refund(self, amount: int, reason: str, approval: Approval) -> None:
        session = self._session
        session.check_quiet()
        by = ReturnedBy(
            shift=session.shift,
            operator_id=session.signed_in.operator_id,
            reason=reason,
            approvals=(approval,),
        )
        back = session.till.returns.refund_amount(session.pricing, self._sold, amount, by)
        session.remove(self)
        tell_refund(session, "till.refund-amount.done", back.fact)
