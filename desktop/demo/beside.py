"""What stands beside the attended demo's till on the shop's network: a card terminal, a fiscal
device. The till reaches them through its real drivers."""

from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from desktop.bootstrap import Surroundings
from hardware.fiscal.line_device import LineFiscalDevice
from hardware.payment.line_terminal import LineTerminal
from hardware.ports import AttemptState
from hardware.simulators.fiscal import FiscalSimulator
from hardware.simulators.payment_books import Behaviour
from hardware.simulators.terminal import TerminalSimulator


@dataclass(slots=True)
class Beside:
    """A context manager: entering switches both on."""

    terminal: TerminalSimulator = field(default_factory=TerminalSimulator)
    fiscal: FiscalSimulator = field(default_factory=FiscalSimulator)

    def attached_to(self, around: Surroundings) -> Surroundings:
        """What the till runs on, with both."""
        return replace(
            around,
            terminal=LineTerminal("terminal", self.terminal.host, self.terminal.port),
            fiscal=LineFiscalDevice("fiscal", self.fiscal.host, self.fiscal.port),
        )

    def next_card(self, behaviour: Behaviour) -> None:
        """What the next customer with a card does."""
        self.terminal.provider.forget_script()
        self.terminal.provider.script(behaviour)

    def pay_now(self) -> None:
        """Whoever takes their time at the terminal pays."""
        books = self.terminal.provider
        for attempt_id, booked in books.books.items():
            if booked.state is AttemptState.UNKNOWN:
                books.settle(attempt_id)

    def plug_fiscal(self, is_in: bool) -> None:  # noqa: FBT001 - what a check box says
        """In or out."""
        if is_in:
            self.fiscal.start()
        else:
            self.fiscal.stop()

    def __enter__(self) -> Self:
        self.terminal.start()
        self.fiscal.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terminal.stop()
        self.fiscal.stop()
