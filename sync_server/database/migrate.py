"""Bringing a database to this release's schema. Alembic is imported only when there is work."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from shared.errors import EnvironmentFault
from sync_server.database.planning import tell_planner
from sync_server.database.schema import HEAD_REVISION, shards
from sync_server.database.transaction import Database, Work

VERSIONS = Path(__file__).parent / "migrations"
_KNOWN = frozenset(path.name[1:5] for path in (VERSIONS / "versions").glob("r*.py"))


def is_known(revision: str | None) -> bool:
    """Whether this release can read a database or a copy at this migration."""
    return revision in _KNOWN


def revision(connection: Connection) -> str | None:
    """The migration a database stands at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def is_current(database: Database) -> bool:
    """Whether the database is at this release's schema and has been initialised."""
    with database.reading() as snapshot:
        if revision(snapshot.connection) != HEAD_REVISION:
            return False
        found = snapshot.connection.execute(shards.select().limit(1)).first()
        return found is not None


def check_current(database: Database) -> None:
    """Raise EnvironmentFault ``schema-older`` or ``schema-newer`` unless it is this release's."""
    with database.reading() as snapshot:
        found = revision(snapshot.connection)
    if found is None or (is_known(found) and found != HEAD_REVISION):
        raise EnvironmentFault("schema-older", found=str(found), known=HEAD_REVISION)
    if found != HEAD_REVISION:
        raise EnvironmentFault("schema-newer", found=found, known=HEAD_REVISION)


def migrate(database: Database) -> None:
    """Upgrade to this release's schema.

    Raises EnvironmentFault ``schema-newer`` for a database that a later release has upgraded.
    """
    with database.reading() as snapshot:
        found = revision(snapshot.connection)
    if found == HEAD_REVISION:
        return
    if found is not None and not is_known(found):
        raise EnvironmentFault("schema-newer", found=found, known=HEAD_REVISION)
    with database.writing(is_bare=True) as work:
        upgrade_in(work)


def upgrade_in(work: Work, revision: str = "head") -> None:
    """Run the migrations that are missing, in the caller's transaction; plan for the new tables."""
    from alembic import command  # noqa: PLC0415 - 0.9 s to import, needed once per release
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(VERSIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = work.connection
    command.upgrade(config, revision)
    tell_planner(work.connection)
