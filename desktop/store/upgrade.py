"""Bringing an older schema up to date with Alembic, which is loaded only then."""

from importlib.resources import files

from sqlalchemy import Connection, Engine, inspect, text

from shared.errors import EnvironmentFault

HEAD_REVISION = "0009"
KNOWN_REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")


def current_revision(connection: Connection) -> str | None:
    """The schema's revision; None for an empty file.

    Raises EnvironmentFault ``database-too-new`` for a file of a later release.
    """
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is not None and found not in KNOWN_REVISIONS:
        raise EnvironmentFault("database-too-new", found=found, known=HEAD_REVISION)
    return found


def upgrade(engine: Engine, to: str = HEAD_REVISION) -> None:
    """Run the migrations that are missing up to a revision."""
    from alembic import command  # noqa: PLC0415 - 0.9 s that a till with a current schema saves
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(files("desktop.store") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)
