"""A card terminal on the network, and a customer who takes their time; the terminal's own books."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.presenters.text import key_of
from desktop.presenters.view import SaleView, TillView
from desktop.till_window import open_station
from hardware.payment.line_terminal import LineTerminal
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.terminal import TerminalSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from tests.support.till_errands import last_sale
from tests.support.till_fixture import CHIPS, MORNING
from tests.support.till_hands import Hands

Key = Qt.Key
WAIT_S = 30.0


@pytest.fixture
def terminal() -> Iterator[TerminalSimulator]:
    with TerminalSimulator() as made:
        yield made


@pytest.fixture
def hands(qtbot: QtBot, store: OpenStore, terminal: TerminalSimulator) -> Iterator[Hands]:
    """A till with that terminal."""
    clock, scanner = ManualClock(MORNING), CallbackScannerSimulator()
    scanner.open()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    line = LineTerminal("terminal", terminal.host, terminal.port)
    around = Surroundings(clock=clock, gateway=wallet, terminal=line)
    station = open_station(store, around, scanner=scanner)
    qtbot.addWidget(station.window)
    station.window.show()
    station.loop.start()
    station.listen()
    yield Hands(station=station, clock=clock, scanner=scanner, wallet=wallet)
    station.close()


def attempt_key(view: TillView) -> str:
    body = view.body
    panel = body.tender if isinstance(body, SaleView) else None
    return key_of(panel.attempt.text) if panel is not None and panel.attempt is not None else ""


def wait_for(hands: Hands, key: str) -> None:
    assert hands.station.loop.wait_for(lambda view: attempt_key(view) == key, WAIT_S), key
    hands.settle()


def ask_terminal(hands: Hands, terminal: TerminalSimulator) -> str:
    """The card key; the attempt's id once the terminal shows the amount."""
    terminal.provider.script(Behaviour.SLOW)
    hands.scan(CHIPS.barcodes[0])
    hands.key(Key.Key_F11)
    hands.key(Key.Key_F6)
    wait_for(hands, "till.attempt.requested-running")
    while not terminal.provider.books:
        hands.settle()
    (attempt_id,) = terminal.provider.books
    return attempt_id


def test_escape_stops_a_payment_that_was_not_made_and_cash_goes_on(
    selling: Hands, terminal: TerminalSimulator
) -> None:
    ask_terminal(selling, terminal)
    selling.key(Key.Key_Escape)
    wait_for(selling, "till.attempt.cancelled")
    assert terminal.provider.taken() == 0
    selling.clock.advance(seconds=1)
    selling.key(Key.Key_F12)
    assert [one.tender for one in last_sale(selling).tenders] == ["cash"]
    assert selling.station.till.counter().payments.outstanding() == []


def test_a_customer_who_was_quicker_has_paid(selling: Hands, terminal: TerminalSimulator) -> None:
    attempt_id = ask_terminal(selling, terminal)
    terminal.provider.settle(attempt_id)
    selling.key(Key.Key_Escape)
    assert selling.station.loop.wait_for(
        lambda view: isinstance(view.body, SaleView) and view.body.change is not None, WAIT_S
    )
    selling.settle()
    assert [one.attempt_id for one in last_sale(selling).tenders] == [attempt_id]
    assert terminal.provider.taken() == CHIPS.list_price_minor


def test_escape_asks_once(selling: Hands, terminal: TerminalSimulator) -> None:
    ask_terminal(selling, terminal)
    terminal.faults.silent = True
    selling.key(Key.Key_Escape)
    assert selling.told == "till.tender.cancelling"
    selling.key(Key.Key_Escape)
    assert selling.told == "till.tender.wait"
    while (asked := [one["ask"] for one in terminal.heard]).count("cancel") < 1:
        selling.settle()
    assert asked == ["pay", "cancel"]
    terminal.stop()
    wait_for(selling, "till.attempt.unknown")
