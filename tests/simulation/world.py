"""Tills, a server and the lines between them under one clock; does the steps of a plan."""

import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Self
from unittest import mock

from desktop.store.database import TillFolder
from shared.clock import ManualClock
from shared.ids import OperatorId
from shared.protocol.message import PROTOCOL, PullRequest
from tests.simulation.actions import Cashier, Shop
from tests.simulation.clocks import MachineClock
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.hearing import Hearing, InFile
from tests.simulation.joining import Enrolments
from tests.simulation.machine import Crash
from tests.simulation.model import ServerModel, TillModel
from tests.simulation.network import Line, Network, carried_by
from tests.simulation.office import HeadOffice
from tests.simulation.plan import Action, Plan, Step
from tests.simulation.randomness import RandomSource, seeded
from tests.simulation.releases import Release, as_spoken, speak
from tests.simulation.server import SimulatedServer, without_threads
from tests.simulation.striking import Faults
from tests.simulation.template import copy_of, coupons_of
from tests.simulation.till import SimulatedTill
from tests.support.enrolled_till import START
from tests.support.statements import compiled_once

PUSH_ENTRIES = 12
PAGE_ROWS = 7
SLICE_ROWS = 3
BLOCK_ROWS = 4
PART_BYTES = 30_000
SLICES = 2


@contextmanager
def small_batches() -> Iterator[None]:
    """A few entries and rows fill a push, a page, a slice: what is rare in a shop is common."""
    with ExitStack() as patches:
        for name, value in (
            ("desktop.sync.push.PUSH_ENTRIES_MAX", PUSH_ENTRIES),
            ("sync_server.sync.placing.PUSH_ENTRIES_MAX", PUSH_ENTRIES),
            ("desktop.sync.pull.SLICE_ROWS", SLICE_ROWS),
            ("desktop.store.writer.SLICES_AT_ONCE", SLICES),
            ("desktop.sync.snapshot.SLICES_AT_ONCE", SLICES),
            ("sync_server.sync.snapshot_file.BLOCK_ROWS", BLOCK_ROWS),
            ("desktop.sync.snapshot_fetch.PART_BYTES_MIN", PART_BYTES),
            ("desktop.sync.snapshot_fetch.PART_BYTES_MAX", PART_BYTES),
            ("desktop.sync.pull.PullRequest", partial(PullRequest, limit=PAGE_ROWS)),
        ):
            patches.enter_context(mock.patch(name, value))
        yield


