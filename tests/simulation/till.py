"""One simulated till: the real program on a folder in memory, killed and set back at will."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import sqlcipher3.dbapi2

from desktop.bootstrap import Counter, OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from desktop.store.tickets import OpenShift
from shared.ids import OperatorId
from shared.trade.fact import CashCount
from tests.simulation.clocks import MachineClock
from tests.simulation.machine import Fuse, InlineWriter
from tests.simulation.network import Line

FLOAT = (CashCount(denomination=100_00, pieces=5),)


@dataclass
class SimulatedTill:
    """A till at work; ``open`` and ``kill`` as often as it takes."""

    number: int
    folder: TillFolder
    clock: MachineClock
    line: Line
    operator_id: OperatorId
    fuse: Fuse = field(default_factory=Fuse)
    is_forked: bool = False
    """Its disk was set back or copied: it has seen, or will see, another future."""
    is_ahead: bool = False
    """The server was restored, and this till has not been in sync with it since."""
    receipts: list[str] = field(default_factory=list)
    """Numbers of sales that were made here."""
    till: Till = field(init=False)
    counter: Counter = field(init=False)
    shift: OpenShift | None = field(init=False, default=None)

    @property
    def image(self) -> Path:
        """Where a copy of its disk lies, if one was made."""
        return self.folder.path.with_name(f"{self.folder.path.name}-image")

    def open(self) -> None:
        """Start the program on what is on the disk; it goes on with the shift it finds."""
        around = Surroundings(clock=self.clock, jitter=lambda: 0.5, language="en")
        store = OpenStore(self.folder, make_writer=lambda engine: InlineWriter(engine, self.fuse))
        self.till = Till(store, around)
        self.counter = self.till.counter()
        self.shift = self.counter.shifts.current()
        self.reading = sqlcipher3.dbapi2.connect(
            f"file:{self.folder.database}?mode=ro", uri=True, isolation_level=None
        )

    def kill(self) -> None:
        """The process is gone: what was not committed never was."""
        self.fuse.put_out()
        self.reading.close()
        self.till.close()

    def restart(self) -> None:
        """A new process on the same disk."""
        self.kill()
        self.open()

    def sync(self) -> bool:
        """One try; whether it went through."""
        self.line.streams.clear()
        self.line.requests = 0
        self.till.sync.try_once()
        if self.till.is_offline():
            return False
        self.line.since = ""
        return True

    def keep_image(self) -> None:
        """Copy the whole disk aside, as a backup of the machine would."""
        shutil.rmtree(self.image, ignore_errors=True)
        shutil.copytree(self.folder.path, self.image)

    def set_back(self) -> None:
        """Put the older copy in the place of the disk."""
        self.kill()
        shutil.rmtree(self.folder.path)
        shutil.copytree(self.image, self.folder.path)
        self.open()

    def head_slots(self) -> bytes:
        """The head file as it is now."""
        return self.folder.head.read_bytes() if self.folder.head.exists() else b""
