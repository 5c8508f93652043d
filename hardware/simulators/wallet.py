"""A wallet without a line: its books are asked directly, and silence passes the time."""

from collections.abc import Callable
from threading import Event

from hardware.ports import AttemptState, PaymentRequest, PaymentResult, RefundRequest
from hardware.simulators.payment_books import BookedAttempt, BookedRefund, PaymentBooks

Wait = Callable[[float], object]


class WalletSimulator:
    """A ``PaymentTerminal`` in this process.

    ``wait`` is how silence passes the time until the deadline; tests and headless runs give one
    that does not wait. ``provider`` is the other side, with its books and its script.
    """

    def __init__(self, name: str = "wallet", *, wait: Wait | None = None) -> None:
        self._name = name
        self._wait: Wait = Event().wait if wait is None else wait
        self.provider = PaymentBooks()
        self.script = self.provider.script
        self.cut = self.provider.cut
        self.revive = self.provider.revive

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self._name

    @property
    def books(self) -> dict[str, BookedAttempt]:
        """Every attempt the provider knows, by id."""
        return self.provider.books

    @property
    def refunds(self) -> dict[str, BookedRefund]:
        """Every refund the provider knows, by its id."""
        return self.provider.refunds

    def pay(self, request: PaymentRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.pay``; a repeated attempt id is answered from the books."""
        return self._heard(self.provider.pay(request), request.attempt_id, deadline_s)

    def cancel(self, attempt_id: str, *, deadline_s: float) -> None:
        """See ``PaymentTerminal.cancel``."""
        del deadline_s
        self.provider.cancel(attempt_id)

    def query(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.query``."""
        return self._heard(self.provider.query(attempt_id), attempt_id, deadline_s)

    def reverse(self, attempt_id: str, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.reverse``."""
        return self._heard(self.provider.reverse(attempt_id), attempt_id, deadline_s)

    def refund(self, request: RefundRequest, *, deadline_s: float) -> PaymentResult:
        """See ``PaymentTerminal.refund``; never more in all than an attempt has paid."""
        return self._heard(self.provider.refund(request), request.refund_id, deadline_s)

    def _heard(self, answer: PaymentResult | None, about: str, deadline_s: float) -> PaymentResult:
        if answer is not None:
            return answer
        self._wait(deadline_s)
        return PaymentResult(about, AttemptState.UNKNOWN)
