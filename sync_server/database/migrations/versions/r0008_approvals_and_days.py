"""Where approvals stand, and how often members bought from an operator on a day."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables; both count from this release on."""
    op.create_table(
        "approvals",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "approval_id", "kind"),
    )
    op.create_table(
        "member_days",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "operator_id", "day"),
    )
