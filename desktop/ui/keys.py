"""One event filter for the whole application: every key and scan goes where it belongs.

Keys come here first, whatever has the focus, are judged by the wedge detector, and are then either
a scan, an action, or typing that is handed on to the field with the focus. Scans by a keyboard
scanner thus work over text fields, open drop-down lists and input methods alike.
"""

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QWindow
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget

from desktop.presenters.intent import Intent, Key, Press, Scan, Typed
from hardware.ports import ScanQuality
from hardware.scanner.wedge import Ruling, Verdict, WedgeDetector
from shared.clock import Clock

QtKey = Qt.Key
ACTIONS = {
    **{getattr(QtKey, f"Key_F{number}"): Key(f"F{number}") for number in range(1, 13)},
    QtKey.Key_Escape: Key.ESC,
    QtKey.Key_Return: Key.ENTER,
    QtKey.Key_Enter: Key.ENTER,
    QtKey.Key_Up: Key.UP,
    QtKey.Key_Down: Key.DOWN,
    QtKey.Key_Delete: Key.DELETE,
    QtKey.Key_Backspace: Key.BACKSPACE,
    QtKey.Key_Asterisk: Key.TIMES,
}
KEPT_BY_FIELDS = frozenset({Key.DELETE, Key.BACKSPACE, Key.TIMES, Key.PLUS})
MODIFIERS = frozenset(
    {QtKey.Key_Shift, QtKey.Key_Control, QtKey.Key_Alt, QtKey.Key_AltGr, QtKey.Key_Meta,
     QtKey.Key_CapsLock, QtKey.Key_NumLock}
)  # fmt: skip
COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
TICK_MS_MIN = 5
HANDED_ON = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)


