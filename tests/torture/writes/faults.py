"""Cases of faults at every single write, for scenes of a till or of a server.

A scene is played once on a disk that notes every change; a power cut at any of them is then a
matter of putting together what the disk may hold. A full disk, an error and a failed flush are
played anew for each change, since the process goes on after them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from tests.torture.writes.disk import Change, Contents, Cut, Disk, Failure
from tests.torture.writes.sqlite_files import OK, watched

Expected = TypeVar("Expected")


class Drive:
    """What SQLite writes to in this process: the disk of the case at hand."""

    def __init__(self) -> None:
        self.disk: Disk | None = None

    def write(self, file: str, offset: int, data: bytes) -> int:
        return self.disk.write(file, offset, data) if self.disk else OK

    def truncate(self, file: str, size: int) -> int:
        return self.disk.truncate(file, size) if self.disk else OK

    def sync(self, file: str) -> int:
        return self.disk.sync(file) if self.disk else OK

    def delete(self, file: str) -> int:
        return self.disk.delete(file) if self.disk else OK


@contextmanager
def on_a_drive() -> Iterator[Drive]:
    """A drive under everything that SQLite opens in this process meanwhile."""
    drive = Drive()
    with watched(drive):
        yield drive


@dataclass(frozen=True)
class Recording(Generic[Expected]):
    """A scene that went well, change by change."""

    disk: Disk
    expected: Expected

    def acknowledged(self, at: int) -> int:
        """How much somebody had been told of when change ``at`` was under way."""
        return sum(1 for done, _what in self.disk.done if done <= at)

    @property
    def flushes(self) -> list[int]:
        """Which changes are flushes."""
        return [at for at, op in enumerate(self.disk.ops) if op.change is Change.SYNC]


class WriteFaults(ABC, Generic[Expected]):
    """All faults at all changes of some scenes."""

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self._recorded: dict[str, Recording[Expected]] = {}

    @abstractmethod
    def _record(self, name: str) -> Recording[Expected]:
        """Play a scene on a disk that does not fail."""

    @abstractmethod
    def _check_image(
        self, name: str, recording: Recording[Expected], files: Contents, least: int
    ) -> None:
        """Judge what is on a disk, of which ``least`` were acknowledged."""

    @abstractmethod
    def _fail(self, name: str, failure: Failure, at: int) -> None:
        """Play a scene on a disk that fails, go on with it, and judge."""

    def recording(self, name: str) -> Recording[Expected]:
        """The scene as it goes without a fault."""
        if name not in self._recorded:
            self._recorded[name] = self._record(name)
        return self._recorded[name]

    def cases(self, name: str) -> list[str]:
        """Every fault at every change of a scene: ``scene/fault/number``."""
        recording = self.recording(name)
        changes = len(recording.disk.ops)
        found = [f"{name}/cut-{cut}/{at}" for cut in Cut for at in range(changes + 1)]
        found += [f"{name}/{Failure.FULL}/{at}" for at in range(changes)]
        found += [f"{name}/{Failure.ERROR}/{at}" for at in range(changes)]
        found += [f"{name}/{Failure.LOST}/{at}" for at in recording.flushes]
        return found

    def run(self, case: str) -> None:
        """Play one case; raises what does not hold."""
        name, fault, number = case.split("/")
        if not fault.startswith("cut-"):
            self._fail(name, Failure(fault), int(number))
            return
        recording, at = self.recording(name), int(number)
        files = recording.disk.after_cut(at, Cut(fault.removeprefix("cut-")), name)
        self._check_image(name, recording, files, recording.acknowledged(at))
