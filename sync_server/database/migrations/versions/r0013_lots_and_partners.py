"""What is known of a lot may become more; partners' sales are found without reading all entries."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Let rows of lots be changed, still none of them goes; make the index of partners' facts."""
    only = sa.text("kind IN ('partner_sold', 'partner_returned')")
    op.create_index(
        "ix_entries_of_partners",
        "entries",
        ["shard", "received_at"],
        sqlite_where=only,
        postgresql_where=only,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER lots_no_update")
        return
    op.execute("DROP TRIGGER lots_append_only ON lots")
    op.execute(
        "CREATE TRIGGER lots_stay BEFORE DELETE OR TRUNCATE ON lots "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
