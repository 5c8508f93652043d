"""A card terminal or a wallet's gateway on TCP: line protocol, script, books of its own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hardware.line_protocol import Message
from hardware.ports import AttemptState, PaymentRequest, PaymentResult, RefundRequest
from hardware.simulators.line_server import LineServer
from hardware.simulators.payment_books import PaymentBooks
from shared.errors import DomainError
from shared.money import Currency, Money

TICK_S: Final = 0.02


class TerminalSimulator(LineServer):
    """``provider`` has the books and the script; ``faults`` are those of the line.

    A slow customer pays when ``provider.settle`` says so, or after ``pays_after_s``.
    """

    secret = frozenset({"code"})

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        record: Path | None = None,
        pays_after_s: float | None = None,
    ) -> None:
        super().__init__(port=port, host=host, record=record)
        self.provider = PaymentBooks()
        self._pays_after_s = pays_after_s

    def answer(self, ask: str, question: Message) -> Mapping[str, object] | None:
        """See ``LineServer.answer``."""
        try:
            match ask:
                case "status":
                    return {"state": "ready"}
                case "pay":
                    return _told(self._pay(_request(question)))
                case "cancel":
                    return _told(self.provider.cancel(str(question["attempt"])))
                case "query":
                    return _told(self.provider.query(str(question["attempt"])))
                case "reverse":
                    return _told(self.provider.reverse(str(question["attempt"])))
                case "refund":
                    return _told(self.provider.refund(_refund(question)))
                case _:
                    return {"error": "unknown-question"}
        except (KeyError, TypeError, ValueError, DomainError):
            return {"error": "bad-question"}

    def _pay(self, request: PaymentRequest) -> PaymentResult | None:
        said = self.provider.pay(request)
        while said is None and self._is_pending(request.attempt_id):
            if self._stopping.wait(TICK_S if self._pays_after_s is None else self._pays_after_s):
                return None
            if self._pays_after_s is not None:
                return self.provider.settle(request.attempt_id)
            if not self._is_pending(request.attempt_id):
                return self.provider.query(request.attempt_id)
        return said

    def _is_pending(self, attempt_id: str) -> bool:
        booked = self.provider.books.get(attempt_id)
        return booked is not None and booked.state is AttemptState.UNKNOWN


def _told(result: PaymentResult | None) -> Mapping[str, object] | None:
    if result is None:
        return None
    return {
        "state": result.state.value,
        "reference": result.reference,
        "reason": result.reason,
    }


def _money(question: Message) -> Money:
    return Money(int(question["amount"]), Currency(str(question["currency"])))


def _request(question: Message) -> PaymentRequest:
    return PaymentRequest(str(question["attempt"]), _money(question), str(question.get("code", "")))


def _refund(question: Message) -> RefundRequest:
    return RefundRequest(str(question["refund"]), str(question["attempt"]), _money(question))
