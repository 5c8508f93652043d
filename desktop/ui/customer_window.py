"""The customer's screen: goods, total, what is due, change; large, in the cashier's language."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.presenters.customer import CustomerKind, CustomerLine, CustomerView
from desktop.ui.design import GRID, Design, Size
from desktop.ui.pieces import label
from desktop.ui.wording import Wording

ROWS_MAX = 10
"""The newest goods; a customer looks for the last one."""


class _Bridge(QObject):
    """Carries views from the till loop's thread to the window's."""

    published = Signal(object)


class CustomerWindow(QWidget):
    """A window of its own, for the second screen."""

    def __init__(self, design: Design | None = None) -> None:
        super().__init__()
        design = design or Design()
        self.setObjectName("window")
        self.setWindowTitle("Evertill")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        # Keys and scans belong to the cashier's window, also after a touch on this one.
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowFlag(Qt.WindowType.WindowDoesNotAcceptFocus)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setStyleSheet(design.style_sheet())
        self._goods = QGridLayout()
        self._goods.setColumnStretch(0, 1)
        self._upper = _Pair(Size.LARGE)
        self._lower = _Pair(Size.HUGE)
        self._saved = _Pair(Size.BODY)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*[GRID * 10] * 4)
        layout.setSpacing(GRID * 4)
        layout.addLayout(self._goods)
        layout.addStretch(1)
        for pair in (self._saved, self._upper, self._lower):
            layout.addWidget(pair)
        layout.addStretch(1)
        self._bridge = _Bridge()
        self._bridge.published.connect(self._show)

    def publish(self, view: CustomerView) -> None:
        """Show a view; from any thread."""
        self._bridge.published.emit(view)

    def open_on_second_screen(self) -> None:
        """Fill the second screen; without one, an ordinary window."""
        screens = QGuiApplication.screens()
        if len(screens) > 1:
            self.setGeometry(screens[1].geometry())
            self.showFullScreen()
        else:
            self.show()

    def texts(self) -> list[str]:
        """All that can be read on it, from above."""
        shown = [one for one in self.findChildren(QLabel) if one.text() and one.isVisibleTo(self)]
        return [one.text() for one in shown]

    def _show(self, view: CustomerView) -> None:
        wording = Wording(view.language, view.currency)
        self._show_goods(view, wording)
        has_saved = view.saved > 0 and view.kind is not CustomerKind.IDLE
        self._saved.setVisible(has_saved)
        if has_saved:
            self._saved.show_texts(wording.say("till.customer.saved"), wording.money(view.saved))
        upper, lower = view.upper, view.lower
        if view.kind is CustomerKind.LINE:
            # The newest goods stand in the list already.
            upper = CustomerLine("")
        self._upper.show_texts(wording.text(upper.text), wording.text(upper.figure))
        self._lower.show_texts(wording.text(lower.text), wording.text(lower.figure))

    def _show_goods(self, view: CustomerView, wording: Wording) -> None:
        while (item := self._goods.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.setParent(None)
                old.deleteLater()
        for at, row in enumerate(view.rows[-ROWS_MAX:]):
            quantity = wording.quantity(row.quantity, is_weighed=row.is_weighed)
            cells = (wording.text(row.name), quantity, wording.amount(row.amount))
            for column, text in enumerate(cells):
                self._goods.addWidget(label(text, size=Size.LARGE, right=column > 0), at, column)


class _Pair(QWidget):
    """A text left, a figure right."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self._text = label(size=size)
        self._figure = label(size=size, bold=True, right=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._figure)

    def show_texts(self, text: str, figure: str) -> None:
        """Replace both."""
        self._text.setText(text)
        self._figure.setText(figure)
