"""The SQLite driver, typed: the library of ``sqlcipher3``, which reads plain files too."""

from types import ModuleType
from typing import Any, Protocol

import sqlcipher3.dbapi2

from shared.errors import EnvironmentFault

sqlite_module: ModuleType = sqlcipher3.dbapi2
DriverError: type[Exception] = sqlcipher3.dbapi2.DatabaseError
"""What the driver raises below SQLAlchemy."""
SQLITE_VERSION: tuple[int, ...] = tuple(sqlcipher3.dbapi2.sqlite_version_info)


class SqliteConnection(Protocol):
    """What we use of a driver connection directly."""

    isolation_level: str | None

    def execute(self, sql: str, /) -> Any:
        """Run a statement."""
        ...


def disk_fault(error: Exception) -> EnvironmentFault | None:
    """What SQLite says of a disk that is full or fails, in our words; None for anything else."""
    message = str(error)
    if "is full" in message:
        return EnvironmentFault("disk-full")
    if any(sign in message for sign in ("I/O", "readonly", "unable to open")):
        return EnvironmentFault("disk-error", reason=message)
    return None
