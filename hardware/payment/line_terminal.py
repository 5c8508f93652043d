"""A card terminal or wallet gateway that speaks the line protocol (docs/hardware.md, Payments)."""

from typing import Final

from hardware.card.tracks import is_payment_card
from hardware.line_protocol import LineDevice, Message, NotReached
from hardware.ports import (
    NOT_REACHED,
    AttemptState,
    DeviceError,
    PaymentRequest,
    PaymentResult,
    RefundRequest,
)

TEXT_MAX: Final = 64


class LineTerminal(LineDevice):
    """Asks a terminal on the network."""

    def pay(self, request: PaymentRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.pay``. DECLINED ``not-reached`` where no connection came about."""
        try:
            answer = self._line.ask(
                "pay",
                deadline_s=deadline_s,
                attempt=request.attempt_id,
                amount=request.amount.minor,
                currency=request.amount.currency.code,
                **({"code": request.payer_code} if request.payer_code else {}),
            )
        except NotReached:
            return PaymentResult(request.attempt_id, AttemptState.DECLINED, reason=NOT_REACHED)
        except DeviceError:
            return PaymentResult(request.attempt_id, AttemptState.UNKNOWN)
        return _result(request.attempt_id, answer)

    def cancel(self, attempt_id: str, *, deadline_s: float) -> None:
        """See ``PaymentTerminal.cancel``. The answer says nothing that ``pay`` does not say."""
        self._told("cancel", attempt_id, deadline_s, attempt=attempt_id)

    def query(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.query``."""
        return self._told("query", attempt_id, deadline_s, attempt=attempt_id)

    def reverse(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.reverse``."""
        return self._told("reverse", attempt_id, deadline_s, attempt=attempt_id)

    def refund(self, request: RefundRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.refund``."""
        return self._told(
            "refund",
            request.refund_id,
            deadline_s,
            refund=request.refund_id,
            attempt=request.attempt_id,
            amount=request.amount.minor,
            currency=request.amount.currency.code,
        )

    def _told(self, what: str, about: str, deadline_s: float, **fields: object) -> PaymentResult:
        try:
            answer = self._line.ask(what, deadline_s=deadline_s, **fields)
        except DeviceError:
            return PaymentResult(about, AttemptState.UNKNOWN)
        return _result(about, answer)


def _result(about: str, answer: Message) -> PaymentResult:
    """What an answer says; one that makes no sense says nothing, and money may have moved."""
    try:
        state = AttemptState(answer.get("state", ""))
    except ValueError:
        state = AttemptState.UNKNOWN
    return PaymentResult(about, state, _text(answer, "reference"), _text(answer, "reason"))


def _text(answer: Message, field: str) -> str:
    """A field for the journal: short, printable, and never a card's number."""
    text = str(answer.get(field, ""))[:TEXT_MAX]
    return text if text.isprintable() and not is_payment_card(text) else ""
