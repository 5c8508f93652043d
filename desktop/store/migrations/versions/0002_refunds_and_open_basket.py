"""Refunds through the gateway are attempts too; the basket on the screen outlives its process."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Only additions: rows of before are payments, asked for at a time nobody noted."""
    op.add_column("payment_attempts", sa.Column("refund_of", sa.Text(), nullable=True))
    op.add_column(
        "payment_attempts",
        sa.Column("requested_at", sa.Text(), nullable=False, server_default=""),
    )
    op.create_table(
        "open_basket",
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
