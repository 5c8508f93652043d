"""The table of lines: numbers right-aligned, discounts below their line, newest always visible."""

from collections.abc import Callable

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from desktop.presenters.view import LineRow
from desktop.ui.design import GRID, Design, Size
from desktop.ui.wording import Wording

ROW = 48
DISCOUNT_ROW = 26
HEAD = 32
NUMBER_WIDTH = 40
QUANTITY_WIDTH = 88
PRICE_WIDTH = 92
AMOUNT_WIDTH = 108
NARROW = 600
NARROW_WIDTHS = (86, 74, 78)


class _Rows(QWidget):
    """Paints every row; only what is on screen is drawn."""

    def __init__(self, design: Design, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._design = design
        self._choose = choose
        self._rows: tuple[LineRow, ...] = ()
        self._wording: Wording | None = None

    def show_rows(self, rows: tuple[LineRow, ...], wording: Wording) -> int:
        """Take new rows; returns the bottom of the selected one."""
        self._rows, self._wording = rows, wording
        self.setFixedHeight(max(1, sum(map(_height, rows))))
        self.update()
        bottom = 0
        for row in rows:
            bottom += _height(row)
            if row.is_selected:
                return bottom
        return bottom

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A tap chooses the line."""
        top = 0
        for row in self._rows:
            if top <= event.position().y() < top + _height(row):
                self._choose(row.line_id)
            top += _height(row)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows from top to bottom."""
        painter = QPainter(self)
        top = 0
        for row in self._rows:
            height = _height(row)
            if top + height >= event.rect().top() and top <= event.rect().bottom():
                self._paint(painter, row, QRect(0, top, self.width(), height))
            top += height
        painter.end()

    def _paint(self, painter: QPainter, row: LineRow, area: QRect) -> None:
        design, wording = self._design, self._wording
        assert wording is not None
        if row.is_selected:
            painter.fillRect(area, design.color("selected"))
            painter.fillRect(QRect(0, area.top(), 4, area.height()), design.color("accent"))
        painter.fillRect(QRect(0, area.bottom(), area.width(), 1), design.color("line"))
        first = QRect(area.left(), area.top(), area.width(), ROW)
        cells = columns(first)
        painter.setFont(design.font(Size.SMALL))
        _text(painter, cells[0], str(row.number), design.color("muted"), right=True)
        painter.setFont(design.font(Size.BODY))
        _text(painter, cells[1], wording.text(row.name), design.color("text"))
        quantity = wording.quantity(row.quantity, is_weighed=row.is_weighed)
        _text(painter, cells[2], quantity, design.color("text"), right=True)
        price = wording.amount(row.unit_price) + ("*" if row.is_manual else "")
        _text(painter, cells[3], price, design.color("muted"), right=True)
        painter.setFont(design.font(Size.BODY, bold=True))
        _text(painter, cells[4], wording.amount(row.amount), design.color("text"), right=True)
        painter.setFont(design.font(Size.SMALL))
        for index, discount in enumerate(row.discounts):
            line = QRect(0, first.bottom() - 6 + index * DISCOUNT_ROW, area.width(), DISCOUNT_ROW)
            cells = columns(line)
            wide = QRect(
                cells[1].left(), line.top(), cells[4].left() - cells[1].left(), DISCOUNT_ROW
            )
            _text(painter, wide, f"− {wording.text(discount.text)}", design.color("good"))
            amount = f"−{wording.amount(discount.minor)}" if discount.minor else ""
            _text(painter, cells[4], amount, design.color("good"), right=True)


def columns(area: QRect) -> tuple[QRect, QRect, QRect, QRect, QRect]:
    """Number, name, quantity, price, amount."""
    right = area.right() - GRID * 3
    is_narrow = area.width() < NARROW
    widths = NARROW_WIDTHS if is_narrow else (AMOUNT_WIDTH, PRICE_WIDTH, QUANTITY_WIDTH)
    cells = []
    for width in widths:
        cells.append(QRect(right - width, area.top(), width, area.height()))
        right -= width
    number = QRect(area.left(), area.top(), NUMBER_WIDTH, area.height())
    name = QRect(
        NUMBER_WIDTH + GRID * 3, area.top(), right - NUMBER_WIDTH - GRID * 5, area.height()
    )
    return number, name, cells[2], cells[1], cells[0]


def _height(row: LineRow) -> int:
    return ROW + DISCOUNT_ROW * len(row.discounts) - (2 if row.discounts else 0)


def _text(painter: QPainter, area: QRect, text: str, color: QColor, *, right: bool = False) -> None:
    painter.setPen(color)
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
    painter.drawText(area, int(side | Qt.AlignmentFlag.AlignVCenter), elided)


class _Head(QWidget):
    """The column titles."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self._design = design
        self._titles = ("", "", "", "", "")
        self.setFixedHeight(HEAD)

    def show_titles(self, wording: Wording) -> None:
        """In another language."""
        names = ("number", "name", "quantity", "price", "amount")
        found = tuple(wording.say(f"till.sale.column.{name}") for name in names)
        self._titles = (found[0], found[1], found[2], found[3], found[4])
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Titles over their columns."""
        del event
        painter = QPainter(self)
        painter.setFont(self._design.font(Size.SMALL))
        for index, (cell, title) in enumerate(zip(columns(self.rect()), self._titles, strict=True)):
            _text(painter, cell, title, self._design.color("muted"), right=index != 1)
        painter.fillRect(QRect(0, HEAD - 1, self.width(), 1), self._design.color("line"))
        painter.end()


class BasketTable(QScrollArea):
    """Head and rows."""

    def __init__(self, design: Design, choose: Callable[[str], None]) -> None:
        super().__init__()
        self._head = _Head(design)
        self._rows = _Rows(design, choose)
        self.setViewportMargins(0, HEAD, 0, 0)
        self._head.setParent(self)
        self.setWidget(self._rows)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def show_rows(self, rows: tuple[LineRow, ...], wording: Wording) -> None:
        """Paint these; the selected one comes into view."""
        self._head.show_titles(wording)
        bottom = self._rows.show_rows(rows, wording)
        self.ensureVisible(0, bottom, 0, GRID)
        if rows:
            newest = rows[-1]
            self.setAccessibleName(
                f"{wording.text(newest.name)} {newest.quantity} {wording.amount(newest.amount)}"
            )

    def resizeEvent(self, event: object) -> None:
        """The head keeps the width of the rows."""
        super().resizeEvent(event)  # type: ignore[arg-type]  # Qt hands over a QResizeEvent
        self._head.setGeometry(0, 0, self.viewport().width(), HEAD)

    def sizeHint(self) -> QSize:
        """As tall as there is room."""
        return QSize(GRID * 100, GRID * 80)
