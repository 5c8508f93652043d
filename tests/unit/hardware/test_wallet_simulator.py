"""The simulated wallet keeps the promises of the port, and its own books."""

from hardware.ports import AttemptState, PaymentRequest
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.wallet import WalletSimulator
from shared.money import Currency, Money

AMOUNT = Money(1250, Currency("CNY"))


class Waits(list[float]):
    """Passes no time, and remembers how long it should have."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def wallet(*script: Behaviour) -> tuple[WalletSimulator, Waits]:
    waits = Waits()
    simulator = WalletSimulator(wait=waits)
    simulator.script(*script)
    return simulator, waits


def request(attempt: str = "attempt-0001") -> PaymentRequest:
    return PaymentRequest(attempt, AMOUNT, "134567890123456789")


def test_an_approved_payment_is_in_the_wallets_books() -> None:
    gateway, _ = wallet(Behaviour.APPROVE)
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.APPROVED
    assert gateway.books["attempt-0001"].amount == AMOUNT


def test_a_declined_payment_takes_nothing() -> None:
    gateway, _ = wallet(Behaviour.DECLINE)
    result = gateway.pay(request(), deadline_s=5)
    assert (result.state, result.reason) == (AttemptState.DECLINED, "insufficient-funds")


def test_a_lost_answer_is_unknown_at_the_deadline_and_found_by_a_query() -> None:
    gateway, waits = wallet(Behaviour.LOSE_ANSWER)
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.UNKNOWN
    assert waits == [5]
    assert gateway.query("attempt-0001", deadline_s=1).state is AttemptState.APPROVED


def test_a_lost_request_is_barred_by_the_query_and_cannot_take_money_later() -> None:
    gateway, _ = wallet(Behaviour.LOSE_REQUEST)
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.UNKNOWN
    assert gateway.query("attempt-0001", deadline_s=1).state is AttemptState.DECLINED
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.DECLINED


def test_the_same_attempt_never_takes_money_twice() -> None:
    gateway, _ = wallet()
    first = gateway.pay(request(), deadline_s=5)
    assert gateway.pay(request(), deadline_s=5) == first
    assert len(gateway.books) == 1


def test_a_dead_line_leaves_everything_unknown_until_it_is_revived() -> None:
    gateway, _ = wallet(Behaviour.DEAD_LINE)
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.UNKNOWN
    assert gateway.query("attempt-0001", deadline_s=1).state is AttemptState.UNKNOWN
    assert gateway.reverse("attempt-0001", deadline_s=1).state is AttemptState.UNKNOWN
    gateway.revive()
    assert gateway.reverse("attempt-0001", deadline_s=1).state is AttemptState.REVERSED
    assert gateway.reverse("attempt-0001", deadline_s=1).state is AttemptState.REVERSED
    assert gateway.pay(request(), deadline_s=5).state is AttemptState.REVERSED


def test_the_payers_code_stays_out_of_logs() -> None:
    assert "134567890123456789" not in repr(request())
