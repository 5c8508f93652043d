"""The SQLite driver, typed: the library of ``sqlcipher3``, which reads plain files too."""

from types import ModuleType
from typing import Any, Protocol

import sqlcipher3.dbapi2

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
