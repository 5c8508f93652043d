"""External payments: written before they are asked for, and never paid twice or forgotten."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from desktop.reckoning.file import read_till
from desktop.services.checkout import CompletedSale
from desktop.services.payments import PaymentProgress, Payments, PaymentsBy
from desktop.services.payments import _of as payment_steps
from desktop.store.payments import open_payments
from hardware.ports import AttemptState, PaymentResult
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.wallet import WalletSimulator
from shared.errors import DomainError, EnvironmentFault
from shared.trade.fact import TenderKind
from shared.trade.till import CashDirection, PaymentState
from shared.trade.writing import Writing
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
    used = executor or AtOnce()
    attached = {TenderKind.WALLET: wallet}
    return Payments(desk.till.books, attached, currency="CNY", executor=used, background=used)


def by(desk: Desk) -> PaymentsBy:
    return PaymentsBy(desk.shift, CASHIER)


def ask_again(desk: Desk, service: Payments) -> list[PaymentProgress]:
    told: list[PaymentProgress] = []
    service.ask_again(by(desk), told.append)
    return told


def pay(desk: Desk, service: Payments, amount: int = 1250) -> list[PaymentProgress]:
    told: list[PaymentProgress] = []
    first = service.begin(by(desk), amount=amount, payer_code=CODE, tell=told.append)
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
        (Behaviour.SLOW, ["requested", "unknown", "unknown"], [PaymentState.UNKNOWN]),
        (Behaviour.LATE_REVERSAL, ["requested", "unknown", "unknown"], [PaymentState.UNKNOWN]),
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


def pay_for_the_basket(desk: Desk, wallet: WalletSimulator) -> CompletedSale:
    """A sale of what is in the basket, on the customer's phone."""
    last = pay(desk, payments(desk, wallet), desk.counter.checkout.due().amount)[-1]
    desk.counter.checkout.tender(
        TenderKind.WALLET,
        last.amount,
        provider=last.provider,
        attempt_id=last.attempt_id,
        reference=last.reference,
    )
    return desk.finish()


def test_a_sale_takes_an_approved_payment_off_the_list(desk, wallet):
    desk.scan(BISCUIT_CODE)
    pay_for_the_basket(desk, wallet)
    assert still_open(desk) == []
    assert ask_again(desk, payments(desk, wallet)) == []
    (paid,) = wallet.books.values()
    assert paid.state is AttemptState.APPROVED


def test_a_request_that_never_left_is_barred_at_the_provider(folder, wallet):
    desk = open_desk(folder)
    (step,) = pay(desk, payments(desk, wallet, Never()))
    assert step.state is PaymentState.REQUESTED
    desk.till.close()

    desk = open_desk(folder)
    assert still_open(desk) == [PaymentState.REQUESTED]
    (resolved,) = ask_again(desk, payments(desk, wallet))
    assert (resolved.attempt_id, resolved.state) == (step.attempt_id, PaymentState.DECLINED)
    assert still_open(desk) == []
    desk.till.close()


def test_a_payment_whose_till_died_waits_for_a_person_to_say_where_it_belongs(folder, wallet):
    desk = open_desk(folder)
    pay(desk, payments(desk, wallet))
    desk.till.close()

    desk = open_desk(folder)
    service = payments(desk, wallet)
    assert ask_again(desk, service) == []
    (found,) = service.outstanding()
    assert (found.state, found.amount) == (PaymentState.APPROVED, 1250)
    told: list[PaymentProgress] = []
    service.give_back(found, by(desk), told.append)
    assert [step.state for step in told] == [PaymentState.REVERSED]
    assert wallet.books[found.attempt_id].state is AttemptState.REVERSED
    assert still_open(desk) == []
    desk.till.close()


def test_what_stays_unknown_is_listed_by_the_close_and_known_once_the_line_is_back(desk, wallet):
    wallet.script(Behaviour.DEAD_LINE)
    service = payments(desk, wallet)
    attempt = pay(desk, service)[-1].attempt_id
    (again,) = ask_again(desk, service)
    assert again.state is PaymentState.UNKNOWN
    z = desk.counter.shifts.close(CASHIER, [])
    assert z.payments_open == 1
    assert "unknown-payments" in desk.counter.shifts.close_day(CASHIER).left_open
    wallet.revive()
    desk.shift = desk.counter.shifts.open(CASHIER, [])
    (known,) = ask_again(desk, service)
    assert (known.attempt_id, known.state) == (attempt, PaymentState.APPROVED)


