"""Members who were merged, and what that moved."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; no release before this one merged anybody."""
    op.create_table(
        "merges",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merge_id", sa.String(), nullable=False),
        sa.Column("from_member", sa.String(), nullable=False),
        sa.Column("into_member", sa.String(), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.Column("key_hashes", sa.String(), server_default="", nullable=False),
        sa.Column("undone_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "merge_id"),
    )
    op.create_index("ix_merges_from", "merges", ["shard", "from_member"])
    op.create_index("ix_merges_into", "merges", ["shard", "into_member"])
    op.create_table(
        "merge_moves",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("merge_id", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "merge_id", "account", "lot", "unit"),
    )
