"""A till without a window: intents in, views out, everything in the test's own thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from desktop.bootstrap import Surroundings, Till
from desktop.presenters.counting import PREFIX
from desktop.presenters.intent import Act, Intent, Key, Press, Scan, Typed
from desktop.presenters.text import Join, Say
from desktop.presenters.till import TillPresenter
from desktop.presenters.till_loop import TillLoop
from desktop.presenters.view import Page, SaleView, Sheet, TillView
from desktop.store.tickets import count_tickets
from hardware.simulators.wallet import WalletSimulator
from shared.clock import ManualClock
from shared.loyalty.programme import Programme
from tests.support.till_fixture import CASHIER_PIN, MORNING, open_till


class OnDemand(Executor):
    """Keeps what is submitted until it is asked to run it: the network takes its time."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], Any]] = []

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        self.waiting.append(lambda: call(*arguments, **named))
        return Future()

    def run(self) -> None:
        """Everything submitted so far."""
        jobs, self.waiting = self.waiting, []
        for job in jobs:
            job()


@dataclass
class Inline:
    """One till; ``do`` posts intents and handles them at once."""

    till: Till
    loop: TillLoop
    clock: ManualClock
    wallet: WalletSimulator
    network: OnDemand
    views: list[TillView] = field(default_factory=list)

    def do(self, *intents: Intent) -> None:
        for intent in intents:
            self.loop.post(intent)
        self.loop.run_waiting()

    def press(self, *keys: Key, **values: str) -> None:
        """Keys at this very moment."""
        self.do(*(self.pressed(key, **values) for key in keys))

    def pressed(self, key: Key, **values: str) -> Press:
        return Press(key, self.clock.monotonic(), tuple(values.items()))

    def type(self, text: str) -> None:
        self.do(*map(Typed, text))

    def scan(self, *codes: str) -> None:
        self.do(*map(Scan, codes))

    def act(self, name: str, value: str = "") -> None:
        self.do(Act(name, value, self.clock.monotonic()))

    def answer(self) -> None:
        """The network does its work, and the till hears of it."""
        self.network.run()
        self.loop.run_waiting()

    def sign_in(self) -> None:
        self.press(Key.DOWN)
        self.type(CASHIER_PIN)
        self.press(Key.ENTER)

    def open_shift(self) -> None:
        self.press(Key.ENTER, **{f"{PREFIX}10000": "5"})
        assert self.view.page is Page.SALE

    @property
    def view(self) -> TillView:
        return self.views[-1]

    @property
    def sale(self) -> SaleView:
        assert isinstance(self.view.body, SaleView)
        return self.view.body

    @property
    def sheet(self) -> Sheet:
        assert isinstance(self.view.body, Sheet)
        return self.view.body

    @property
    def told(self) -> Say:
        """The message on the screen, its first part; an empty key where there is none."""
        message = self.view.message
        text = message.text if message else ""
        first = text.parts[0] if isinstance(text, Join) else text
        return first if isinstance(first, Say) else Say("")

    @property
    def amounts(self) -> list[int]:
        return [line.amount for line in self.sale.lines]

    @property
    def tickets(self) -> int:
        with self.till.books.reading() as connection:
            return count_tickets(connection)


@pytest.fixture
def programme(request: pytest.FixtureRequest) -> Programme | None:
    """The one a test asks for; the default where it does not care."""
    return getattr(request, "param", None)


@pytest.fixture
def terminal() -> WalletSimulator | None:
    """None: the cashier types the amount on a card terminal of its own."""
    return None


@pytest.fixture
def inline(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    programme: Programme | None,
    terminal: WalletSimulator | None,
) -> Iterator[Inline]:
    """Nobody has signed in."""
    clock, network = ManualClock(MORNING), OnDemand()
    wallet = WalletSimulator(wait=lambda _seconds: None)
    around = Surroundings(clock=clock, gateway=wallet, terminal=terminal)
    with open_till(tmp_path, surroundings=around, programme=programme) as till:
        for pool in ("executor", "background"):
            monkeypatch.setattr(till, pool, lambda: network)
        loop = TillLoop()
        made = Inline(till, loop, clock, wallet, network)
        presenter = TillPresenter(till, clock=clock, post=loop.post)
        loop.attach(presenter, made.views.append)
        loop.show()
        yield made


@pytest.fixture
def selling(inline: Inline) -> Inline:
    """A shift is open, the basket empty, and the guard after a finish long over."""
    inline.sign_in()
    inline.open_shift()
    return inline
