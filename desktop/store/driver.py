"""The SQLite driver, typed: the library of ``sqlcipher3``, which reads plain files too."""

import errno
import sqlite3
from types import ModuleType
from typing import Any, Protocol

import sqlcipher3.dbapi2

from shared.errors import EnvironmentFault

sqlite_module: ModuleType = sqlcipher3.dbapi2
DriverError: type[Exception] = sqlcipher3.dbapi2.DatabaseError
"""What the driver raises below SQLAlchemy."""
READING_ERRORS: tuple[type[Exception], ...] = (DriverError, sqlite3.DatabaseError)
"""What reading raises, of files and of what was opened in memory."""
SQLITE_VERSION: tuple[int, ...] = tuple(sqlcipher3.dbapi2.sqlite_version_info)


class SqliteConnection(Protocol):
    """What we use of a driver connection directly."""

    isolation_level: str | None

    def execute(self, sql: str, /) -> Any:
        """Run a statement."""
        ...


def open_in_memory(content: bytes) -> Any:
    """A database's bytes, opened to be read from any thread, without a file.

    Python's own library does it, which the other one cannot: the bug for which it opens no file of
    ours is one of logs, and memory has none.
    """
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.deserialize(content)
    connection.execute("PRAGMA query_only = ON")
    return connection


def disk_fault(error: Exception) -> EnvironmentFault | None:
    """What SQLite says of a disk that is full or fails, in our words; None for anything else."""
    message = str(error)
    if "is full" in message:
        return EnvironmentFault("disk-full")
    if any(sign in message for sign in ("I/O", "readonly", "unable to open")):
        return EnvironmentFault("disk-error", reason=message)
    return None


def file_fault(error: OSError) -> EnvironmentFault:
    """What the system says of a file that it could not write, in our words."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return EnvironmentFault("disk-full")
    return EnvironmentFault("disk-error", reason=error.strerror or str(error))
