"""A disk that fails at a chosen write, and what a power cut at any write may leave on it."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

SECTOR: Final = 512
LOG_INDEX: Final = "-shm"
"""Shared memory beside the log: SQLite makes it anew."""


class Change(StrEnum):
    """What a transaction does to a file."""

    WRITE = "write"
    TRUNCATE = "truncate"
    SYNC = "sync"
    DELETE = "delete"


class Failure(StrEnum):
    """How a disk can fail the process that writes."""

    FULL = "full"
    """No write goes through until there is room."""
    ERROR = "error"
    """One change fails, whichever it is."""
    LOST = "lost"
    """A flush fails, and what it should have flushed never reaches the disk."""


class Cut(StrEnum):
    """What is left of changes that were not flushed when the power goes."""

    NOTHING = "nothing"
    ALL = "all"
    """And the first half of the one under way."""
    TORN = "torn"
    """Some, in any order, by sectors."""


FULL: Final = 13
IO_ERRORS: Final = {
    Change.WRITE: 778,
    Change.SYNC: 1034,
    Change.TRUNCATE: 1546,
    Change.DELETE: 2570,
}
"""SQLITE_FULL, and SQLITE_IOERR with what failed."""

Contents = dict[str, bytes]


class Op(NamedTuple):
    """One change of one file."""

    change: Change
    file: str
    offset: int = 0
    data: bytes = b""
    beside: Mapping[str, bytes] = {}
    """Files that SQLite does not write, as they were just before."""
    is_lost: bool = False


@dataclass
class Disk:
    """Watches the files of one folder, from ``arm`` on."""

    folder: Path
    failure: Failure | None = None
    at: int = -1
    """Which change fails, counted from 0."""
    ops: list[Op] = field(default_factory=list)
    base: Contents = field(default_factory=dict)
    done: list[tuple[int, str]] = field(default_factory=list)
    """What was acknowledged, with the changes that had been made before."""
    has_failed: bool = False
    last: Mapping[str, bytes] = field(default_factory=dict)
    """Files that SQLite does not write, at the end."""
    finally_there: Contents = field(default_factory=dict)
    """Those that it writes, as the file system has them at the end."""
    _is_armed: bool = False
    _has_room: bool = False
    _lock: Lock = field(default_factory=Lock)
    _seen: dict[str, tuple[int, int, bytes]] = field(default_factory=dict)

    def arm(self) -> None:
        """From here on changes count; what was before lies safely."""
        self.base = contents(self.folder)
        self._is_armed = True

    def acknowledge(self, what: str) -> None:
        """Somebody was told that this is done."""
        with self._lock:
            self.done.append((len(self.ops), what))

    def rest(self) -> None:
        """What is changed from now on does not count."""
        self._is_armed = False
        self.last = self._beside()
        self.finally_there = {
            name: content for name, content in contents(self.folder).items() if _is_of_sqlite(name)
        }

    def mend(self) -> None:
        """There is room again, and nothing fails any more."""
        self._has_room = True

    def write(self, file: str, offset: int, data: bytes) -> int:
        return self._change(Op(Change.WRITE, file, offset, data))

    def truncate(self, file: str, size: int) -> int:
        return self._change(Op(Change.TRUNCATE, file, size))

    def sync(self, file: str) -> int:
        return self._change(Op(Change.SYNC, file))

    def delete(self, file: str) -> int:
        return self._change(Op(Change.DELETE, file))

    def _change(self, op: Op) -> int:
        path = Path(op.file)
        if not self._is_armed or path.parent != self.folder or path.name.endswith(LOG_INDEX):
            return 0
        with self._lock:
            code = self._failing(op.change)
            is_lost = bool(code) and op.change is Change.SYNC and self.failure is Failure.LOST
            if not code or is_lost:
                told = op._replace(file=path.name, beside=self._beside(), is_lost=is_lost)
                self.ops.append(told)
            return code

    def _failing(self, change: Change) -> int:
        number = len(self.ops)
        if self.failure is None or number < self.at or self._has_room:
            return 0
        if self.failure is Failure.FULL:
            self.has_failed |= change is Change.WRITE
            return FULL if change is Change.WRITE else 0
        if self.has_failed:
            return 0
        if self.failure is Failure.LOST and change is not Change.SYNC:
            return 0
        self.has_failed = True
        return IO_ERRORS[change]

    def _beside(self) -> Mapping[str, bytes]:
        found = {}
        for path in self.folder.iterdir():
            if not path.is_file() or _is_of_sqlite(path.name) or path.suffix == ".lock":
                continue
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            known = self._seen.get(path.name)
            if known is None or known[:2] != mark:
                known = (*mark, path.read_bytes())
                self._seen[path.name] = known
            found[path.name] = known[2]
        return found

    def after_cut(self, at: int, cut: Cut, seed: object) -> Contents:
        """What lies there after a power cut before change ``at`` was made."""
        chance = random.Random(f"{seed} {at} {cut}")
        files, waiting = self._flushed_before(at)
        for op in waiting:
            for part in _left_of(op, cut, chance):
                apply(files, part)
        if cut is Cut.ALL and at < len(self.ops) and self.ops[at].change is Change.WRITE:
            half = self.ops[at]
            apply(files, half._replace(data=half.data[: len(half.data) // 2]))
        beside = self.ops[at].beside if at < len(self.ops) else self.last
        made = {name: bytes(content) for name, content in files.items()}
        for name in {*made, *beside}:
            if not _is_of_sqlite(name):
                _choose(made, name, beside.get(name), cut, chance)
        return made

    def _flushed_before(self, at: int) -> tuple[dict[str, bytearray], list[Op]]:
        """What lies safely before change ``at``, and what waits for a flush, file by file."""
        files = {name: bytearray(content) for name, content in self.base.items()}
        waiting: dict[str, list[Op]] = {}
        for op in self.ops[:at]:
            if op.is_lost:
                # What the system gives up after a failed flush does not reach the disk later.
                waiting.pop(op.file, None)
            elif op.change is Change.SYNC:
                for one in waiting.pop(op.file, []):
                    apply(files, one)
            else:
                waiting.setdefault(op.file, []).append(op)
        return files, [op for left in waiting.values() for op in left]


def _left_of(op: Op, cut: Cut, chance: random.Random) -> Iterator[Op]:
    """What of a change that was not flushed is there."""
    if cut is Cut.NOTHING:
        return
    kept = 0 if cut is Cut.ALL else chance.randrange(3)
    if kept == 0:
        yield op
    elif kept == 1 and op.change is Change.WRITE:
        start = 0
        while start < len(op.data):
            size = SECTOR - (op.offset + start) % SECTOR
            if chance.random() < 0.5:
                part = op.data[start : start + size]
                yield op._replace(offset=op.offset + start, data=part)
            start += size


def _choose(files: Contents, name: str, now: bytes | None, cut: Cut, chance: random.Random) -> None:
    """A file that nobody flushed is as it is now, as it was, or as far as it came."""
    kept = {Cut.NOTHING: 0, Cut.ALL: 1}.get(cut, chance.randrange(3))
    if kept == 0 or now == files.get(name):
        return
    if now is None:
        del files[name]
    elif kept == 1:
        files[name] = now
    else:
        files[name] = now[: chance.randrange(len(now) // SECTOR + 1) * SECTOR]


def apply(files: dict[str, bytearray], op: Op) -> None:
    """Make one change."""
    if op.change is Change.DELETE:
        files.pop(op.file, None)
        return
    content = files.setdefault(op.file, bytearray())
    if op.change is Change.TRUNCATE:
        del content[op.offset :]
        return
    if len(content) < op.offset:
        content.extend(bytes(op.offset - len(content)))
    content[op.offset : op.offset + len(op.data)] = op.data


def contents(folder: Path) -> Contents:
    """All files that matter."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.endswith((LOG_INDEX, ".lock"))
    }


def lay_down(files: Contents, folder: Path) -> None:
    """Put files into an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)


def _is_of_sqlite(name: str) -> bool:
    """Files that are written through SQLite."""
    return name.startswith(("till.sqlite", "evertill.db")) and not name.endswith(".lock")
