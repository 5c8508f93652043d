"""What is known of a lot may become more: spent points that come back make it live on."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Let rows of lots be changed; still none of them goes."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER lots_no_update")
        return
    op.execute("DROP TRIGGER lots_append_only ON lots")
    op.execute(
        "CREATE TRIGGER lots_stay BEFORE DELETE OR TRUNCATE ON lots "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
