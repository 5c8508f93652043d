"""Language and consents of members, and own changes of profiles the server has not told yet."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add them; members are pulled from the start, for consents were not told before."""
    for name in ("language", "changed_hlc"):
        op.add_column("members", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("members", sa.Column("consents", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "profile_changes",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "seq"),
    )
    op.create_index("profile_changes_by_member", "profile_changes", ["member_id"])
    op.execute("DELETE FROM cursors WHERE stream = 'members'")
