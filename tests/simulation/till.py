"""One simulated till: the real program on a folder in memory, killed and set back at will."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import sqlcipher3.dbapi2

from desktop.bootstrap import Counter, OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from desktop.store.tickets import OpenShift
from shared.errors import EnvironmentFault
from shared.ids import OperatorId
from shared.protocol.message import PROTOCOL
from shared.trade.fact import CashCount
from tests.simulation.clocks import MachineClock
from tests.simulation.machine import Fuse, InlineWriter
from tests.simulation.network import Line

FLOAT = (CashCount(denomination=100_00, pieces=5),)
LOST_ENTRIES = "journal-behind-server"
"""What a till is told that lacks entries of its own which the server has."""


class Loss(NamedTuple):
    """Entries that a till wrote and has no more, as its own signature proved to it."""

    journal: str
    next_seq: int
    head_hash: bytes
    """Of what is here."""
    server_seq: int
    """What the server has."""


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
    protocol: int = PROTOCOL
    """What its release speaks."""
    has_synced: bool = False
    """A sync went through since this was last asked."""
    is_running: bool = False
    """The program is open; one that lost entries stays closed until it is enrolled again."""
    till: Till = field(init=False)
    counter: Counter = field(init=False)
    shift: OpenShift | None = field(init=False, default=None)

    @property
    def image(self) -> Path:
        """Where a copy of its disk lies, if one was made."""
        return self.folder.path.with_name(f"{self.folder.path.name}-image")

    def open(self) -> None:
        """Start the program on what is on the disk; it goes on with the shift it finds.

        One that is known to have lost entries does not start.
        """
        around = Surroundings(clock=self.clock, jitter=lambda: 0.5, language="en")
        store = self._open_store()
        self.reading = sqlcipher3.dbapi2.connect(
            f"file:{self.folder.database}?mode=ro", uri=True, isolation_level=None
        )
        try:
            self.till = Till(store, around)
        except EnvironmentFault as error:
            store.close()
            if error.code != LOST_ENTRIES:
                self.reading.close()
                raise
            self.is_running = False
            return
        self.is_running = True
        self.counter = self.till.counter()
        self.shift = self.counter.shifts.current()

    def _open_store(self) -> OpenStore:
        return OpenStore(self.folder, make_writer=lambda engine: InlineWriter(engine, self.fuse))

    def kill(self) -> None:
        """The process is gone: what was not committed never was."""
        self.fuse.put_out()
        self.reading.close()
        if self.is_running:
            self.till.close()

    def loss(self) -> Loss | None:
        """What it lacks of what it wrote; None for one that is whole as far as it knows."""
        found = self.reading.execute(
            "SELECT journal, next_seq, head_hash, server_seq FROM epochs"
            " ORDER BY epoch DESC LIMIT 1"
        ).fetchone()
        return Loss(*found) if found[3] is not None else None

    def enrol_again(self, url: str, code: str) -> None:
        """Go on with the same journal under a new key; raises what enrolling raises."""
        self.kill()
        try:
            with self._open_store() as store:
                store.enrol_again(url=url, code=code, clock=self.clock)
        finally:
            self.open()

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
        self.has_synced = True
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
