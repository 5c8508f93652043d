"""Where tests keep what need not outlive the machine; run as a program, it tells the place."""

import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from shared.errors import EnvironmentFault
from sync_server.database.process_lock import ProcessLock

MEMORY = Path("/dev/shm")
ENOUGH = 1 << 30
PREFIX = "evertill-scratch-"


def scratch_root() -> Path:
    """A folder in memory where there is room, the temporary one elsewhere.

    An fsync there costs nothing and means nothing: for tests in which what survives a crash is
    decided by which commits have returned, not by the disk.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
        return MEMORY
    return Path(tempfile.gettempdir())


def scratch_folder() -> Path:
    """A fresh folder that goes with this process at the latest; where it was killed, with the next
    process that asks for one."""
    return Path(tempfile.mkdtemp(dir=_own_folder(os.getpid())))


@cache
def _own_folder(_process: int) -> Path:
    root = scratch_root()
    _sweep(root)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        try:
            lock = ProcessLock(folder)
        except EnvironmentFault:  # somebody sweeps, and took it for left over
            shutil.rmtree(folder)
            continue
        # Unlike atexit, also at the end of a worker of a pool.
        Finalize(None, _remove, args=(folder, lock), exitpriority=0)
        return folder


def _sweep(root: Path) -> None:
    """What a process left that was killed: the system has freed its lock."""
    for file in root.glob(f"{PREFIX}*.lock"):
        folder = file.with_suffix("")
        with suppress(EnvironmentFault):
            _remove(folder, ProcessLock(folder))


def _remove(folder: Path, lock: ProcessLock) -> None:
    with lock:
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name(folder.name + ".lock").unlink(missing_ok=True)


if __name__ == "__main__":
    print(scratch_root())
