"""A card terminal over its line: every state of an attempt, and every way the line can fail."""

import json
import socket
from pathlib import Path
from threading import Thread

import pytest

from hardware.line_protocol import read
from hardware.payment.line_terminal import LineTerminal
from hardware.ports import (
    CANCELLED,
    NOT_REACHED,
    AttemptState,
    PaymentRequest,
    PaymentTerminal,
    Power,
    RefundRequest,
)
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.terminal import TerminalSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.money import Currency, Money

CNY = Currency("CNY")
REQUEST = PaymentRequest("attempt-1", Money(1250, CNY), "134567890123456789")
SOON = 0.15
LONG = 30.0


@pytest.fixture
def simulator(tmp_path):
    with TerminalSimulator(record=tmp_path / "record.jsonl") as running:
        yield running


@pytest.fixture
def terminal(simulator):
    return LineTerminal("terminal", simulator.host, simulator.port)


@pytest.fixture(params=["line", "local"])
def either(request, simulator):
    """The port over the line, and its stand-in without one: they keep the same promises."""
    if request.param == "line":
        return LineTerminal("terminal", simulator.host, simulator.port), simulator.provider
    local = WalletSimulator(wait=lambda _seconds: None)
    return local, local.provider


@pytest.mark.parametrize(
    ("behaviour", "said", "asked", "taken"),
    [
        (Behaviour.APPROVE, AttemptState.APPROVED, AttemptState.APPROVED, 1250),
        (Behaviour.DECLINE, AttemptState.DECLINED, AttemptState.DECLINED, 0),
        (Behaviour.LOSE_ANSWER, AttemptState.UNKNOWN, AttemptState.APPROVED, 1250),
        (Behaviour.LOSE_REQUEST, AttemptState.UNKNOWN, AttemptState.DECLINED, 0),
        (Behaviour.DEAD_LINE, AttemptState.UNKNOWN, AttemptState.UNKNOWN, 1250),
        (Behaviour.SLOW, AttemptState.UNKNOWN, AttemptState.UNKNOWN, 0),
        (Behaviour.LATE_REVERSAL, AttemptState.UNKNOWN, AttemptState.UNKNOWN, 1250),
    ],
)
def test_every_state_of_an_attempt(either, behaviour, said, asked, taken):
    port, provider = either
    _: PaymentTerminal = port
    provider.script(behaviour)
    deadline_s = LONG if said is not AttemptState.UNKNOWN else SOON
    assert port.pay(REQUEST, deadline_s=deadline_s).state is said
    deadline_s = LONG if asked is not AttemptState.UNKNOWN else SOON
    assert port.query("attempt-1", deadline_s=deadline_s).state is asked
    assert provider.taken() == taken


def test_a_reversal_comes_late_and_is_known_then(either):
    port, provider = either
    provider.script(Behaviour.LATE_REVERSAL)
    port.pay(REQUEST, deadline_s=SOON)
    assert port.reverse("attempt-1", deadline_s=SOON).state is AttemptState.UNKNOWN
    assert port.query("attempt-1", deadline_s=LONG).state is AttemptState.REVERSED
    assert provider.taken() == 0


def test_a_slow_customer_can_not_be_reversed_and_pays_after_the_time_out(either):
    port, provider = either
    provider.script(Behaviour.SLOW)
    port.pay(REQUEST, deadline_s=SOON)
    assert port.reverse("attempt-1", deadline_s=LONG).state is AttemptState.UNKNOWN
    provider.settle("attempt-1")
    assert port.query("attempt-1", deadline_s=LONG).state is AttemptState.APPROVED
    assert port.reverse("attempt-1", deadline_s=LONG).state is AttemptState.REVERSED
    assert provider.taken() == 0


def test_a_slow_customer_who_pays_in_time_is_simply_paid():
    with TerminalSimulator(pays_after_s=0.05) as simulator:
        simulator.provider.script(Behaviour.SLOW)
        terminal = LineTerminal("terminal", simulator.host, simulator.port)
        assert terminal.pay(REQUEST, deadline_s=LONG).state is AttemptState.APPROVED


def test_refunds_are_given_once_and_never_beyond_what_was_paid(either):
    port, provider = either
    port.pay(REQUEST, deadline_s=LONG)
    wanted = [("r1", 1000), ("r1", 1000), ("r2", 250), ("r3", 1)]
    states = [
        port.refund(RefundRequest(one, "attempt-1", Money(minor, CNY)), deadline_s=LONG).state
        for one, minor in wanted
    ]
    assert states == [AttemptState.APPROVED] * 3 + [AttemptState.DECLINED]
    assert provider.taken() == 0


def test_nobody_at_the_address_is_no_doubt_for_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    terminal = LineTerminal("terminal", "127.0.0.1", port)
    result = terminal.pay(REQUEST, deadline_s=LONG)
    assert (result.state, result.reason) == (AttemptState.DECLINED, NOT_REACHED)
    # What was asked for before may have been paid: that stays in doubt.
    assert terminal.query("attempt-1", deadline_s=LONG).state is AttemptState.UNKNOWN
    assert terminal.reverse("attempt-1", deadline_s=LONG).state is AttemptState.UNKNOWN


