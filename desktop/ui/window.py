"""The till's window: paints each view, forwards keys, scans and taps to the till loop."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.presenters.intent import Intent, Key, Press, Scan
from desktop.presenters.till_loop import TillLoop
from desktop.presenters.view import Page, SaleView, Sheet, TillView
from desktop.ui.bars import KeyBar, TopBarWidget
from desktop.ui.design import GRID, Design
from desktop.ui.keys import KeyRouter
from desktop.ui.sale_page import SalePageWidget
from desktop.ui.sheet import SheetWidget
from desktop.ui.wording import Wording
from hardware.ports import CardData, ScanData, ScanQuality
from hardware.scanner.wedge import WedgeDetector, WedgeSettings
from shared.clock import Clock

SHEET_WIDTH = 620
SHEET_WIDTH_WIDE = 820
CLOCK_MS = 5_000
SETTLE_S = 30.0
PAINT_ROUNDS = 3
"""A view, the layouts it changed, and the painting of both."""


class _Bridge(QObject):
    """Carries views from the till loop's thread to the window's."""

    published = Signal(object)


class TillWindow(QWidget):
    """One till on one screen."""

    page_names = tuple(page.value for page in Page)

    def __init__(
        self,
        loop: TillLoop,
        *,
        clock: Clock,
        design: Design | None = None,
        wedge: WedgeSettings | None = None,
        wall_clock: Callable[[], str] = lambda: "",
        has_event_times: bool = False,
    ) -> None:
        super().__init__()
        self._loop = loop
        self._clock = clock
        self._design = design or Design()
        self._wall_clock = wall_clock
        self._view: TillView | None = None
        self.setObjectName("window")
        self.setWindowTitle("Evertill")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setStyleSheet(self._design.style_sheet())
        self._build()
        self._bridge = _Bridge()
        self._bridge.published.connect(self._show)
        detector = WedgeDetector(wedge or WedgeSettings(), "keyboard")
        self.router = KeyRouter(
            self,
            detector,
            clock=clock,
            post=self.post,
            values=lambda: self._sheet_in_front().values(),
            next_field=lambda: self._sheet_in_front().next_field(),
            has_event_times=has_event_times,
        )
        application = QApplication.instance()
        assert application is not None
        application.installEventFilter(self.router)
        self._ticker = QTimer(self)
        self._ticker.timeout.connect(self._tick)
        self._ticker.start(CLOCK_MS)

    def _build(self) -> None:
        self._top = TopBarWidget()
        self._sale = SalePageWidget(self._design, self.post, self._clock.monotonic)
        self._sheet = SheetWidget(self._design, self.post)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._sale)
        self._pages.addWidget(_centred(self._sheet))
        self._keys = KeyBar(self._design, self._tapped)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._top)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._keys)

    @property
    def view(self) -> TillView | None:
        """What is painted now."""
        return self._view

    def post(self, intent: Intent) -> None:
        """Hand an intent to the till loop; never waits."""
        self._loop.post(intent)

    def publish(self, view: TillView) -> None:
        """Show a view; from any thread."""
        self._bridge.published.emit(view)

    def scanned(self, scan: ScanData) -> None:
        """A scanner read a code; from the scanner's own thread."""
        self.post(Scan(scan.text, is_damaged=scan.quality is ScanQuality.DAMAGED))

    def tapped_card(self, card: CardData) -> None:
        """A reader read a card; from the reader's own thread."""
        self.post(Scan(card.token))

    def settle(self, timeout_s: float = SETTLE_S) -> bool:
        """Wait until everything posted is handled and painted; for tests and the demo."""
        application = QApplication.instance()
        assert application is not None
        application.processEvents()
        done = self._loop.wait_idle(timeout_s)
        for _ in range(PAINT_ROUNDS):
            application.processEvents()
        return done

    def _show(self, view: TillView) -> None:
        self._view = view
        wording = Wording(view.language, view.currency)
        self._top.setVisible(view.top is not None)
        if view.top is not None:
            self._top.show_top(view.top, wording)
        self._tick()
        if isinstance(view.body, SaleView):
            self._pages.setCurrentIndex(0)
            self._sale.show_sale(view.body, view.overlay, view.message, wording, view.stack)
        else:
            self._pages.setCurrentIndex(1)
            self._show_sheet(view.overlay or view.body, view, wording)
        self._keys.setVisible(isinstance(view.body, SaleView))
        self._keys.show_hints(view.hints, wording)
        self._settle_focus(view)

    def _settle_focus(self, view: TillView) -> None:
        """Keys belong to a field of the sheet in front or to the window.

        A button has the focus only while somebody walks with Tab: Qt moves it to the next widget
        when the one that had it goes, and Enter would press what nobody chose.
        """
        has_sheet = view.overlay is not None or isinstance(view.body, Sheet)
        focused = self.focusWidget()
        if has_sheet and self._sheet_in_front().is_field(focused):
            return
        if not self.router.is_walking:
            self.setFocus()

    def _show_sheet(self, sheet: Sheet, view: TillView, wording: Wording) -> None:
        self._sheet.setMaximumWidth(SHEET_WIDTH_WIDE if sheet.is_wide else SHEET_WIDTH)
        self._sheet.show_sheet(sheet, view.message, wording)

    def _sheet_in_front(self) -> SheetWidget:
        return self._sale.sheet if self._pages.currentIndex() == 0 else self._sheet

    def _tapped(self, key: str) -> None:
        self.post(Press(Key(key), self._clock.monotonic(), self._sheet_in_front().values()))

    def _tick(self) -> None:
        self._top.show_time(self._wall_clock())

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window goes; the filter with it."""
        application = QApplication.instance()
        if application is not None:
            application.removeEventFilter(self.router)
        self._ticker.stop()
        super().closeEvent(event)


def _centred(widget: QWidget) -> QWidget:
    outer = QWidget()
    layout = QHBoxLayout(outer)
    layout.setContentsMargins(GRID * 3, GRID * 3, GRID * 3, 0)
    layout.addStretch(1)
    layout.addWidget(widget, 8)
    layout.addStretch(1)
    return outer
