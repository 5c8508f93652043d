"""Regions of stores, and which members their tills hold."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table; every store's tills go on holding all members."""
    op.add_column("stores", sa.Column("region", sa.String(), nullable=False, server_default=""))
    op.create_table(
        "member_regions",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("seen_on", sa.String(), server_default="", nullable=False),
        sa.Column("has_left", sa.Boolean(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "region"),
    )
    op.create_index("ix_member_regions_region", "member_regions", ["shard", "region"])
