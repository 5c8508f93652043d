"""Run by Alembic: migrates the connection it is given, inside that connection's transaction."""

from alembic import context

from sync_server.database.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=False,
)
context.run_migrations()
