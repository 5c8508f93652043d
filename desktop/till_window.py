"""Puts a till and its window together: what ``evertill run``, the demo and the tests open."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.presenters.intent import DeviceTold, PrinterTold, ProgrammeChanged, SyncTold
from desktop.presenters.till import TillPresenter
from desktop.presenters.till_loop import TillLoop
from desktop.services.printing import PrinterStatus
from desktop.sync.status import SyncStatus
from desktop.ui.design import LIGHT, Design
from desktop.ui.window import TillWindow
from hardware.ports import CardReader, Health, Scanner
from hardware.scanner.wedge import WedgeSettings
from shared.clock import SystemClock
from shared.language import Language
from shared.protocol.message import Stream


@dataclass(slots=True)
class Station:
    """A till with its window. ``start`` begins printing, syncing and handling; ``close`` ends."""

    till: Till
    loop: TillLoop
    window: TillWindow
    scanner: Scanner | None = None
    cards: CardReader | None = None

    def start(self) -> None:
        """From now on everything runs by itself."""
        self.loop.start()
        self.listen()
        self.till.start()

    def listen(self) -> None:
        """Let the devices deliver, and paint the first page."""
        if self.scanner is not None:
            self.scanner.deliver_to(self.window.scanned)
        if self.cards is not None:
            self.cards.deliver_to(self.window.tapped_card)
        self.loop.show()

    def close(self) -> None:
        """The window first, then what was still to be done, then the till."""
        if self.scanner is not None:
            self.scanner.deliver_to(None)
        if self.cards is not None:
            self.cards.deliver_to(None)
        self.window.close()
        self.loop.close()
        self.till.close()


def listening(surroundings: Surroundings, loop: TillLoop) -> Surroundings:
    """The same surroundings, with the background's news going to the loop too."""

    def on_sync(status: SyncStatus) -> None:
        surroundings.on_sync(status)
        loop.post(SyncTold(status))

    def on_printer(status: PrinterStatus) -> None:
        surroundings.on_printer(status)
        loop.post(PrinterTold(status))

    def on_change(stream: Stream) -> None:
        surroundings.on_change(stream)
        if stream is Stream.PROGRAMME:
            loop.post(ProgrammeChanged())

    def on_device(health: Health) -> None:
        surroundings.on_device(health)
        loop.post(DeviceTold(health))

    return replace(
        surroundings,
        on_sync=on_sync,
        on_printer=on_printer,
        on_change=on_change,
        on_device=on_device,
    )


def build_presenter(till: Till, loop: TillLoop) -> TillPresenter:
    """The presenter of an enrolled till."""
    around = till.surroundings
    return TillPresenter(
        till,
        clock=around.clock,
        post=loop.post,
        language=Language(around.language),
        drawer=around.drawer,
        scale=around.scale,
        has_printer=around.printer is not None,
    )


def build_window(
    loop: TillLoop,
    surroundings: Surroundings,
    *,
    design: Design | None = None,
    wedge: WedgeSettings | None = None,
    wall_clock: Callable[[], str] = lambda: "",
) -> TillWindow:
    """The window on a loop; who handles its intents is attached to the loop."""
    return TillWindow(
        loop,
        clock=surroundings.clock,
        design=design or Design(LIGHT),
        wedge=wedge,
        wall_clock=wall_clock,
        has_event_times=isinstance(surroundings.clock, SystemClock),
    )


def open_station(
    store: OpenStore,
    surroundings: Surroundings,
    *,
    scanner: Scanner | None = None,
    cards: CardReader | None = None,
    design: Design | None = None,
    wedge: WedgeSettings | None = None,
) -> Station:
    """An enrolled till's window, everything injected; nothing runs before ``start``.

    The receipts' language is the surroundings' and follows the switch on the screen. A
    QApplication must be there.
    """
    loop = TillLoop()
    till = Till(store, listening(surroundings, loop))

    def wall_clock() -> str:
        return f"{surroundings.clock.now().astimezone(till.identity.zone):%H:%M}"

    window = build_window(loop, surroundings, design=design, wedge=wedge, wall_clock=wall_clock)
    loop.attach(build_presenter(till, loop), window.publish)
    return Station(till=till, loop=loop, window=window, scanner=scanner, cards=cards)
