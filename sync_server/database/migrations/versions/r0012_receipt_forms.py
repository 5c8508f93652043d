"""How tills' papers looked at a time is found without reading their journals."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the index; no journal has such an entry yet."""
    only = sa.text("kind = 'receipt_form_changed'")
    op.create_index(
        "ix_entries_receipt_forms",
        "entries",
        ["shard", "journal", "hlc"],
        sqlite_where=only,
        postgresql_where=only,
    )