@pytest.mark.parametrize(
    ("behaviour", "state", "taken"),
    [
        (Behaviour.SLOW, PaymentState.APPROVED, 1250),
        (Behaviour.LATE_REVERSAL, PaymentState.REVERSED, 0),
    ],
)
def test_what_ends_after_the_time_out_is_found_out_and_can_be_settled(
    desk, wallet, behaviour, state, taken
):
    wallet.script(behaviour)
    service = payments(desk, wallet)
    attempt = pay(desk, service)[-1].attempt_id
    wallet.provider.settle(attempt)
    (known,) = ask_again(desk, service)
    assert (known.state, wallet.provider.taken()) == (state, taken)
    for found in service.outstanding():
        service.give_back(found, by(desk), lambda _progress: None)
    assert (still_open(desk), wallet.provider.taken()) == ([], 0)


def test_a_card_terminal_and_a_wallet_are_each_asked_for_their_own(desk, wallet):
    terminal = WalletSimulator("terminal", wait=lambda _seconds: None)
    attached = {TenderKind.WALLET: wallet, TenderKind.CARD: terminal}
    now = AtOnce()
    service = Payments(desk.till.books, attached, currency="CNY", executor=now, background=now)
    told: list[PaymentProgress] = []
    service.begin(by(desk), amount=700, tell=told.append, kind=TenderKind.CARD)
    assert [(one.kind, one.state) for one in told] == [(TenderKind.CARD, PaymentState.APPROVED)]
    assert (terminal.provider.taken(), wallet.provider.taken()) == (700, 0)
    (found,) = service.outstanding()
    service.give_back(found, by(desk), told.append)
    assert (told[-1].state, terminal.provider.taken()) == (PaymentState.REVERSED, 0)


def test_goods_paid_by_card_go_back_through_the_terminal(desk):
    terminal = WalletSimulator("terminal", wait=lambda _seconds: None)
    now = AtOnce()
    service = Payments(
        desk.till.books, {TenderKind.CARD: terminal}, currency="CNY", executor=now, background=now
    )
    desk.scan(BISCUIT_CODE)
    due, told = desk.counter.checkout.due().amount, list[PaymentProgress]()
    service.begin(by(desk), amount=due, tell=told.append, kind=TenderKind.CARD)
    paid = told[-1]
    desk.counter.checkout.tender(
        paid.kind, due, provider=paid.provider, attempt_id=paid.attempt_id, reference="A-1"
    )
    sale = desk.finish()
    assert (terminal.provider.taken(), still_open(desk)) == (due, [])
    desk.take_back(sale, (1, 1))
    (refund,) = ask_again(desk, service)
    assert (refund.kind, refund.is_refund) == (TenderKind.CARD, True)
    assert (terminal.provider.taken(), still_open(desk)) == (0, [])


def test_an_attempt_of_the_basket_is_nobodys_to_ask_about(desk, wallet):
    service = payments(desk, wallet, Never())
    pay(desk, service)
    assert service.outstanding() == []
    assert service.ask_again(by(desk), lambda _progress: None) == []


def test_a_gateway_that_breaks_has_not_answered_and_the_attempt_stays_listed(
    desk, wallet, monkeypatch
):
    def broken(*_arguments: Any, **_named: Any) -> Any:
        raise OSError("the cable is out")

    for call in ("pay", "query", "reverse"):
        monkeypatch.setattr(wallet, call, broken)
    pay(desk, payments(desk, wallet))
    assert still_open(desk) == [PaymentState.UNKNOWN]


def test_an_answer_that_cannot_be_written_is_told_as_unknown(desk, wallet, monkeypatch):
    service = payments(desk, wallet)
    record = desk.till.books.record

    def full(writing: Writing, **named: Any) -> Any:
        if writing.fact.state is not PaymentState.REQUESTED:
            raise EnvironmentFault("disk-full")
        return record(writing, **named)

    monkeypatch.setattr(desk.till.books, "record", full)
    last = pay(desk, service)[-1]
    assert (last.state, last.is_final) == (PaymentState.UNKNOWN, True)
    assert still_open(desk) == [PaymentState.REQUESTED]


# Refunds


def test_a_return_gives_each_units_money_back_where_it_came_from(desk, wallet):
    desk.scan(BISCUIT_CODE, BISCUIT_CODE, BISCUIT_CODE)
    sale = pay_for_the_basket(desk, wallet)
    service = payments(desk, wallet)
    for _ in range(3):
        back = desk.take_back(sale, (1, 1))
        assert still_open(desk) == [PaymentState.REQUESTED]
        (told,) = ask_again(desk, service)
        assert (told.state, told.amount) == (PaymentState.APPROVED, -back.fact.total)
        assert still_open(desk) == []
    assert sum(one.minor for one in wallet.refunds.values()) == sale.fact.total


