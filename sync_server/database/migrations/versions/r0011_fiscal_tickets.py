"""Sales and returns that a fiscal device has to sign, and how each stands."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """An empty table; what tills of a later release sent before is booked from the quarantine."""
    op.create_table(
        "fiscal_tickets",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("failure", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "entry_id"),
    )
    op.create_index(
        "ix_fiscal_tickets_unsigned",
        "fiscal_tickets",
        ["shard", "journal"],
        sqlite_where=sa.text("state <> 'signed'"),
        postgresql_where=sa.text("state <> 'signed'"),
    )
