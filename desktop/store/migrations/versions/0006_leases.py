"""Leases, what was spent by them, and codes of gift cards that wait for their paper."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the tables; members are pulled from the start, for their bonus was not told before."""
    op.create_table(
        "leases",
        sa.Column("lease_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("is_called_back", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("lease_id"),
    )
    op.create_index("leases_by_owner", "leases", ["account", "owner"])
    op.create_table(
        "lease_spends",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lease_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", "position"),
        sqlite_with_rowid=False,
    )
    op.create_index("lease_spends_by_lease", "lease_spends", ["lease_id", "member_id"])
    op.create_table(
        "card_codes",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id"),
        sqlite_with_rowid=False,
    )
    op.execute("DELETE FROM cursors WHERE stream = 'members'")