def test_a_refund_whose_till_died_is_asked_for_again_and_given_once(folder, wallet):
    desk = open_desk(folder)
    desk.scan(BISCUIT_CODE)
    sale = pay_for_the_basket(desk, wallet)
    desk.take_back(sale, (1, 1))
    wallet.cut()
    assert [one.state for one in ask_again(desk, payments(desk, wallet))] == [PaymentState.UNKNOWN]
    desk.till.close()

    wallet.revive()
    desk = open_desk(folder)
    service = payments(desk, wallet)
    (found,) = service.outstanding()
    for _ in range(2):  # asked twice, as a till that died between the answer and the entry would
        service._refund(payment_steps(found, by(desk)), lambda _progress: None)
    assert [one.minor for one in wallet.refunds.values()] == [sale.fact.total]
    assert still_open(desk) == []
    desk.till.close()


def test_a_refused_refund_stays_listed_until_it_is_given_in_cash(desk, wallet):
    desk.scan(BISCUIT_CODE)
    sale = pay_for_the_basket(desk, wallet)
    wallet.reverse(sale.fact.tenders[0].attempt_id, deadline_s=1)  # by hand, at the provider's
    desk.take_back(sale, (1, 1))
    service = payments(desk, wallet)
    assert [one.state for one in ask_again(desk, service)] == [PaymentState.DECLINED]
    (found,) = service.outstanding()
    expected = desk.counter.shifts.figures().expected_cash
    desk.counter.shifts.move_cash(
        CASHIER,
        CashDirection.PAID_OUT,
        -found.amount,
        reason="refund",
        approvals=(desk.approval("refund-in-cash"),),
        ending=service.ended(found, by(desk)),
    )
    assert still_open(desk) == []
    assert desk.counter.shifts.figures().expected_cash == expected - sale.fact.total
    assert written(desk)[-2:] == ["declined", "reversed"]


def test_a_return_of_a_sale_paid_in_cash_asks_no_wallet(desk, wallet):
    sale = desk.sell(BISCUIT_CODE)
    desk.take_back(sale, (1, 1))
    assert payments(desk, wallet).outstanding() == []


def test_what_is_being_given_back_is_nobodys_to_use_even_after_a_crash(folder, wallet):
    desk = open_desk(folder)
    pay(desk, payments(desk, wallet))
    (found,) = payments(desk, wallet).outstanding()
    payments(desk, wallet, Never()).give_back(found, by(desk), lambda _progress: None)
    assert still_open(desk) == [PaymentState.UNKNOWN]
    desk.till.close()

    desk = open_desk(folder)
    (again,) = ask_again(desk, payments(desk, wallet))
    assert again.state is PaymentState.APPROVED  # the reversal never left
    desk.till.close()


def test_a_reversal_that_is_refused_leaves_the_money_on_the_list(desk, wallet, monkeypatch):
    pay(desk, payments(desk, wallet))
    (found,) = payments(desk, wallet).outstanding()
    refused = PaymentResult(found.attempt_id, AttemptState.DECLINED, reason="too-late")
    monkeypatch.setattr(wallet, "reverse", lambda *_one, **_more: refused)
    payments(desk, wallet).give_back(found, by(desk), lambda _progress: None)
    assert still_open(desk) == [PaymentState.UNKNOWN]


def test_another_provider_is_never_asked_about_it(desk, wallet):
    wallet.script(Behaviour.DEAD_LINE)
    pay(desk, payments(desk, wallet))
    other = WalletSimulator("another", wait=lambda _seconds: None)
    assert ask_again(desk, payments(desk, other)) == []
    assert (other.books, still_open(desk)) == ({}, [PaymentState.UNKNOWN])
    (found,) = payments(desk, other).outstanding()
    with pytest.raises(DomainError, match="no-wallet"):
        payments(desk, other).give_back(found, by(desk), lambda _progress: None)


def test_a_bug_in_the_payments_thread_leaves_nobody_waiting(desk, wallet, monkeypatch):
    service = payments(desk, wallet)
    record, calls = desk.till.books.record, []

    def broken(writing: Writing, **named: Any) -> Any:
        calls.append(writing)
        if len(calls) > 1:
            raise KeyError("a bug")
        return record(writing, **named)

    monkeypatch.setattr(desk.till.books, "record", broken)
    last = pay(desk, service)[-1]
    assert (last.state, last.is_final) == (PaymentState.UNKNOWN, True)
