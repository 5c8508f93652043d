"""External payments: written before they are asked for, and never paid twice or forgotten."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from desktop.reckoning.file import read_till
from desktop.services.payments import PaymentProgress, Payments
from desktop.store.tickets import open_payments
from hardware.ports import AttemptState
from hardware.simulators.wallet import Behaviour, WalletSimulator
from shared.trade.fact import TenderKind
from shared.trade.till import PaymentState
from tests.support.desk import BISCUIT_CODE, Desk, open_desk
from tests.support.enrolled_till import CASHIER

CODE = "134567890123456789"


class AtOnce(Executor):
    """Runs what is submitted right away, so that a test needs no waiting."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(call(*arguments, **named))
        return done


class Never(Executor):
    """The till dies before the request leaves."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        return Future()


@pytest.fixture
def wallet() -> WalletSimulator:
    return WalletSimulator(wait=lambda _seconds: None)


def payments(desk: Desk, wallet: WalletSimulator, executor: Executor | None = None) -> Payments:
    return Payments(desk.till.books, wallet, currency="CNY", executor=executor or AtOnce())


def pay(desk: Desk, service: Payments, amount: int = 1250) -> list[PaymentProgress]:
    told: list[PaymentProgress] = []
    first = service.begin(desk.shift, CASHIER, amount=amount, payer_code=CODE, tell=told.append)
    return [first, *told]


def written(desk: Desk) -> list[str]:
    kept = read_till(desk.till.store.folder.database)
    told = [entry.told for entry in kept.entries()]
    return [one["body"]["state"] for one in told if one["kind"] == "payment_attempted"]


def still_open(desk: Desk) -> list[PaymentState]:
    with desk.till.books.reading() as connection:
        return [attempt.state for attempt in open_payments(connection)]


@pytest.mark.parametrize(
    ("behaviour", "states", "left_open"),
    [
        (Behaviour.APPROVE, ["requested", "approved"], [PaymentState.APPROVED]),
        (Behaviour.DECLINE, ["requested", "declined"], []),
        (Behaviour.LOSE_ANSWER, ["requested", "unknown", "approved"], [PaymentState.APPROVED]),
        (Behaviour.LOSE_REQUEST, ["requested", "unknown", "declined"], []),
        (Behaviour.DEAD_LINE, ["requested", "unknown", "unknown"], [PaymentState.UNKNOWN]),
    ],
)
def test_every_step_is_in_the_journal_in_order(desk, wallet, behaviour, states, left_open):
    wallet.script(behaviour)
    steps = pay(desk, payments(desk, wallet))
    assert [step.state.value for step in steps] == states
    assert [step.is_final for step in steps] == [False] * (len(steps) - 1) + [True]
    assert written(desk) == states
    assert still_open(desk) == left_open
    assert len(wallet.books) == 1


def test_a_code_worth_money_is_nowhere_in_the_files(desk, wallet):
    pay(desk, payments(desk, wallet))
    desk.till.store.writer.run(lambda _work: None)
    for file in desk.till.store.folder.path.iterdir():
        assert CODE.encode() not in file.read_bytes(), file.name


def test_a_sale_takes_an_approved_payment_off_the_list(desk, wallet):
    last = pay(desk, payments(desk, wallet))[-1]
    desk.scan(BISCUIT_CODE)
    desk.counter.checkout.tender(
        TenderKind.WALLET,
        last.amount,
        provider=last.provider,
        attempt_id=last.attempt_id,
        reference=last.reference,
    )
    desk.finish()
    assert still_open(desk) == []
    assert payments(desk, wallet).resolve_open(desk.shift, CASHIER) == []
    assert wallet.books[last.attempt_id].state is AttemptState.APPROVED


def test_a_till_that_died_with_the_request_on_its_lips_takes_the_money_back(folder, wallet):
    desk = open_desk(folder)
    (step,) = pay(desk, payments(desk, wallet, Never()))
    assert step.state is PaymentState.REQUESTED
    desk.till.close()

    desk = open_desk(folder)
    assert still_open(desk) == [PaymentState.REQUESTED]
    (resolved,) = payments(desk, wallet).resolve_open(desk.shift, CASHIER)
    assert (resolved.attempt_id, resolved.state) == (step.attempt_id, PaymentState.REVERSED)
    assert wallet.books[step.attempt_id].state is AttemptState.REVERSED
    assert still_open(desk) == []
    desk.till.close()


def test_what_stays_unknown_is_listed_by_the_close_and_resolved_once_the_line_is_back(desk, wallet):
    wallet.script(Behaviour.DEAD_LINE)
    service = payments(desk, wallet)
    attempt = pay(desk, service)[-1].attempt_id
    (again,) = service.resolve_open(desk.shift, CASHIER)
    assert again.state is PaymentState.UNKNOWN
    z = desk.counter.shifts.close(CASHIER, [])
    assert z.payments_open == 1
    assert "unknown-payments" in desk.counter.shifts.close_day(CASHIER).left_open
    wallet.revive()
    desk.shift = desk.counter.shifts.open(CASHIER, [])
    (resolved,) = service.resolve_open(desk.shift, CASHIER)
    assert resolved.state is PaymentState.REVERSED
    assert wallet.books[attempt].state is AttemptState.REVERSED
    assert still_open(desk) == []


def test_a_gateway_that_breaks_has_not_answered_and_the_attempt_stays_listed(
    desk, wallet, monkeypatch
):
    def broken(*_arguments: Any, **_named: Any) -> Any:
        raise OSError("the cable is out")

    for call in ("pay", "query", "reverse"):
        monkeypatch.setattr(wallet, call, broken)
    pay(desk, payments(desk, wallet))
    assert still_open(desk) == [PaymentState.UNKNOWN]
