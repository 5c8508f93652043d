"""Tills, a server and the lines between them under one clock; does the steps of a plan."""

import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple, Self
from unittest import mock

import msgspec

from desktop.store.database import TillFolder
from shared.clock import ManualClock
from shared.errors import EnvironmentFault, EvertillError
from shared.ids import OperatorId
from shared.protocol.message import (
    LookupReply,
    MemberRow,
    PullReply,
    PullRequest,
    PushRequest,
    Stream,
)
from shared.protocol.snapshot import SnapshotReply, SnapshotTerms
from sync_server.enrolment.desk import CODE_LIFETIME
from tests.simulation.actions import Cashier, Shop
from tests.simulation.clocks import MachineClock
from tests.simulation.coverage import Coverage, Fault
from tests.simulation.joining import Joining
from tests.simulation.machine import Crash
from tests.simulation.model import Base, Effect, ServerModel, TillModel
from tests.simulation.network import Answer, Line, Network, Trouble, carried_by
from tests.simulation.office import HeadOffice
from tests.simulation.plan import OF_THE_LINE, Action, Plan, Step
from tests.simulation.randomness import RandomSource, seeded
from tests.simulation.restoring import back_up, restore
from tests.simulation.server import SimulatedServer, without_threads
from tests.simulation.template import URL, add_till, copy_of, coupons_of, enrol
from tests.simulation.till import Loss, SimulatedTill
from tests.support.enrolled_till import START

TILLS_MAX = 50
JOINING_MAX = 2
PUSH_ENTRIES = 12
PAGE_ROWS = 7
SLICE_ROWS = 3
BLOCK_ROWS = 4
PART_BYTES = 30_000
SYNC_MOMENTS_MAX = 150
MOMENTS_MAX = 60
"""Statements of one job that a process may survive before it dies."""


@contextmanager
def small_batches() -> Iterator[None]:
    """A few entries and rows fill a push, a page, a slice: what is rare in a shop is common."""
    with ExitStack() as patches:
        for name, value in (
            ("desktop.sync.push.PUSH_ENTRIES_MAX", PUSH_ENTRIES),
            ("sync_server.sync.placing.PUSH_ENTRIES_MAX", PUSH_ENTRIES),
            ("desktop.sync.pull.SLICE_ROWS", SLICE_ROWS),
            ("sync_server.sync.snapshot_file.BLOCK_ROWS", BLOCK_ROWS),
            ("desktop.sync.snapshot_fetch.PART_BYTES_MIN", PART_BYTES),
            ("desktop.sync.snapshot_fetch.PART_BYTES_MAX", PART_BYTES),
            ("desktop.sync.pull.PullRequest", partial(PullRequest, limit=PAGE_ROWS)),
        ):
            patches.enter_context(mock.patch(name, value))
        yield


class InFile(NamedTuple):
    """What a snapshot tells, by the model, as of when it was made."""

    sums: dict[str, Effect]
    next_seqs: Counter[tuple[str, int]]


