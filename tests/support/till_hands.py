"""A cashier's hands: keys to the window, codes to the scanner, and eyes on what is painted."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.presenters.intent import Act
from desktop.presenters.text import key_of
from desktop.presenters.view import Page, SaleView, Sheet, TillView
from desktop.till_window import Station
from hardware.simulators.scanner import KEY_INTERVAL_S, CallbackScannerSimulator
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from tests.support.till_fixture import CASHIER_PIN

KEY_PAUSE_S = 0.2
"""A person's pace."""


@dataclass
class Hands:
    """Everything that happens goes through the window or the scanner."""

    station: Station
    clock: ManualClock
    scanner: CallbackScannerSimulator
    wallet: WalletSimulator
    events: int = 0
    """Keys pressed so far."""

    def key(
        self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Press one key, and wait until it has done what it does."""
        self.press(key, modifier)
        self.clock.advance(seconds=KEY_PAUSE_S)
        self.station.window.router.tick()
        self.settle()

    def press(
        self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
    ) -> None:
        """Press one key without waiting for anything."""
        self.events += 1
        QTest.keyClick(self.station.window.windowHandle(), key, modifier)

    def type(self, text: str) -> None:
        """Type at a person's pace."""
        for character in text:
            self.events += 1
            QTest.keyClick(self.station.window.windowHandle(), character)
            self.clock.advance(seconds=KEY_PAUSE_S)
            self.station.window.router.tick()
        self.settle()

    def repeat(self, key: Qt.Key) -> None:
        """What a key that is held down sends again and again."""
        event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier, "", True)
        QApplication.sendEvent(self.station.window, event)
        self.settle()

    def wedge(self, code: str) -> None:
        """A scanner that types like a keyboard, to whatever has the focus."""
        popup = QApplication.activePopupWidget()
        target = (popup or self.station.window).windowHandle()
        for character in code:
            QTest.keyClick(target, character)
            self.clock.advance(seconds=KEY_INTERVAL_S)
        QTest.keyClick(target, Qt.Key.Key_Return)
        self.clock.advance(seconds=1)
        self.settle()

    def compose(self, text: str) -> None:
        """An input method commits text into the field with the focus."""
        event = QInputMethodEvent()
        event.setCommitString(text)
        focused = self.station.window.focusWidget() or self.station.window
        QApplication.sendEvent(focused, event)

    def scan(self, code: str) -> None:
        """The scanner on its own line reads a code."""
        self.scanner.scan(code)
        self.settle()

    def tap(self, name: str, value: str = "") -> None:
        """Tap a button, tile or row by what it acts as, whatever stands in the fields."""
        self.station.window.post(Act(name, value, self.clock.monotonic()))
        self.clock.advance(seconds=KEY_PAUSE_S)
        self.settle()

    def settle(self) -> None:
        """Wait until everything is handled and painted."""
        assert self.station.window.settle()

    def sign_in(self) -> None:
        """王芳, the second name of the list, with her PIN."""
        self.key(Qt.Key.Key_Down)
        self.type(CASHIER_PIN)
        self.key(Qt.Key.Key_Return)
        assert self.view.page is Page.OPEN_SHIFT

    def open_shift(self) -> None:
        """Five notes of 100."""
        self.type("5")
        while self.view.page is Page.OPEN_SHIFT:
            self.key(Qt.Key.Key_Return)
        assert self.view.page is Page.SALE

    @property
    def view(self) -> TillView:
        """What is painted."""
        view = self.station.window.view
        assert view is not None
        return view

    @property
    def sale(self) -> SaleView:
        """The sale page."""
        body = self.view.body
        assert isinstance(body, SaleView)
        return body

    @property
    def overlay(self) -> Sheet:
        """What lies over the sale."""
        assert self.view.overlay is not None
        return self.view.overlay

    @property
    def told(self) -> str:
        """The key of the message on the screen, of its first part; empty where there is none."""
        message = self.view.message
        return key_of(message.text) if message else ""

    def receipts(self) -> int:
        """Sales and returns in the books."""
        from desktop.store.tickets import count_tickets  # noqa: PLC0415 - looks past the window

        with self.station.till.books.reading() as connection:
            return count_tickets(connection)
