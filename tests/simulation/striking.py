"""Faults that need no request: clocks, disks, copies, and the server's own backup."""

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.store.database import TillFolder
from shared.errors import EnvironmentFault
from tests.simulation.clocks import MachineClock
from tests.simulation.coverage import Fault
from tests.simulation.model import ServerModel
from tests.simulation.network import Line, Trouble
from tests.simulation.plan import OF_THE_LINE, Action, Step
from tests.simulation.restoring import back_up, restore
from tests.simulation.till import SimulatedTill

if TYPE_CHECKING:
    from tests.simulation.world import World

TILLS_MAX = 50
SYNC_MOMENTS_MAX = 150
MOMENTS_MAX = 60
"""Statements of one job that a process may survive before it dies."""


class Faults:
    """Lets them strike, or lie in wait, in one world."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.backup: Path | None = None

    def prepare(self, step: Step, till: SimulatedTill, drawn: random.Random) -> bool:
        """Let a fault strike, or lie in wait; whether something waits."""
        fault = step.fault
        if fault is None:
            return False
        if fault in OF_THE_LINE:
            till.line.trouble = Trouble(
                fault,
                skip=drawn.choice((0, 0, 1, 2, 3, 5, 8)),
                moments=drawn.randrange(MOMENTS_MAX),
                delay=timedelta(minutes=drawn.choice((1, 30, 1000, 20_000, 60_000))),
            )
            return True
        match fault:
            case Fault.CRASH_TILL | Fault.POWER_CUT:
                longest = SYNC_MOMENTS_MAX if step.action is Action.SYNC else MOMENTS_MAX
                till.fuse.light(drawn.choice((drawn.randrange(8), drawn.randrange(longest))))
                return True
            case Fault.PARTITION:
                hours = drawn.choice((0.2, 1, 5, 24, 24 * 14))
                till.line.cut_until = self.world.true.now() + timedelta(hours=hours)
            case Fault.CLOCK_JUMP:
                self._jump(till, drawn)
            case Fault.OLD_DATABASE:
                self._old_database(till)
            case Fault.RESTORE_IMAGE:
                self._restore_image(till)
            case Fault.CLONE:
                self._clone(till)
            case Fault.RESTORE_SERVER:
                self._restore_server()
        return False

    def _jump(self, till: SimulatedTill, drawn: random.Random) -> None:
        hours = drawn.choice((-72, -3, -1, 1, 3, 72))
        clock = drawn.choice((till.clock, till.clock, self.world.server.clock))
        clock.jump(timedelta(hours=hours))
        whose = "server" if clock is self.world.server.clock else "till"
        self.world.coverage.hit(Fault.CLOCK_JUMP, f"{whose} {'forwards' if hours > 0 else 'back'}")

    def _old_database(self, till: SimulatedTill) -> None:
        """The newest commits are gone from the database, but not from the head file beside it."""
        if not till.image.exists() or till.is_forked:
            return
        slots = till.head_slots()
        whole = till.folder.path.with_name("aside")
        till.kill()
        till.folder.path.rename(whole)
        shutil.copytree(till.image, till.folder.path)
        is_behind = till.head_slots() != slots
        if slots:
            till.folder.head.write_bytes(slots)
        try:
            till.open()
            refused = False
            till.kill()
        except EnvironmentFault as error:
            refused = error.code == "journal-behind-head"
        assert refused == is_behind, "a database without its newest commits is used"
        self.world.coverage.hit(Fault.OLD_DATABASE, "refused" if refused else "nothing was lost")
        shutil.rmtree(till.folder.path)
        whole.rename(till.folder.path)
        till.open()

    def _restore_image(self, till: SimulatedTill) -> None:
        if not till.image.exists():
            return
        till.set_back()
        till.is_forked = True
        till.line.since = "after an image was restored"
        model = self.world.model_of(till)
        model.begin_anew()
        self.world.coverage.hit(Fault.RESTORE_IMAGE, f"{till.till.unsent()} unsent"[:1] + " unsent")

    def copy_server(self) -> None:
        copy = back_up(self.world.server, self.world.folder / "backup")
        if copy is not None:
            self.backup = copy
            for new in self.world.enrolments.joining:
                new.in_backup = not new.is_forgotten

    def _restore_server(self) -> None:
        """The server forgets what came after its copy; tills know more than it does for a while."""
        if self.backup is None:
            return
        restore(self.world.server, self.backup)
        self.world.hearing.booked = ServerModel()
        self.world.served()
        for till in self.world.tills:
            till.is_ahead = True
            till.line.since = "after the server was restored"
        for new in self.world.enrolments.joining:
            new.is_forgotten = new.is_forgotten or not new.in_backup
        self.world.coverage.hit(
            Fault.RESTORE_SERVER, "enrolling" if self.world.enrolments.joining else "at work"
        )

    def _clone(self, till: SimulatedTill) -> None:
        if len(self.world.tills) >= TILLS_MAX or till.is_forked:
            return
        folder = TillFolder(self.world.folder / f"clone-{len(self.world.tills)}")
        shutil.copytree(till.folder.path, folder.path)
        copy = self.world.add(
            till.number, folder, MachineClock(self.world.true), Line(f"{till.number}c")
        )
        copy.protocol = till.protocol
        copy.is_forked = till.is_forked = True
        self.world.coverage.hit(
            Fault.CLONE, "all sent" if till.till.unsent() == 0 else "some unsent"
        )
