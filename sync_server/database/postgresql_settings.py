"""PostgreSQL as the server uses it: a commit that has returned is on the disk."""

from typing import Any, Final

from sqlalchemy import Engine, create_engine, event

from shared.errors import EnvironmentFault

UNSAFE: Final = {"fsync": {"off"}, "synchronous_commit": {"off"}, "full_page_writes": {"off"}}
"""Settings with which a power cut takes what was acknowledged."""
IDLE_MAX_MS: Final = 60_000
"""A process that hangs in a transaction, or is cut off, must not keep all writers waiting."""


def postgresql_engine(url: str) -> Engine:
    """An engine that refuses a cluster which does not keep its promises.

    Its connections raise EnvironmentFault ``postgresql-unsafe``.
    """
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    names = ", ".join(f"current_setting('{name}')" for name in UNSAFE)
    with connection.cursor() as cursor:
        found = cursor.execute(f"SELECT {names}").fetchone()
        cursor.execute(f"SET SESSION idle_in_transaction_session_timeout = {IDLE_MAX_MS}")
    connection.commit()
    check_settings(dict(zip(UNSAFE, found, strict=True)))


def check_settings(found: dict[str, str]) -> None:
    """Raise EnvironmentFault ``postgresql-unsafe`` where a setting risks acknowledged entries."""
    for setting, value in found.items():
        if value in UNSAFE[setting]:
            raise EnvironmentFault("postgresql-unsafe", setting=setting, found=value)
