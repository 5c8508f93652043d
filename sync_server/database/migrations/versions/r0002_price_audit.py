"""How far the audit of prices has come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; no row is a job that has not begun."""
    op.create_table(
        "jobs",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.Column("judged", sa.BigInteger(), nullable=False),
        sa.Column("unjudged", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "job"),
    )
