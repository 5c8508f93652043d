"""SQLite as the server uses it: a library without the WAL-reset bug, settings that keep promises.

Python's bundled SQLite may be older than 3.51.3, where two connections of one process can corrupt a
WAL database; ``sqlcipher3`` brings its own.
"""

from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlcipher3 import dbapi2

from shared.errors import EnvironmentFault

DatabaseError: type[Exception] = dbapi2.DatabaseError
"""What the driver raises below SQLAlchemy."""
VERSION_MIN: Final = (3, 51, 3)
SYNCHRONOUS_FULL: Final = 2
CACHE_KIB: Final = 64 * 1024
"""Of a connection, at most. With SQLite's own 2 MiB a push reads its way into each index anew."""
WRITING: Final = "evertill_writing"
"""Execution option of connections whose transactions write."""


def sqlite_engine(path: str, *, library: Any = dbapi2) -> Engine:
    """An engine whose every connection keeps a commit through a power cut.

    Raises EnvironmentFault ``sqlite-too-old``.
    """
    if library.sqlite_version_info < VERSION_MIN:
        needed = ".".join(map(str, VERSION_MIN))
        raise EnvironmentFault("sqlite-too-old", found=library.sqlite_version, needed=needed)
    engine = create_engine(f"sqlite:///{path}", module=library, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # None stops the driver from opening transactions by itself; `_begin` does it.
    connection.isolation_level = None
    for pragma in ("busy_timeout=20000", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}").fetchall()
    connection.execute("PRAGMA secure_delete=ON").fetchall()
    connection.execute("PRAGMA foreign_keys=ON").fetchall()
    check_settings(connection)


def check_settings(connection: Any) -> None:
    """Raise EnvironmentFault ``sqlite-unsafe`` unless the library took the settings."""
    found = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "secure_delete")
    }
    wanted = {"journal_mode": "wal", "synchronous": SYNCHRONOUS_FULL, "secure_delete": 1}
    for name, value in wanted.items():
        if found[name] != value:
            raise EnvironmentFault("sqlite-unsafe", setting=name, found=str(found[name]))


def _begin(connection: Any) -> None:
    # A writer takes the lock at once: upgrading a read transaction later could fail.
    writes = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
