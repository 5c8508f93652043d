"""Which members were merged into others: what they had is found there."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One column more; members are pulled from the start, for those that are here lack it."""
    op.add_column("members", sa.Column("alias_of", sa.Text(), nullable=False, server_default=""))
    op.execute("DELETE FROM cursors WHERE stream = 'members'")