class KeyRouter(QObject):
    """Installed on the application; works for one window."""

    def __init__(
        self,
        window: QWidget,
        detector: WedgeDetector,
        *,
        clock: Clock,
        post: Callable[[Intent], None],
        values: Callable[[], tuple[tuple[str, str], ...]],
        next_field: Callable[[], bool],
        has_event_times: bool,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._detector = detector
        self._clock = clock
        self._post = post
        self._values = values
        self._next_field = next_field
        self._has_event_times = has_event_times
        self._offset: float | None = None
        self._handing_on = False
        self.is_walking = False
        """Whether somebody goes from widget to widget with Tab."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take every key press of the window and its popups away; hand on what is typing."""
        if self._handing_on or not isinstance(watched, QWidget | QWindow):
            return False
        if event.type() is QEvent.Type.ShortcutOverride:
            # A drop-down list would close at the Enter that ends a scan, before the key itself.
            return self._is_ours(watched)
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if not self._is_ours(watched):
                return False
            self._key(event)
            return True
        if event.type() is QEvent.Type.InputMethod and isinstance(event, QInputMethodEvent):
            return self._is_ours(watched) and self._input_method(event)
        return False

    def _is_ours(self, watched: QWidget | QWindow) -> bool:
        if isinstance(watched, QWidget):
            popup = QApplication.activePopupWidget()
            return watched.window() is self._window or watched.window() is popup
        popup = QApplication.activePopupWidget()
        handles = [self._window.windowHandle(), popup.windowHandle() if popup else None]
        return watched in handles

    def at(self, event: QKeyEvent) -> float:
        """When a key went down, on the injected clock: a busy window must not bend the times.

        The window system's stamps run beside the clock at a fixed distance; the least one seen is
        the truest. A clock that is moved by hand has nothing to do with them.
        """
        now = self._clock.monotonic()
        if not (self._has_event_times and event.timestamp()):
            return now
        stamp = event.timestamp() / 1000
        offset = now - stamp
        self._offset = offset if self._offset is None else min(self._offset, offset)
        return stamp + self._offset

    # Judging

    def _key(self, event: QKeyEvent) -> None:
        if QtKey(event.key()) in MODIFIERS:
            return
        at = self.at(event)
        text = "" if event.modifiers() & COMMANDS else _character(event)
        ruling = self._detector.key(text, at, auto_repeat=event.isAutoRepeat())
        self._obey(ruling, at)
        if ruling.verdict is Verdict.PASS:
            self._act(event, at)
        self._watch()

    def _input_method(self, event: QInputMethodEvent) -> bool:
        text = event.commitString()
        if not text:
            return False
        at = self._clock.monotonic()
        ruling = self._detector.committed(text, at)
        self._obey(ruling, at)
        self._watch()
        return ruling.verdict is not Verdict.PASS

    def tick(self) -> None:
        """A pause has lasted long enough: what was held is typing, or a scan without an end."""
        at = self._clock.monotonic()
        self._obey(self._detector.tick(at), at)
        self._watch()

    def _watch(self) -> None:
        deadline = self._detector.deadline
        if deadline is None:
            self._timer.stop()
            return
        wait_s = deadline - self._clock.monotonic()
        self._timer.start(max(TICK_MS_MIN, math.ceil(wait_s * 1000) + 1))

    def _obey(self, ruling: Ruling, at: float) -> None:
        if ruling.take_back:
            _take_back(self._focused(), ruling.take_back)
        for character in ruling.release:
            self._type(character, at)
        if ruling.scan is not None:
            popup = QApplication.activePopupWidget()
            if popup is not None:
                popup.close()
            self.is_walking = False
            damaged = ruling.scan.quality is ScanQuality.DAMAGED
            self._post(Scan(ruling.scan.text, is_damaged=damaged))

    # Acting

    def _focused(self) -> QWidget | None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            return popup.focusWidget() or popup
        return self._window.focusWidget()

    def _act(self, event: QKeyEvent, at: float) -> None:
        """A key that is no part of a scan."""
        if QtKey(event.key()) in (QtKey.Key_Tab, QtKey.Key_Backtab):
            self._walk(forward=QtKey(event.key()) is QtKey.Key_Tab)
            return
        key = ACTIONS.get(QtKey(event.key()))
        focused = self._focused()
        if QApplication.activePopupWidget() is not None or key is None or _keeps(focused, key):
            self._hand_on(event)
        elif event.isAutoRepeat():
            if key is Key.BACKSPACE:
                self._press(key, at)
        elif key is Key.ENTER and self._presses_button(focused):
            self._hand_on(QKeyEvent(QEvent.Type.KeyPress, QtKey.Key_Space, event.modifiers(), " "))
        elif key is Key.ENTER and self._next_field():
            return
        else:
            self._press(key, at)

    def _walk(self, *, forward: bool) -> None:
        self.is_walking = True
        self._window.focusNextPrevChild(forward)

    def _presses_button(self, focused: QWidget | None) -> bool:
        return (
            focused is not None
            and not isinstance(focused, QLineEdit | QComboBox)
            and (focused is not self._window and focused.focusPolicy() == Qt.FocusPolicy.TabFocus)
        )

    def _press(self, key: Key, at: float) -> None:
        self.is_walking = False
        self._post(Press(key, at, self._values()))

    def _type(self, character: str, at: float) -> None:
        """A held key turned out to be typing."""
        focused = self._focused()
        if isinstance(focused, QLineEdit) or QApplication.activePopupWidget() is not None:
            event = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, character)
            self._hand_on(event)
        elif character == "+":
            self._press(Key.PLUS, at)
        elif character == "*":
            self._press(Key.TIMES, at)
        else:
            self._post(Typed(character))

    def _hand_on(self, event: QKeyEvent) -> None:
        """To whatever has the focus, past this filter; a copy, since the original ends here."""
        focused = self._focused() or self._window
        if focused is self._window:
            return
        self._handing_on = True
        try:
            for kind in HANDED_ON:
                copy = QKeyEvent(
                    kind, event.key(), event.modifiers(), event.text(), event.isAutoRepeat()
                )
                QApplication.sendEvent(focused, copy)
        finally:
            self._handing_on = False


def _character(event: QKeyEvent) -> str:
    """The text of a key as the detector wants it: printable, or a scanner's suffix."""
    if QtKey(event.key()) in (QtKey.Key_Return, QtKey.Key_Enter):
        return "\r"
    if QtKey(event.key()) is QtKey.Key_Tab:
        return "\t"
    text = event.text()
    return text if text.isprintable() else ""


def _keeps(focused: QWidget | None, key: Key) -> bool:
    """Whether a field needs this key itself."""
    if isinstance(focused, QComboBox) and key in (Key.UP, Key.DOWN):
        return True
    return isinstance(focused, QLineEdit | QComboBox) and key in KEPT_BY_FIELDS


def _take_back(focused: QWidget | None, text: str) -> None:
    """Remove what an input method put into a field before a scan was recognised."""
    if isinstance(focused, QLineEdit):
        before = focused.text()[: focused.cursorPosition()]
        if before.endswith(text):
            after = focused.text()[focused.cursorPosition() :]
            focused.setText(before.removesuffix(text) + after)
            focused.setCursorPosition(len(before) - len(text))
