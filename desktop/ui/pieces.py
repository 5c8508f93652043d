"""Small widgets that every page is made of."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QLayout, QPushButton, QWidget

from desktop.presenters.text import Tone
from desktop.ui.design import COMPACT_TILE, GRID, RADIUS, TILE, TOUCH, Design, Size


def label(
    text: str = "",
    *,
    size: Size = Size.BODY,
    bold: bool = False,
    muted: bool = False,
    right: bool = False,
    wrap: bool = False,
) -> QLabel:
    """A label in one of the four sizes."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", size.value)
    made.setProperty("bold", bold)
    made.setProperty("muted", muted)
    made.setWordWrap(wrap)
    if right:
        made.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return made


def note_label(text: str, tone: Tone) -> QLabel:
    """A message on its ground, with a sign before it: never told by colour alone."""
    made = label(with_sign(text, tone), wrap=True)
    made.setProperty("note", "true")
    made.setProperty("tone", tone.value)
    return made


SIGNS = {Tone.INFO: "", Tone.GOOD: "✓ ", Tone.ATTENTION: "! ", Tone.REFUSED: "✕ "}


def with_sign(text: str, tone: Tone) -> str:
    """A message with the sign of its tone."""
    return SIGNS[tone] + text


def card() -> QFrame:
    """A surface with a border."""
    frame = QFrame()
    frame.setProperty("card", "true")
    return frame


def button(text: str, clicked: Callable[[], None], *, primary: bool = False) -> QPushButton:
    """A button that is reached by Tab but never takes the keys after a tap."""
    made = QPushButton(text)
    made.setProperty("primary", primary)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setMinimumHeight(TOUCH)
    made.setAccessibleName(text)
    made.clicked.connect(lambda: clicked())  # noqa: PLW0108 - Qt would hand over a bool
    return made


def empty(layout: QLayout) -> None:
    """Take everything out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            empty(inner)


class Tile(QAbstractButton):
    """Something to choose: title, detail below, trailing text at the right or the bottom."""

    def __init__(
        self,
        design: Design,
        clicked: Callable[[], None],
        *,
        is_row: bool,
        is_compact: bool = False,
    ) -> None:
        super().__init__()
        self._design = design
        self._is_row = is_row
        self._is_compact = is_compact
        self._title = self._detail = self._trailing = ""
        self._is_selected = False
        self._tone = Tone.INFO
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tile = COMPACT_TILE if is_compact else TILE
        self.setMinimumHeight(TOUCH + GRID * 2 if is_row else tile)
        self.clicked.connect(lambda: clicked())  # noqa: PLW0108 - Qt would hand over a bool

    def show_choice(
        self,
        title: str,
        *,
        detail: str = "",
        trailing: str = "",
        is_selected: bool = False,
        tone: Tone = Tone.INFO,
    ) -> None:
        """Paint this from now on."""
        self._title, self._detail, self._trailing = title, detail, trailing
        self._is_selected = is_selected
        self._tone = tone
        self.setAccessibleName(" ".join(filter(None, (title, detail, trailing))))
        self.update()

    def sizeHint(self) -> QSize:
        """Wide enough for a few words; the layout stretches it."""
        return QSize(GRID * 24, self.minimumHeight())

    def paintEvent(self, event: QPaintEvent) -> None:
        """A rounded surface with its texts, elided rather than cut."""
        del event
        design, painter = self._design, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = design.color("selected" if self._is_selected or self.isDown() else "surface")
        is_marked = self._is_selected or self.hasFocus()
        painter.setPen(QPen(design.color("accent" if is_marked else "line"), 2 if is_marked else 1))
        painter.setBrush(ground)
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        inner = self.rect().adjusted(GRID * 3, GRID * 2, -GRID * 3, -GRID * 2)
        if self._is_row:
            self._paint_row(painter, inner)
        elif self._is_compact:
            self._paint_compact(painter, inner)
        else:
            self._paint_tile(painter, inner)
        painter.end()

    def _paint_row(self, painter: QPainter, inner: QRect) -> None:
        design = self._design
        painter.setFont(design.font(Size.BODY, bold=True))
        width = painter.fontMetrics().horizontalAdvance(self._trailing)
        color = design.color("text")
        if self._tone is not Tone.INFO:
            color = QColor(design.theme.tone(self._tone)[0])
        _draw(painter, inner, self._trailing, color, right=True)
        inner = inner.adjusted(0, 0, -width - GRID * 4, 0)
        painter.setFont(design.font(Size.BODY))
        if not self._detail:
            _draw(painter, inner, self._title, design.color("text"))
            return
        half = inner.height() // 2
        _draw(painter, inner.adjusted(0, 0, 0, -half + 2), self._title, design.color("text"))
        painter.setFont(design.font(Size.SMALL))
        _draw(painter, inner.adjusted(0, half + 2, 0, 0), self._detail, design.color("muted"))

    def _paint_compact(self, painter: QPainter, inner: QRect) -> None:
        """The title in up to two lines, and the key at the right of it."""
        design = self._design
        painter.setFont(design.font(Size.SMALL))
        key = painter.fontMetrics().horizontalAdvance(self._trailing)
        _draw(painter, inner, self._trailing, design.color("muted"), right=True)
        painter.setFont(design.font(Size.BODY))
        room = inner.adjusted(0, -GRID, -(key + GRID * 2 if key else 0), GRID)
        painter.setPen(design.color("text"))
        text = two_lines(self._title, painter.fontMetrics(), room.width())
        place = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(room, int(place), text)

    def _paint_tile(self, painter: QPainter, inner: QRect) -> None:
        design = self._design
        small = QFontMetrics(design.font(Size.SMALL)).height()
        below = self._trailing or self._detail
        painter.setFont(design.font(Size.BODY))
        top = inner.adjusted(0, 0, 0, -small if below else 0)
        text = two_lines(self._title, QFontMetrics(design.font(Size.BODY)), inner.width())
        align = Qt.AlignmentFlag.AlignTop if below else Qt.AlignmentFlag.AlignVCenter
        painter.setPen(design.color("text"))
        painter.drawText(top, int(Qt.AlignmentFlag.AlignLeft | align), text)
        painter.setFont(design.font(Size.SMALL))
        bottom = QRect(inner.left(), inner.bottom() - small, inner.width(), small)
        _draw(painter, bottom, self._trailing, design.color("muted"), right=True)
        key = painter.fontMetrics().horizontalAdvance(self._trailing) + GRID
        room = bottom.adjusted(0, 0, -key if self._trailing else 0, 0)
        _draw(painter, room, self._detail, design.color("muted"))


def two_lines(text: str, metrics: QFontMetrics, width: int) -> str:
    """A text broken into at most two lines, the second one elided."""
    if metrics.horizontalAdvance(text) <= width:
        return text
    cut = len(text)
    while cut > 1 and metrics.horizontalAdvance(text[:cut]) > width:
        cut -= 1
    space = text.rfind(" ", 0, cut + 1)
    ascii_from = cut
    while ascii_from > 0 and text[ascii_from - 1].isascii() and text[ascii_from - 1] != " ":
        ascii_from -= 1
    if space > cut // 2:
        cut = space
    elif cut // 2 < ascii_from < cut:
        cut = ascii_from
    rest = metrics.elidedText(text[cut:].strip(), Qt.TextElideMode.ElideRight, width)
    return f"{text[:cut].rstrip()}\n{rest}"


def _draw(painter: QPainter, area: QRect, text: str, color: QColor, *, right: bool = False) -> None:
    if not text:
        return
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.setPen(color)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), elided)


def restyle(widget: QWidget) -> None:
    """A property that the style sheet looks at has changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