@pytest.mark.parametrize("fault", ["silent", "hang_up", "garble"])
def test_a_line_that_fails_after_the_request_leaves_doubt_and_takes_once(
    simulator, terminal, fault
):
    setattr(simulator.faults, fault, True)
    deadline_s = SOON if fault == "silent" else LONG
    assert terminal.pay(REQUEST, deadline_s=deadline_s).state is AttemptState.UNKNOWN
    health = terminal.check_health(deadline_s=deadline_s)
    assert (health.is_ready, health.power) == (False, Power.OFFLINE)
    setattr(simulator.faults, fault, False)
    assert terminal.pay(REQUEST, deadline_s=LONG).state is AttemptState.APPROVED
    assert simulator.provider.taken() == 1250
    assert terminal.check_health(deadline_s=LONG).is_ready


def scripted(*lines: bytes) -> tuple[LineTerminal, Thread]:
    """A terminal that sends these lines for the next question; ID stands for the question's."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            asked = str(read(connection.makefile("rb").readline())["id"]).encode()
            for line in lines:
                connection.sendall(line.replace(b"ID", asked))

    thread = Thread(target=serve)
    thread.start()
    return LineTerminal("terminal", *listener.getsockname()[:2]), thread


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([b'{"v":1,"id":"other","state":"approved"}\n', b'{"v":1,"id":"ID","state":"declined"}\n'],
         AttemptState.DECLINED),
        ([b'{"v":1,"id":"ID",', b'"state":"approved"}\n'], AttemptState.APPROVED),
        ([b'{"v":1,"id":"ID","state":"approved"}'], AttemptState.UNKNOWN),
        ([b'{"v":2,"id":"ID","state":"approved"}\n'], AttemptState.UNKNOWN),
        ([b'{"v":1,"id":"ID","state":"paid"}\n'], AttemptState.UNKNOWN),
        ([b'["approved"]\n'], AttemptState.UNKNOWN),
        ([b'\xff\xfe\n'], AttemptState.UNKNOWN),
        ([b'{"v":1,"id":"ID","error":"bad-question"}\n'], AttemptState.UNKNOWN),
    ],
)  # fmt: skip
def test_only_a_whole_answer_to_this_question_counts(lines, state):
    terminal, thread = scripted(*lines)
    assert terminal.pay(REQUEST, deadline_s=LONG).state is state
    thread.join()


def test_a_cards_number_never_comes_in_and_a_wallets_code_is_never_recorded(tmp_path: Path):
    terminal, thread = scripted(
        b'{"v":1,"id":"ID","state":"approved","reference":"VISA 4111111111111111"}\n'
    )
    assert terminal.pay(REQUEST, deadline_s=LONG).reference == ""
    thread.join()
    record = tmp_path / "kept.jsonl"
    with TerminalSimulator(record=record) as simulator:
        LineTerminal("wallet", simulator.host, simulator.port).pay(REQUEST, deadline_s=LONG)
    kept = [json.loads(line) for line in record.read_text().splitlines()]
    assert [next(iter(one)) for one in kept] == ["heard", "said"]
    assert REQUEST.payer_code not in record.read_text()


def test_a_payment_that_the_customer_has_not_made_is_cancelled_while_the_till_waits(
    simulator, terminal
):
    simulator.provider.script(Behaviour.SLOW)
    said = []
    waiting = Thread(target=lambda: said.append(terminal.pay(REQUEST, deadline_s=LONG)))
    waiting.start()
    while REQUEST.attempt_id not in simulator.provider.books:
        waiting.join(0.01)
    terminal.cancel(REQUEST.attempt_id, deadline_s=LONG)
    waiting.join()
    assert [(one.state, one.reason) for one in said] == [(AttemptState.DECLINED, CANCELLED)]
    assert simulator.provider.settle(REQUEST.attempt_id).state is AttemptState.DECLINED
    assert simulator.provider.taken() == 0


def test_what_is_paid_or_unknown_cannot_be_cancelled(either):
    terminal, provider = either
    terminal.cancel("never-seen", deadline_s=LONG)
    assert terminal.pay(REQUEST, deadline_s=LONG).state is AttemptState.APPROVED
    terminal.cancel(REQUEST.attempt_id, deadline_s=LONG)
    assert terminal.query(REQUEST.attempt_id, deadline_s=LONG).state is AttemptState.APPROVED
    provider.cut()
    terminal.cancel(REQUEST.attempt_id, deadline_s=SOON)
    assert provider.taken() == REQUEST.amount.minor


def test_a_terminal_that_does_not_know_how_to_stop_goes_on(simulator, terminal, monkeypatch):
    monkeypatch.setattr(
        TerminalSimulator, "answer", lambda _self, _ask, _question: {"error": "unknown-question"}
    )
    terminal.cancel(REQUEST.attempt_id, deadline_s=LONG)
    assert [one["ask"] for one in simulator.heard] == ["cancel"]
