"""One event filter for the whole application: every key and scan goes where it belongs.

Keys come here first, whatever has the focus, are judged by the wedge detector, and are then either
a scan, an action, or typing that is handed on to the field with the focus. Scans by a keyboard
scanner thus work over text fields, open drop-down lists and input methods alike.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QInputMethodEvent, QKeyEvent, QWindow
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
CAPS_LOCK = {"windows": 0x100, "cocoa": 0x10000}
"""The bit of a key event's native modifiers that tells CapsLock, by Qt's platform."""
CAPS_LOCK_ELSEWHERE = 0x2
"""LockMask of X11, which xkb keeps on Wayland."""
TICK_MS_MIN = 5
JUDGED = frozenset({QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.InputMethod})
HANDED_ON = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease)


@dataclass(frozen=True, slots=True)
class _Untouched:
    """A text field as it was before an input method began to write into it."""

    field: QLineEdit
    text: str
    cursor: int
    selected_from: int
    selected: int

    @classmethod
    def of(cls, widget: QWidget | None) -> "_Untouched | None":
        if not isinstance(widget, QLineEdit):
            return None
        selected = len(widget.selectedText())
        start = widget.selectionStart()
        return cls(widget, widget.text(), widget.cursorPosition(), start, selected)

    def restore(self) -> None:
        self.field.setText(self.text)
        self.field.setCursorPosition(self.cursor)
        if self.selected:
            self.field.setSelection(self.selected_from, self.selected)


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
        self._untouched: _Untouched | None = None
        self._is_composing = False
        self._has_committed = False
        self.is_walking = False
        """Whether somebody goes from widget to widget with Tab."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take every key press of the window and its popups away; hand on what is typing."""
        kind = event.type()  # asked once: this sees every event of the application
        if kind not in JUDGED or self._handing_on:
            return False
        if not isinstance(watched, QWidget | QWindow) or not self._is_ours(watched):
            return False
        if isinstance(event, QInputMethodEvent):
            return self._input_method(event)
        if kind is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._key(event)
        # A drop-down list would close at the Enter that ends a scan, before the key itself: its
        # shortcut override is taken away too.
        return True

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
        ruling = self._detector.key(
            text, at, auto_repeat=event.isAutoRepeat(), caps_lock=_has_caps_lock(event)
        )
        self._obey(ruling, at)
        if ruling.verdict is Verdict.PASS:
            self._act(event, at)
        self._watch()

    def _input_method(self, event: QInputMethodEvent) -> bool:
        self.tick()
        if self._untouched is None or self._untouched.field is not self._focused():
            self._untouched = _Untouched.of(self._focused())
        self._is_composing = bool(event.preeditString())
        text = event.commitString()
        is_eaten = bool(text) and self._is_part_of_scan(text)
        if is_eaten:
            self._end_composing()
        self._watch()
        return is_eaten

    def _is_part_of_scan(self, text: str) -> bool:
        at = self._clock.monotonic()
        ruling = self._detector.committed(text, at)
        self._has_committed = True
        self._obey(ruling, at)
        return ruling.verdict is not Verdict.PASS

    def _end_composing(self) -> None:
        """What an input method still shows in the field goes too."""
        self._is_composing = False
        with self._stepping_aside():  # some input methods commit what they are told to forget
            QGuiApplication.inputMethod().reset()
            if isinstance(focused := self._focused(), QLineEdit):
                QApplication.sendEvent(focused, QInputMethodEvent())

    def _take_back(self) -> None:
        """The field as it was before an input method ate a scan; one that is gone needs nothing."""
        before, self._untouched = self._untouched, None
        self._end_composing()
        if before is not None and before.field is self._focused():
            before.restore()

    def tick(self) -> None:
        """A pause has lasted long enough: what was held is typing, or a scan without an end."""
        at = self._clock.monotonic()
        self._obey(self._detector.tick(at), at)
        self._watch()

    def _watch(self) -> None:
        deadline = self._detector.deadline
        if deadline is None:
            if self._has_committed or not self._is_composing:
                # That was typing and stays; what is still composed begins here.
                self._untouched = _Untouched.of(self._focused()) if self._is_composing else None
            self._has_committed = False
            self._timer.stop()
            return
        wait_s = deadline - self._clock.monotonic()
        self._timer.start(max(TICK_MS_MIN, math.ceil(wait_s * 1000) + 1))

    def _obey(self, ruling: Ruling, at: float) -> None:
        is_damaged = ruling.scan is not None and ruling.scan.quality is ScanQuality.DAMAGED
        if is_damaged:
            self._take_back()
        for character in ruling.release:
            self._type(character, at)
        if ruling.scan is not None:
            popup = QApplication.activePopupWidget()
            if popup is not None:
                popup.close()
            self.is_walking = False
            self._post(Scan(ruling.scan.text, is_damaged=is_damaged))

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
        elif character == "-":
            self._press(Key.MINUS, at)
        else:
            self._post(Typed(character))

    def _hand_on(self, event: QKeyEvent) -> None:
        """To whatever has the focus, past this filter; a copy, since the original ends here."""
        focused = self._focused() or self._window
        if focused is self._window:
            return
        with self._stepping_aside():
            for kind in HANDED_ON:
                copy = QKeyEvent(
                    kind, event.key(), event.modifiers(), event.text(), event.isAutoRepeat()
                )
                QApplication.sendEvent(focused, copy)

    @contextmanager
    def _stepping_aside(self) -> Iterator[None]:
        """What is sent meanwhile goes past this filter."""
        self._handing_on = True
        try:
            yield
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


def _has_caps_lock(event: QKeyEvent) -> bool:
    """Qt tells CapsLock in each platform's own bits only."""
    bit = CAPS_LOCK.get(QGuiApplication.platformName(), CAPS_LOCK_ELSEWHERE)
    return bool(event.nativeModifiers() & bit)
