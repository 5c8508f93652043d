"""Tills on their way into the world, and those that lost entries and are enrolled again."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from desktop.store.database import TillFolder
from shared.errors import EnvironmentFault, EvertillError
from shared.protocol.message import PROTOCOL
from sync_server.enrolment.desk import CODE_LIFETIME
from tests.simulation.clocks import MachineClock
from tests.simulation.machine import Crash
from tests.simulation.network import Line
from tests.simulation.plan import Step
from tests.simulation.template import URL, add_till, enrol
from tests.simulation.till import Loss, SimulatedTill

if TYPE_CHECKING:
    from tests.simulation.world import World

JOINING_MAX = 2


@dataclass
class Joining:
    """A till whose enrolment is under way."""

    number: int
    folder: TillFolder
    code: str
    clock: MachineClock
    line: Line
    issued_at: datetime
    """By the server's clock."""
    in_backup: bool = False
    """Whether the code stands in the newest copy of the server, too."""
    is_forgotten: bool = False
    """Whether the server was set back to before the code."""


class Enrolments:
    """New tills, and new keys for old ones, in one world."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.joining: list[Joining] = []

    def join(self, step: Step, till: SimulatedTill, drawn: random.Random) -> str:
        """Go on with an enrolment, under the faults of this step."""
        if not self.joining:
            if self.world.plan.tills + JOINING_MAX <= len(self.world.tills):
                return "enough tills"
            number = 1 + max(one.number for one in self.world.tills)
            folder = TillFolder(self.world.folder / f"till-{number}")
            code = add_till(self.world.server.services, number)
            line = Line(str(number))
            now = self.world.server.clock.now()
            self.joining.append(
                Joining(number, folder, code, MachineClock(self.world.true), line, now)
            )
        new = self.joining[0]
        new.line.trouble, till.line.trouble = till.line.trouble, None
        self.world.turn_to(new.line, PROTOCOL)
        try:
            if not enrol(new.folder, new.code, new.clock, till.fuse):
                return "enrolled, not pulled"
        except EvertillError as error:
            if error.code == "code-refused":
                age = self.world.server.clock.now() - new.issued_at
                is_over = new.is_forgotten or age >= CODE_LIFETIME
                assert is_over, "a code that is good is refused"
                new.code = self.world.office.another_code(new.number)
                new.issued_at = self.world.server.clock.now()
                new.in_backup = new.is_forgotten = False
            return error.code
        except Crash as crash:
            assert step.fault is not None
            self.world.coverage.hit(step.fault, f"enrolment, {new.line.at}: {crash}")
            return "crash"
        finally:
            new.line.trouble = None
            new.line.streams.clear()
            new.line.requests = 0
            self.world.turn_to(till.line, till.protocol)
        self.joining.clear()
        joined = self.world.add(new.number, new.folder, new.clock, new.line)
        self.world.model_of(joined).read(joined.reading)
        return "done"

    def mend(self, till: SimulatedTill) -> str:
        """Enrol a till again that is told it lost entries, which must be true."""
        loss = till.loss()
        assert loss is not None
        self._check_loss(till, loss)
        till.fuse.put_out()
        self.world.turn_to(till.line, till.protocol)
        code = self.world.office.code_for(loss.journal)
        if code is None:
            return "unknown to head office"
        try:
            till.enrol_again(URL, code)
        except EnvironmentFault as error:
            return error.code
        self.world.served()
        till.line.since = "after it was enrolled again"
        return "enrolled again"

    def _check_loss(self, till: SimulatedTill, loss: Loss) -> None:
        """The server has an entry of this journal that is not here; what was sold since may be."""
        assert till.is_forked, "a till whose disk was never set back is told it lost entries"
        kept = self.world.server.reading.execute(
            "SELECT hash FROM entries WHERE journal = ? AND seq = ?",
            (loss.journal, loss.server_seq - 1),
        ).fetchall()
        mine = set(till.reading.execute("SELECT hash FROM entries").fetchall())
        is_known = till.is_ahead or bool(kept)
        assert is_known, "a till is told it lost entries that nobody has"
        assert till.is_ahead or not set(kept) <= mine, "a till is told it lost entries that it has"