class World:
    """One run."""

    def __init__(self, plan: Plan, coverage: Coverage) -> None:
        self.plan = plan
        self.coverage = coverage
        self.true = ManualClock(START)
        self.random = RandomSource(f"world {plan.seed}")
        self._around = ExitStack()
        self.folder = self._made()
        self.server = SimulatedServer(self.folder / "server", MachineClock(self.true))
        self.network = Network(self.server, self.true, coverage)
        self.network.on_served = self._served
        self.network.on_heard = self._heard
        self.booked = ServerModel()
        self.models: dict[str, TillModel] = {}
        """By the name of a till's line; before it is enrolled, too."""
        self.shop = Shop(coupons_of(self.folder))
        self.tills: list[SimulatedTill] = []
        self.joining: list[Joining] = []
        self._newest = -1
        self.backup: Path | None = None
        self.snapshots: dict[str, InFile] = {}
        """By the hash of the file."""
        self._healed = 0
        self.acknowledged: set[bytes] = set()
        """Hashes of entries of which a till was told that the server has them."""

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
        ):
            self._around.enter_context(context)
        self.server.start()
        self._around.callback(self.server.stop)
        self.office = HeadOffice(self.server, self.shop)
        self._served()
        drawn = random.Random(f"clocks {self.plan.seed}")
        for number in range(1, self.plan.tills + 1):
            clock = MachineClock(self.true, drawn.randint(-200, 200))
            clock.jump(timedelta(seconds=drawn.choice((0, 0, 2, -2, 90, -400))))
            self._add(number, TillFolder(self.folder / f"till-{number}"), clock, Line(str(number)))
        return self

    def __exit__(self, *_error: object) -> None:
        for till in self.tills:
            till.kill()
        self._around.close()

    def _add(
        self, number: int, folder: TillFolder, clock: MachineClock, line: Line
    ) -> SimulatedTill:
        operator = self.office.operator_id()
        till = SimulatedTill(number, folder, clock, line, OperatorId(operator))
        till.open()
        journal, epoch = till.reading.execute("SELECT journal, epoch FROM epochs").fetchone()
        model = self.models.setdefault(line.name, TillModel())
        model.journal, model.epoch = journal, epoch
        self.tills.append(till)
        return till

    def model_of(self, till: SimulatedTill) -> TillModel:
        """What the model knows of a till."""
        return self.models[till.line.name]

    def do(self, step: Step) -> SimulatedTill:
        """One step; the till it was about."""
        self.random.begin((self.plan.seed, step.number))
        drawn = random.Random(f"step {self.plan.seed} {step.number}")
        self.true.advance(seconds=step.wait_s)
        self.network.deliver()
        till = self.tills[step.till % len(self.tills)]
        self.network.acting = till.line
        strike = self._prepare(step, till, drawn)
        outcome = self._act(step, till, drawn) if till.loss() is None else self.mend(till)
        if strike:
            till.fuse.put_out()
            till.line.trouble = None
        till.line.amid = None
        self.coverage.did(step.action.value, outcome)
        self.network.note(step.number, step.action.value, outcome)
        self._synced(till, went=(step.action, outcome) == (Action.SYNC, "done"))
        return till

    def _act(self, step: Step, till: SimulatedTill, drawn: random.Random) -> str:
        before = till.head_slots() if step.fault is Fault.POWER_CUT else b""
        try:
            match step.action:
                case Action.NEW_TILL:
                    return self._join(step, till, drawn)
                case Action.PUBLISH | Action.GOODS | Action.ERASE:
                    outcome = self.office.do(step.action, drawn)
                    self._served()
                    return outcome
                case Action.SNAPSHOT:
                    return self._make_snapshot()
                case Action.COPY:
                    till.keep_image()
                    self._copy_server()
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
            self.snapshots[made.terms.sha256] = InFile(sums, self.booked.next_seqs.copy())
        return "done"

    def _prepare(self, step: Step, till: SimulatedTill, drawn: random.Random) -> bool:
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
                till.line.cut_until = self.true.now() + timedelta(hours=hours)
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
        clock = drawn.choice((till.clock, till.clock, self.server.clock))
        clock.jump(timedelta(hours=hours))
        whose = "server" if clock is self.server.clock else "till"
        self.coverage.hit(Fault.CLOCK_JUMP, f"{whose} {'forwards' if hours > 0 else 'back'}")

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
        self.coverage.hit(Fault.OLD_DATABASE, "refused" if refused else "nothing was lost")
        shutil.rmtree(till.folder.path)
        whole.rename(till.folder.path)
        till.open()

    def _restore_image(self, till: SimulatedTill) -> None:
        if not till.image.exists():
            return
        till.set_back()
        till.is_forked = True
        till.line.since = "after an image was restored"
        model = self.model_of(till)
        model.begin_anew()
        self.coverage.hit(Fault.RESTORE_IMAGE, f"{till.till.unsent()} unsent"[:1] + " unsent")

    def _copy_server(self) -> None:
        copy = back_up(self.server, self.folder / "backup")
        if copy is not None:
            self.backup = copy
            for new in self.joining:
                new.in_backup = not new.is_forgotten

    def _restore_server(self) -> None:
        """The server forgets what came after its copy; tills know more than it does for a while."""
        if self.backup is None:
            return
        restore(self.server, self.backup)
        self.booked = ServerModel()
        self._served()
        for till in self.tills:
            till.is_ahead = True
            till.line.since = "after the server was restored"
        for new in self.joining:
            new.is_forgotten = new.is_forgotten or not new.in_backup
        self.coverage.hit(Fault.RESTORE_SERVER, "enrolling" if self.joining else "at work")

    def _clone(self, till: SimulatedTill) -> None:
        if len(self.tills) >= TILLS_MAX or till.is_forked:
            return
        folder = TillFolder(self.folder / f"clone-{len(self.tills)}")
        shutil.copytree(till.folder.path, folder.path)
        copy = self._add(till.number, folder, MachineClock(self.true), Line(f"{till.number}c"))
        copy.is_forked = till.is_forked = True
        self.coverage.hit(Fault.CLONE, "all sent" if till.till.unsent() == 0 else "some unsent")

    def _join(self, step: Step, till: SimulatedTill, drawn: random.Random) -> str:
        """Go on with an enrolment, under the faults of this step."""
        if not self.joining:
            if self.plan.tills + JOINING_MAX <= len(self.tills):
                return "enough tills"
            number = 1 + max(one.number for one in self.tills)
            folder = TillFolder(self.folder / f"till-{number}")
            code = add_till(self.server.services, number)
            line = Line(str(number))
            now = self.server.clock.now()
            self.joining.append(Joining(number, folder, code, MachineClock(self.true), line, now))
        new = self.joining[0]
        new.line.trouble, till.line.trouble = till.line.trouble, None
        self.network.acting = new.line
        try:
            if not enrol(new.folder, new.code, new.clock, till.fuse):
                return "enrolled, not pulled"
        except EvertillError as error:
            if error.code == "code-refused":
                age = self.server.clock.now() - new.issued_at
                is_over = new.is_forgotten or age >= CODE_LIFETIME
                assert is_over, "a code that is good is refused"
                new.code = self.office.another_code(new.number)
                new.issued_at = self.server.clock.now()
                new.in_backup = new.is_forgotten = False
            return error.code
        except Crash as crash:
            assert step.fault is not None
            self.coverage.hit(step.fault, f"enrolment, {new.line.at}: {crash}")
            return "crash"
        finally:
            new.line.trouble = None
            new.line.streams.clear()
            new.line.requests = 0
            self.network.acting = till.line
        self.joining.clear()
        joined = self._add(new.number, new.folder, new.clock, new.line)
        self.model_of(joined).read(joined.reading)
        return "done"

    def mend(self, till: SimulatedTill) -> str:
        """Enrol a till again that is told it lost entries, which must be true."""
        loss = till.loss()
        assert loss is not None
        self._check_loss(till, loss)
        till.fuse.put_out()
        self.network.acting = till.line
        code = self.office.code_for(loss.journal)
        if code is None:
            return "unknown to head office"
        try:
            till.enrol_again(URL, code)
        except EnvironmentFault as error:
            return error.code
        self._served()
        till.line.since = "after it was enrolled again"
        return "enrolled again"

    def _check_loss(self, till: SimulatedTill, loss: Loss) -> None:
        """The server has the last entry that is here, and more of the same journal behind it."""
        assert till.is_forked, "a till whose disk was never set back is told it lost entries"
        ours, theirs = loss.head_hash, loss.server_seq - 1
        kept = self.server.reading.execute(
            "SELECT COUNT(*) FROM entries WHERE journal = ? AND"
            " ((seq = ? AND hash = ?) OR seq = ?)",
            (loss.journal, loss.next_seq - 1, ours, theirs),
        ).fetchone()[0]
        assert till.is_ahead or kept > 1, "a till is told it lost entries that nobody has"
        assert loss.next_seq <= theirs, "a till is told it lost entries that it has"

    def heal(self) -> None:
        """No faults any more: lines are up, clocks are right, and what was late arrives."""
        self._healed += 1
        self.random.begin((self.plan.seed, "heal", self._healed))
        self.server.clock.offset = timedelta()
        for till in self.tills:
            till.line.cut_until = self.true.now()
            till.line.trouble = None
            till.clock.offset = timedelta()
        self.network.deliver(all_of_them=True)

    def sell(self, till: SimulatedTill) -> None:
        """One more sale, to nobody in particular."""
        self.network.acting = till.line
        if till.loss() is None:
            Cashier(till, self.shop, random.Random(till.number)).do(Action.SELL)
            self._synced(till, went=False)

    def sync(self, till: SimulatedTill) -> bool:
        """One try of a till; whether it went through."""
        self.true.advance(seconds=2)
        self.network.acting = till.line
        if till.loss() is not None:
            self.mend(till)
            return False
        went = Cashier(till, self.shop, random.Random(0)).do(Action.SYNC) == "done"
        self._synced(till, went=went)
        return went

    def _synced(self, till: SimulatedTill, *, went: bool) -> None:
        self.model_of(till).read(till.reading)
        if went:
            self.model_of(till).settle()
            till.is_ahead = False

    def is_settled(self) -> bool:
        """Whether every till stands at the server's newest state."""
        newest = self.server.reading.execute("SELECT server_seq FROM shards").fetchone()[0]
        if newest != self._newest:
            self._newest = newest
            return False
        return True

    def _served(self) -> None:
        self.booked.absorb(self.server.reading)

    def _heard(self, line: Line, path: str, body: bytes, answer: Answer) -> None:
        """Note what a till is told of members, and of which entries it may be sure."""
        if answer.status != 200:
            return
        if path == "/v1/sync/push":
            self._note_acknowledged(body)
        if path == "/v1/sync/snapshot":
            self._note_in_file(answer.body, self.models.setdefault(line.name, TillModel()))
        if path in {"/v1/sync/pull", "/v1/lookup"}:
            model = self.models.setdefault(line.name, TillModel())
            self._note_told(path, body, answer.body, model)

    def _note_acknowledged(self, body: bytes) -> None:
        request = msgspec.msgpack.decode(body, type=PushRequest)
        previous = request.prev_hash
        for encoded in request.entries:
            previous = hashlib.sha256(b"evertill/entry/1" + previous + encoded).digest()
            self.acknowledged.add(previous)

    def _note_in_file(self, told: bytes, model: TillModel) -> None:
        """Each member of a snapshot that a till hears of may be taken over any time from now on."""
        try:
            statement = msgspec.msgpack.decode(told, type=SnapshotReply).snapshot
        except msgspec.MsgspecError:
            return
        if statement is None:
            return
        terms = msgspec.json.decode(statement.payload, type=SnapshotTerms)
        in_file = self.snapshots[terms.sha256]
        own_seq = in_file.next_seqs[model.journal, model.epoch]
        for member, effect in in_file.sums.items():
            model.told(member, Base(effect, own_seq))

    def _note_told(self, path: str, body: bytes, told: bytes, model: TillModel) -> None:
        """Rows of members, with what the model says of them at this moment."""
        try:
            if path == "/v1/lookup":
                found = msgspec.msgpack.decode(told, type=LookupReply).members
                rows = [row for row in found if row.member_id not in model.bases]
            elif msgspec.msgpack.decode(body, type=PullRequest).stream is Stream.MEMBERS:
                page = msgspec.msgpack.decode(told, type=PullReply)
                rows = [msgspec.msgpack.decode(row, type=MemberRow) for row in page.rows]
            else:
                return
        except msgspec.MsgspecError:
            return
        own_seq = self.booked.next_seqs[model.journal, model.epoch]
        for row in rows:
            if row.gone:
                model.gone.add(row.member_id)
            else:
                model.told(row.member_id, Base(self.booked.sums[row.member_id], own_seq))
