"""What offers for birthdays and segments need to know of members."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two columns more; members are pulled from the start, for those that are here lack them."""
    op.add_column("members", sa.Column("birthday", sa.Text(), nullable=False, server_default=""))
    op.add_column("members", sa.Column("segments", sa.Text(), nullable=False, server_default="[]"))
    op.execute("DELETE FROM cursors WHERE stream = 'members'")
