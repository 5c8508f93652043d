"""``evertill run``: opens the till's window."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import platformdirs
import structlog
import typer
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.customer_screens import CustomerScreens
from desktop.device_watch import DeviceWatch
from desktop.devices import Devices, make_devices
from desktop.presenters.first_run import FaultPresenter, FirstRunPresenter
from desktop.presenters.intent import DeviceTold
from desktop.presenters.till_loop import TillLoop
from desktop.services.settings_file import TillSettings, read_settings
from desktop.store.database import TillFolder
from desktop.store.wiping import WIPED
from desktop.sync.status import SyncStatus
from desktop.till_window import build_presenter, build_window, listening
from desktop.ui.customer_window import CustomerWindow
from desktop.ui.design import THEMES, Design
from desktop.ui.window import TillWindow
from hardware.ports import Health
from shared.clock import SystemClock
from shared.collector import settle
from shared.errors import EnvironmentFault, EvertillError
from shared.language import Language

log = structlog.get_logger("run")


def run(
    data: Annotated[Path | None, typer.Option(help="Folder of the till's files.")] = None,
) -> None:
    """Open the till."""
    folder = data or Path(platformdirs.user_data_dir("evertill", appauthor=False)) / "till"
    application = QApplication(sys.argv[:1])
    qInstallMessageHandler(_qt_message)
    sys.excepthook = _excepthook
    opened = Opened()
    try:
        opened.open(folder)
    except EvertillError as error:
        log.error("cannot-start", code=error.code)
        opened.show_fault(error)
    settle()
    code = application.exec()
    opened.close()
    raise typer.Exit(code)


@dataclass(slots=True)
class Opened:
    """What was opened so far, so that it can be closed in order."""

    loop: TillLoop = field(default_factory=TillLoop)
    surroundings: Surroundings = field(default_factory=Surroundings)
    store: OpenStore | None = None
    till: Till | None = None
    devices: Devices | None = None
    window: TillWindow | None = None
    customer: CustomerWindow | None = None
    watch: DeviceWatch | None = None
    screens: CustomerScreens = field(default_factory=CustomerScreens)

    def open(self, folder: Path) -> None:
        """Settings, devices, files, window; the first-run page where the till is not enrolled."""
        folder.mkdir(parents=True, exist_ok=True)
        settings = read_settings(folder)
        self.surroundings = Surroundings(clock=SystemClock(), language=settings.language)
        self.devices = make_devices(settings, self.surroundings.clock, folder)
        self.store = OpenStore(TillFolder(folder), seals=True)
        self._open_window(settings)
        self._open_customer_screens(settings)
        assert self.window is not None
        if self.store.identity() is None:
            presenter = FirstRunPresenter(self._enrol, language=Language(settings.language))
            self.loop.attach(presenter, self.window.publish)
        else:
            self._take_till()
        self._begin()

    def _open_window(self, settings: TillSettings) -> None:
        design = Design(THEMES[settings.theme], settings.font_scale_percent)
        wedge = self.devices.wedge if self.devices is not None else None
        self.window = build_window(
            self.loop, self.surroundings, design=design, wedge=wedge, wall_clock=self._wall_clock
        )

    def _open_customer_screens(self, settings: TillSettings) -> None:
        assert self.devices is not None
        self.screens.display = self.devices.display
        if settings.has_customer_window:
            design = Design(THEMES[settings.theme], settings.font_scale_percent)
            self.customer = CustomerWindow(design)
            self.screens.window = self.customer.publish
            self.customer.open_on_second_screen()

    def _begin(self) -> None:
        assert self.window is not None
        # Shown first: a field takes the focus only in a window that is there.
        self.window.showMaximized()
        self.loop.show()
        self.loop.start()
        if self.devices is not None:
            self.devices.open()
            self.devices.deliver(self.window.scanned, self.window.tapped_card)
            self.watch = DeviceWatch(self.devices.watched(), self._device_told)
            self.watch.start()

    def _device_told(self, health: Health) -> None:
        self.loop.post(DeviceTold(health))

    def _wall_clock(self) -> str:
        now = self.surroundings.clock.now()
        return f"{now.astimezone(self.till.identity.zone):%H:%M}" if self.till else ""

    def _enrol(self, url: str, code: str) -> None:
        """On the till loop: enrol, fetch everything once, go on as a till."""
        assert self.store is not None
        if self.store.identity() is None:
            self.store.enrol(url=url, code=code)
        self._take_till(is_new=True)

    def _take_till(self, *, is_new: bool = False) -> None:
        assert self.store is not None
        assert self.devices is not None
        assert self.window is not None
        around = self.devices.around(listening(self.surroundings, self.loop))
        around = replace(around, on_sync=self._until_wiped(around.on_sync))
        self.till = Till(self.store, around)
        if is_new:
            self.till.sync.try_once()
        publish = self.screens.beside(self.window.publish)
        self.loop.attach(build_presenter(self.till, self.loop), publish)
        self.till.start()

    def _until_wiped(self, told: Callable[[SyncStatus], None]) -> Callable[[SyncStatus], None]:
        """Let the page of a till that was wiped take the place of all others."""

        def on_sync(status: SyncStatus) -> None:
            if status.error_code == WIPED:
                self._say(EnvironmentFault(status.error_code, **status.error_fields))
            told(status)

        return on_sync

    def _say(self, error: EvertillError) -> None:
        """From now on the page says this, and how to end."""
        assert self.window is not None
        language = Language(self.surroundings.language)
        application = QApplication.instance()
        assert application is not None
        presenter = FaultPresenter(error, language=language, close=application.quit)
        self.loop.attach(presenter, self.window.publish)

    def show_fault(self, error: EvertillError) -> None:
        """A window that says what is wrong."""
        if self.window is None:
            self._open_window(TillSettings())
        self._say(error)
        self._begin()

    def close(self) -> None:
        """In the order in which nothing is lost."""
        for window in (self.window, self.customer):
            if window is not None:
                window.close()
        if self.watch is not None:
            self.watch.close()
        self.loop.close()
        if self.till is not None:
            self.till.close()
        elif self.store is not None:
            self.store.close()
        if self.devices is not None:
            self.devices.close()


def _excepthook(kind: type[BaseException], error: BaseException, trace: object) -> None:
    """The window's edge: a bug in painting is logged and the till goes on."""
    log.error("bug", kind=kind.__name__, exc_info=(kind, error, trace))


def _qt_message(kind: QtMsgType, _context: object, message: str) -> None:
    log.info("qt", kind=kind.name, message=message)
