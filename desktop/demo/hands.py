"""A cashier's hands and eyes: keys and taps go to the window, scans to the simulated scanner.

Nothing here calls a presenter or the widget that should get an event. What is read back is what
the window paints.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QWidget,
)

from desktop.demo.shop import Bench
from desktop.presenters.view import SaleView, Sheet, TillView
from desktop.till_window import Station
from shared.clock import SystemClock
from shared.errors import EnvironmentFault
from shared.language import words

PAUSE_S: Final = 0.4
"""Between two keys: slower than a scanner that types, and than a key that bounces."""
WAIT_S: Final = 60.0
SETTLE_S: Final = 0.06
"""A held key is given back as typing after a moment; only then is the field complete."""
POLL_S: Final = 0.02
TAP_S: Final = 3.0
"""What was just painted may still have to be laid out."""

KEYS: Final = {
    **{f"F{number}": getattr(Qt.Key, f"Key_F{number}") for number in range(1, 13)},
    "Enter": Qt.Key.Key_Return,
    "Esc": Qt.Key.Key_Escape,
    "Del": Qt.Key.Key_Delete,
    "Up": Qt.Key.Key_Up,
    "Down": Qt.Key.Key_Down,
}


class HandClock(SystemClock):
    """The system's clock; durations may be lengthened, so that pauses need not be waited for."""

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def monotonic(self) -> float:
        """Seconds, with the pauses that were skipped."""
        return super().monotonic() + self._skipped_s

    def skip(self, seconds: float) -> None:
        """Let so much time have passed."""
        self._skipped_s += seconds


class Hands:
    """At one till."""

    def __init__(self, station: Station, bench: Bench, clock: HandClock, screens: Path) -> None:
        self._station = station
        self._bench = bench
        self._clock = clock
        self._screens = screens
        self.window = station.window

    # Doing

    def press(self, *keys: str) -> None:
        """Press keys by their names, or type single characters."""
        for key in keys:
            self._clock.skip(PAUSE_S)
            QTest.keyClick(self.window, KEYS[key])
            self.settle()

    def type(self, text: str) -> None:
        """Type a text, Chinese as an input method commits it: a character at a time."""
        for character in text:
            self._clock.skip(PAUSE_S)
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                event = QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, character)
                QApplication.sendEvent(self.window, event)
        self._clock.skip(PAUSE_S)
        _pass(SETTLE_S)
        self.settle()

    def fill(self, *texts: str) -> None:
        """Fill fields one after the other; Enter goes on to the next and in the end does it."""
        for text in texts:
            self.type(text)
            self.press("Enter")

    def scan(self, *codes: str) -> None:
        """Hold codes under the scanner."""
        for code in codes:
            self._bench.scanner.scan(code)
            self.settle()

    def tap_card(self, code: str) -> None:
        """Hold a member's card to the reader."""
        self._bench.reader.tap(code)
        self.settle()

    def tap(self, text: str, *, nth: int = 0) -> None:
        """Touch the button or tile that says so; a text nobody shows is a fault of the demo."""
        deadline = time.monotonic() + TAP_S
        while len(found := self._saying(text)) <= nth:
            if time.monotonic() > deadline:
                self.picture("stuck")
                raise EnvironmentFault("demo-stuck", what=f"nothing to tap says {text}")
            _pass(POLL_S)
        self._touch(found[nth])

    def _saying(self, text: str) -> list[QAbstractButton]:
        return [
            one
            for one in self.window.findChildren(QAbstractButton)
            if one.isVisible() and one.isEnabled() and text in (one.accessibleName() or one.text())
        ]

    def _touch(self, target: QWidget) -> None:
        parent = target.parentWidget()
        while parent is not None:
            if isinstance(parent, QScrollArea):
                parent.ensureWidgetVisible(target)
            parent = parent.parentWidget()
        QApplication.processEvents()
        self._clock.skip(PAUSE_S)
        at: QPoint = target.mapTo(self.window, target.rect().center())
        handle = self.window.windowHandle()
        assert handle is not None
        QTest.mouseClick(handle, Qt.MouseButton.LeftButton, pos=at)
        self.settle()

    def touch_first_field(self) -> None:
        """Touch the first text field on the screen."""
        fields = [one for one in self.window.findChildren(QLineEdit) if one.isVisible()]
        self._touch(min(fields, key=lambda one: _place(one, self.window)))

    def choose_next(self) -> None:
        """Take the next entry of the drop-down list on the screen."""
        box = next(one for one in self.window.findChildren(QComboBox) if one.isVisible())
        self._touch(box)
        popup = QApplication.activePopupWidget()
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
            self._clock.skip(PAUSE_S)
            QTest.keyClick(popup or self.window, key)
        self.settle()

    # Seeing

    @property
    def view(self) -> TillView:
        """What is painted."""
        view = self.window.view
        assert view is not None
        return view

    @property
    def sale(self) -> SaleView:
        """The sale page as painted."""
        body = self.view.body
        if not isinstance(body, SaleView):
            raise EnvironmentFault("demo-stuck", what=f"the page is {self.view.page}")
        return body

    @property
    def sheet(self) -> Sheet:
        """The sheet in front."""
        shown = self.view.overlay or self.view.body
        if not isinstance(shown, Sheet):
            raise EnvironmentFault("demo-stuck", what="no sheet is open")
        return shown

    def say(self, key: str) -> str:
        """A word of the screen, in its language."""
        return words(self.view.language)(key)

    def settle(self) -> None:
        """Wait until everything done so far is painted."""
        if not self.window.settle(WAIT_S):
            raise EnvironmentFault("demo-stuck", what="the till loop")

    def wait(self, what: str, is_seen: Callable[[TillView], bool]) -> None:
        """Wait until the window shows it."""
        deadline = self._clock.monotonic() + WAIT_S
        while not is_seen(self.view):
            if self._clock.monotonic() > deadline:
                self.picture("stuck")
                raise EnvironmentFault("demo-stuck", what=what)
            _pass(POLL_S)

    def picture(self, name: str) -> None:
        """Keep what the window looks like now."""
        _pass(SETTLE_S)
        self.settle()
        self._screens.mkdir(parents=True, exist_ok=True)
        language = self.view.language.value.partition("_")[0]
        self.window.grab().save(str(self._screens / f"{language}-{name}.png"))


def _pass(seconds: float) -> None:
    """Let time pass for the window and for other threads: QTest's own wait holds them all up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        QApplication.processEvents()
        time.sleep(POLL_S / 4)


def _place(widget: QWidget, window: QWidget) -> tuple[int, int]:
    """Where it stands: rows from the top, in a row from the left."""
    at = widget.mapTo(window, QPoint(0, 0))
    return at.y(), at.x()