class World:
    """One run."""

    def __init__(self, plan: Plan, coverage: Coverage) -> None:
        self.plan = plan
        self.coverage = coverage
        self.true = ManualClock(START)
        self.random = RandomSource(f"world {plan.seed}")
        self._around = ExitStack()
        self.folder = self._made()
        self.server = SimulatedServer(self.folder / "server", MachineClock(self.true), plan.release)
        self.network = Network(self.server, self.true, coverage)
        self.network.on_served = self.served
        self.hearing = Hearing(coverage)
        self.network.on_heard = self.hearing.heard
        self.shop = Shop(coupons_of(self.folder))
        self.tills: list[SimulatedTill] = []
        self.enrolments = Enrolments(self)
        self.faults = Faults(self)
        self.is_reclaimed = False
        """Head office took a lease back by hand: its till may still spend by it."""
        self._newest = -1
        self._healed = 0

    def _made(self) -> Path:
        folder = copy_of(self.plan.tills)
        self._around.callback(shutil.rmtree, folder)
        return folder

    def __enter__(self) -> Self:
        for context in (
            seeded(self.random),
            without_threads(),
            carried_by(self.network),
            small_batches(),
            as_spoken(),
            compiled_once(),
        ):
            self._around.enter_context(context)
        self.server.start()
        self._around.callback(self.server.stop)
        self.office = HeadOffice(self.server, self.shop)
        if self.plan.leases_points:
            self.office.publish(1, leases_points=True)
        self.served()
        drawn = random.Random(f"clocks {self.plan.seed}")
        for number in range(1, self.plan.tills + 1):
            clock = MachineClock(self.true, drawn.randint(-200, 200))
            clock.jump(timedelta(seconds=drawn.choice((0, 0, 2, -2, 90, -400))))
            till = self.add(
                number, TillFolder(self.folder / f"till-{number}"), clock, Line(str(number))
            )
            till.protocol = self.plan.protocols[number % len(self.plan.protocols)]
        return self

    def __exit__(self, *_error: object) -> None:
        for till in self.tills:
            till.kill()
        self._around.close()

    def add(
        self, number: int, folder: TillFolder, clock: MachineClock, line: Line
    ) -> SimulatedTill:
        operator = self.office.operator_id()
        till = SimulatedTill(number, folder, clock, line, OperatorId(operator))
        till.open()
        journal, epoch = till.reading.execute("SELECT journal, epoch FROM epochs").fetchone()
        model = self.hearing.models[line.name]
        model.journal, model.epoch = journal, epoch
        self.tills.append(till)
        return till

    @property
    def booked(self) -> ServerModel:
        """The facts that the server has booked."""
        return self.hearing.booked

    @property
    def may_pass_rights(self) -> bool:
        """Whether rights can be used twice: by copies of a disk, or after head office let go."""
        return self.is_reclaimed or any(till.is_forked for till in self.tills)

    def turn_to(self, line: Line, protocol: int) -> None:
        """From now on a till acts, in the words of its release."""
        self.network.acting = line
        speak(protocol)

    def model_of(self, till: SimulatedTill) -> TillModel:
        """What the model knows of a till."""
        return self.hearing.models[till.line.name]

    def do(self, step: Step) -> SimulatedTill:
        """One step; the till it was about."""
        self.random.begin((self.plan.seed, step.number))
        drawn = random.Random(f"step {self.plan.seed} {step.number}")
        self.true.advance(seconds=step.wait_s)
        self.network.deliver()
        till = self.tills[step.till % len(self.tills)]
        self.turn_to(till.line, till.protocol)
        strike = self.faults.prepare(step, till, drawn)
        outcome = (
            self._act(step, till, drawn) if till.loss() is None else self.enrolments.mend(till)
        )
        if strike:
            till.fuse.put_out()
            till.line.trouble = None
        till.line.amid = None
        self.coverage.did(step.action.value, outcome)
        self.network.note(step.number, step.action.value, outcome)
        self.synced(till)
        return till

    def _act(self, step: Step, till: SimulatedTill, drawn: random.Random) -> str:
        before = till.head_slots() if step.fault is Fault.POWER_CUT else b""
        try:
            match step.action:
                case Action.NEW_TILL:
                    return self.enrolments.join(step, till, drawn)
                case Action.UPGRADE:
                    return self.upgrade(till)
                case Action.RECLAIM:
                    outcome = self.office.reclaim(drawn)
                    self.is_reclaimed = self.is_reclaimed or outcome == "done"
                    return outcome
                case Action.PUBLISH | Action.GOODS | Action.ERASE:
                    outcome = self.office.do(step.action, drawn)
                    self.served()
                    return outcome
                case Action.SNAPSHOT:
                    return self._make_snapshot()
                case Action.COPY:
                    till.keep_image()
                    self.faults.copy_server()
                    return "done"
                case Action.WEEKS:
                    return "done"
                case _:
                    return Cashier(till, self.shop, drawn).do(step.action)
        except Crash as crash:
            assert step.fault is not None
            amid = f", {till.line.at}" if step.action is Action.SYNC else ""
            self.coverage.hit(step.fault, f"{step.action.value}{amid}: {crash}")
            till.kill()
            if step.fault is Fault.POWER_CUT and before:
                till.folder.head.write_bytes(before)
            till.open()
            till.line.since = "after a crash"
            return "crash"

    def _make_snapshot(self) -> str:
        """What it tells of members is as of now, whenever a till takes it over."""
        for made in self.server.services.snapshots.make():
            found = self.server.reading.execute("SELECT member_id FROM members WHERE NOT gone")
            sums = {member: self.booked.sums[member] for (member,) in found}
            self.hearing.snapshots[made.terms.sha256] = InFile(sums, self.booked.next_seqs.copy())
        return "done"

    def upgrade(self, till: SimulatedTill) -> str:
        """The server gets this release first; then a till that waits for it."""
        if self.server.release is not Release.CURRENT:
            waiting = len(self.booked.waiting)
            self.server.upgrade()
            self.served()
            left = len(self.booked.waiting)
            assert not left, "an upgraded server leaves in quarantine what it can read"
            self.coverage.did("release", "read from quarantine" if waiting else "server upgraded")
            return "server"
        if till.protocol == PROTOCOL:
            return "nothing to do"
        self.coverage.did(
            "release", "till upgraded amid a backlog" if till.till.unsent() else "till upgraded"
        )
        till.restart()
        till.protocol = PROTOCOL
        return "till"

    def heal(self) -> None:
        """No faults any more: lines are up, clocks are right, and what was late arrives."""
        self._healed += 1
        self.random.begin((self.plan.seed, "heal", self._healed))
        self.server.clock.offset = timedelta()
        if self.server.release is not Release.CURRENT:
            self.upgrade(self.tills[0])
        for till in self.tills:
            till.line.cut_until = self.true.now()
            till.line.trouble = None
            till.clock.offset = timedelta()
        self.network.deliver(all_of_them=True)

    def sell(self, till: SimulatedTill) -> None:
        """One more sale, to nobody in particular."""
        self.turn_to(till.line, till.protocol)
        if till.loss() is None:
            Cashier(till, self.shop, random.Random(till.number)).do(Action.SELL)
            self.synced(till)

    def sync(self, till: SimulatedTill) -> bool:
        """One try of a till; whether it went through."""
        self.true.advance(seconds=2)
        self.turn_to(till.line, till.protocol)
        if till.loss() is not None:
            self.enrolments.mend(till)
            return False
        went = Cashier(till, self.shop, random.Random(0)).do(Action.SYNC) == "done"
        self.synced(till)
        return went

    def synced(self, till: SimulatedTill) -> None:
        """Read what a till has written, and forget what it was told before its last whole sync."""
        self.model_of(till).read(till.reading)
        if till.has_synced:
            self.model_of(till).settle()
            till.has_synced = till.is_ahead = False
            if till.protocol != PROTOCOL:
                self.coverage.did("release", "a till of an older one is in sync")

    def is_settled(self) -> bool:
        """Whether every till stands at the server's newest state."""
        newest = self.server.reading.execute("SELECT server_seq FROM shards").fetchone()[0]
        if newest != self._newest:
            self._newest = newest
            return False
        return True

    def served(self) -> None:
        self.booked.absorb(self.server.reading)
