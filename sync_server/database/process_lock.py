"""One server process per SQLite file, held by a lock of the operating system.

The system frees it when the process dies, however it dies; a stale file means nothing.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from shared.errors import EnvironmentFault


class ProcessLock:
    """The right to be the one process on a database file; close it to give it up."""

    def __init__(self, database: Path) -> None:
        """Take the lock; EnvironmentFault ``database-in-use`` where another process has it."""
        self._file: IO[bytes] = database.with_name(database.name + ".lock").open("ab")
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise EnvironmentFault("database-in-use", database=str(database)) from error

    def close(self) -> None:
        """Give the lock up."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.set_inheritable(file.fileno(), False)  # noqa: FBT003 - the standard library's signature
