"""Receipts that a fiscal device has to sign."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """An empty table: no release before had a device."""
    op.create_table(
        "fiscal_tickets",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id"),
    )
    op.create_index(
        "ix_fiscal_tickets_unsigned",
        "fiscal_tickets",
        ["entry_id"],
        sqlite_where=sa.text("state != 'signed'"),
    )
