"""Where tests keep what need not outlive the machine."""

import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 1 << 30


def scratch_root() -> Path:
    """A folder in memory where there is room, the temporary one elsewhere.

    An fsync there costs nothing and means nothing: for tests in which what survives a crash is
    decided by which commits have returned, not by the disk.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH:
        return MEMORY
    return Path(tempfile.gettempdir())
