"""A till's window offscreen; events go to the window, scans to the simulated scanner."""

import os
from collections.abc import Iterator
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from pytestqt.qtbot import QtBot

from desktop.bootstrap import OpenStore, Surroundings
from desktop.till_window import open_station
from hardware.simulators.scanner import CallbackScannerSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from shared.loyalty.programme import Programme
from tests.support.till_fixture import MORNING, enrol_here
from tests.support.till_hands import Hands

HARMLESS = "This plugin does not support "
"""What the offscreen platform cannot do: least sizes, raising windows, grabbing the keyboard."""


@pytest.fixture(autouse=True)
def no_qt_messages() -> Iterator[None]:
    """Whatever Qt complains about fails the test."""
    told: list[str] = []

    def note(kind: QtMsgType, _context: object, message: str) -> None:
        if not message.startswith(HARMLESS):
            told.append(f"{kind.name}: {message}")

    before = qInstallMessageHandler(note)
    yield
    qInstallMessageHandler(before)
    assert told == []


@pytest.fixture
def asked(request: pytest.FixtureRequest) -> Programme | None:
    """The programme of a test; see ``tests.support.till_errands.by``."""
    return getattr(request, "param", None)


@pytest.fixture
def store(tmp_path: Path, asked: Programme | None) -> OpenStore:
    """The files of an enrolled till."""
    return enrol_here(tmp_path, programme=asked)


@pytest.fixture
def hands(qtbot: QtBot, store: OpenStore) -> Iterator[Hands]:
    """A till nobody has signed in to, and somebody's hands."""
    clock = ManualClock(MORNING)
    scanner = CallbackScannerSimulator()
    scanner.open()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    around = Surroundings(clock=clock, gateway=wallet)
    station = open_station(store, around, scanner=scanner)
    qtbot.addWidget(station.window)
    station.window.resize(1366, 768)
    station.window.show()
    station.loop.start()
    station.listen()
    yield Hands(station=station, clock=clock, scanner=scanner, wallet=wallet)
    station.close()


@pytest.fixture
def selling(hands: Hands) -> Hands:
    """Signed in, with an open shift, on the sale page."""
    hands.sign_in()
    hands.open_shift()
    return hands
