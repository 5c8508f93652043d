"""The window's own event loop while a printer takes nothing more: counted, not timed.

The printer stays stalled until the test lets it go, so whatever waited for it would never come.
"""

from collections.abc import Callable, Iterator
from threading import Event

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.reckoning.file import read_till
from desktop.till_window import open_station
from hardware.escpos.encoder import Encoder
from hardware.escpos.profile import built_in_profiles
from hardware.ports import PrintOutcome, PrintState
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from tests.support.till_errands import sell
from tests.support.till_fixture import CHIPS, MORNING
from tests.support.till_hands import Hands

Key = Qt.Key
SALES = 5


class Stalled:
    """Takes the first byte, and then nothing until it is let go. The drawer hangs behind it."""

    name = "printer"

    def __init__(self) -> None:
        self.began, self.let_go = Event(), Event()

    def print_job(
        self, data: bytes, *, deadline_s: float, before_first_byte: Callable[[], None]
    ) -> PrintOutcome:
        del deadline_s
        before_first_byte()
        self.began.set()
        self.let_go.wait()
        return PrintOutcome(PrintState.CONFIRMED, len(data))

    def open_drawer(self, *, deadline_s: float) -> None:
        del deadline_s
        self.let_go.wait()


@pytest.fixture
def printer() -> Iterator[Stalled]:
    made = Stalled()
    yield made
    made.let_go.set()


@pytest.fixture
def hands(qtbot: QtBot, store: OpenStore, printer: Stalled) -> Iterator[Hands]:
    """A till with that printer and its drawer."""
    clock, scanner = ManualClock(MORNING), CallbackScannerSimulator()
    scanner.open()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    book = built_in_profiles()
    encoder = Encoder(book.profile("gb"), book.paper("80mm"))
    around = Surroundings(
        clock=clock, gateway=wallet, printer=printer, drawer=printer, encoder=encoder
    )
    station = open_station(store, around, scanner=scanner)
    qtbot.addWidget(station.window)
    station.window.show()
    station.loop.start()
    station.listen()
    assert station.till.spooler is not None
    station.till.spooler.start()
    yield Hands(station=station, clock=clock, scanner=scanner, wallet=wallet)
    printer.let_go.set()
    station.close()


def states(hands: Hands) -> list[str]:
    return sorted(read_till(hands.station.till.store.folder.database).printed.values())


def test_sales_keys_and_repaints_go_on_while_the_printer_holds_a_job(
    selling: Hands, printer: Stalled
) -> None:
    """Judge: a separate reader of the till's file says that the job is held from first to last."""
    sell(selling, CHIPS)
    printer.began.wait()
    assert states(selling) == ["sending"]
    for number in range(SALES):
        sell(selling, *[CHIPS] * (number + 1))
        selling.key(Key.Key_F10)
        assert selling.overlay.kind == "menu"
        selling.key(Key.Key_Escape)
        selling.scan(CHIPS.barcodes[0])
        assert len(selling.sale.lines) == 1
        selling.key(Key.Key_Delete)
    assert selling.receipts() == SALES + 1
    assert states(selling) == ["queued"] * SALES + ["sending"]
    printer.let_go.set()
    spooler = selling.station.till.spooler
    assert spooler is not None
    assert spooler.wait_idle(20)
    assert states(selling) == ["confirmed"] * (SALES + 1)
