"""From a scan to the painted line: the real window offscreen, on a till that is filled already."""

import os
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from desktop.bootstrap import OpenStore, Surroundings
from desktop.presenters.intent import Act, Key, Press, Typed
from desktop.presenters.view import Page
from desktop.store.database import TillFolder
from desktop.till_window import Station, open_station
from hardware.simulators.scanner import CallbackScannerSimulator
from tests.support.enrolled_till import MANAGER, PINS

WIDTH, HEIGHT = 1366, 768
WARM_UP = 20


class _Painting(QObject):
    """Notes that the window was painted with another view than before."""

    def __init__(self, station: Station) -> None:
        super().__init__()
        self._window = station.window
        self.before: object = None
        self.is_done = False
        station.window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """All that has to be painted is painted in one request of the window."""
        is_request = watched is self._window and event.type() == QEvent.Type.UpdateRequest
        if is_request and self._window.view is not self.before:
            self.is_done = True
        return False


def painted_scans(folder: Path, codes: list[str], *, basket_lines: int) -> list[float]:
    """Seconds from a code at the scanner to the end of the painting, for each code."""
    application = QApplication.instance() or QApplication([])
    scanner = CallbackScannerSimulator()
    scanner.open()
    station = open_station(OpenStore(TillFolder(folder)), Surroundings(), scanner=scanner)
    station.window.resize(WIDTH, HEIGHT)
    station.window.show()
    station.loop.start()
    station.listen()
    try:
        _to_the_sale_page(station)
        painting = _Painting(station)
        times = []
        for number, code in enumerate(codes):
            painting.before, painting.is_done = station.window.view, False
            began = time.perf_counter()
            scanner.scan(code)
            while not painting.is_done:
                application.processEvents()
            times.append(time.perf_counter() - began)
            if number % basket_lines == basket_lines - 1:
                station.window.post(Press(Key.F10))
                station.window.post(Act("menu", "give-up"))
                assert station.window.settle()
        return times[WARM_UP:]
    finally:
        station.close()


def _to_the_sale_page(station: Station) -> None:
    window = station.window
    assert window.settle()
    for digit in PINS[MANAGER]:  # the first of the list
        window.post(Typed(digit))
    window.post(Press(Key.ENTER))
    window.post(Press(Key.ENTER))
    assert window.settle()
    assert window.view is not None
    assert window.view.page is Page.SALE, window.view.message
