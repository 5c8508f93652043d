"""The bar above: where, who, when, how the till is. The bar below: the keys that do something."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from desktop.presenters.text import Tone
from desktop.presenters.view import Hint, TopBar
from desktop.ui.design import GRID, RADIUS, TOUCH, Design, Size
from desktop.ui.pieces import empty, label, restyle
from desktop.ui.wording import Wording

TOP_HEIGHT = 48
KEY_BAR_HEIGHT = 68
DOTS = {Tone.GOOD: "●", Tone.INFO: "○", Tone.ATTENTION: "▲", Tone.REFUSED: "✕"}


class TopBarWidget(QFrame):
    """One line across the window."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(TOP_HEIGHT)
        self.setProperty("card", "true")
        self._place = label(bold=True)
        self._who = label()
        self._day = label(muted=True)
        self._sync = label(size=Size.SMALL)
        self._printer = label(size=Size.SMALL)
        self._time = label(bold=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID * 4, 0, GRID * 4, 0)
        layout.setSpacing(GRID * 5)
        for widget in (self._place, self._who, self._day):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self._sync, self._printer, self._time):
            layout.addWidget(widget)

    def show_top(self, top: TopBar, wording: Wording) -> None:
        """Paint it."""
        self._place.setText(f"{top.store} · {top.till}")
        self._who.setText(top.operator)
        self._day.setText(wording.text(top.business_date))
        _show_state(self._sync, wording.text(top.sync), top.sync_tone)
        _show_state(self._printer, wording.text(top.printer), top.printer_tone)

    def show_time(self, text: str) -> None:
        """The clock on the wall."""
        self._time.setText(text)


def _show_state(made: QLabel, text: str, tone: Tone) -> None:
    made.setText(f"{DOTS[tone]} {text}")
    made.setProperty("note", tone is Tone.ATTENTION)
    made.setProperty("tone", tone.value if tone is Tone.ATTENTION else "")
    restyle(made)


class KeyButton(QAbstractButton):
    """A key: its name above, what it does below."""

    def __init__(self, design: Design, hint: Hint, text: str, tapped: Callable[[], None]) -> None:
        super().__init__()
        self._design = design
        self._hint = hint
        self._words = text
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(TOUCH)
        # A bare button would never get narrower than its hint.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setAccessibleName(f"{hint.key} {text}")
        self.clicked.connect(lambda: tapped())  # noqa: PLW0108 - Qt would hand over a bool

    def sizeHint(self) -> QSize:
        """As wide as its word."""
        width = QFontMetrics(self._font(Size.BODY)).horizontalAdvance(self._words)
        return QSize(width + GRID * 6, KEY_BAR_HEIGHT - GRID * 3)

    def minimumSizeHint(self) -> QSize:
        """Room for the word in small letters: a narrow screen still shows every key."""
        width = QFontMetrics(self._font(Size.SMALL)).horizontalAdvance(self._words)
        return QSize(max(width + GRID, TOUCH), KEY_BAR_HEIGHT - GRID * 3)

    def _font(self, size: Size) -> QFont:
        return self._design.font(size, bold=self._hint.is_primary)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Key above word."""
        del event
        design, painter = self._design, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        primary = self._hint.is_primary
        ground = "selected" if self.isDown() else "accent" if primary else "surface"
        painter.setBrush(design.color(ground))
        painter.setPen(design.color("accent" if primary else "line"))
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), RADIUS, RADIUS)
        half = self.height() // 2
        painter.setFont(design.font(Size.SMALL))
        painter.setPen(design.color("accent_text" if primary else "muted"))
        center = int(Qt.AlignmentFlag.AlignCenter)
        painter.drawText(QRect(0, 3, self.width(), half - 3), center, self._hint.key)
        is_wide = self.width() >= self.sizeHint().width() - GRID * 4
        painter.setFont(self._font(Size.BODY if is_wide else Size.SMALL))
        painter.setPen(design.color("accent_text" if primary else "text"))
        painter.drawText(QRect(0, half - 4, self.width(), half), center, self._words)
        painter.end()


class KeyBar(QWidget):
    """Only the keys that do something now."""

    def __init__(self, design: Design, tapped: Callable[[str], None]) -> None:
        super().__init__()
        self._design = design
        self._tapped = tapped
        self._shown: tuple[object, ...] = ()
        self.setFixedHeight(KEY_BAR_HEIGHT)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(GRID * 3, GRID * 2, GRID * 3, GRID * 2)
        self._layout.setSpacing(GRID * 2)

    def show_hints(self, hints: tuple[Hint, ...], wording: Wording) -> None:
        """Paint them."""
        if self._shown == (hints, wording.language):
            return
        self._shown = (hints, wording.language)
        empty(self._layout)
        for hint in hints:
            made = KeyButton(self._design, hint, wording.text(hint.text), self._tapping(hint.key))
            self._layout.addWidget(made, 2 if hint.is_primary else 1)

    def _tapping(self, key: str) -> Callable[[], None]:
        return lambda: self._tapped(key)
