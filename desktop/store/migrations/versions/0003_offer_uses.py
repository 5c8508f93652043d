"""How often offers were used at this till, for those that may be used so often only."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A table beside the journal, filled from the sales that are in it."""
    table = op.create_table(
        "offer_uses",
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id", "member_id", "day"),
        sqlite_with_rowid=False,
    )
    uses: Counter[tuple[str, str, str]] = Counter()
    sales = sa.text("SELECT bytes FROM entries WHERE kind = 'sale_completed'")
    for (data,) in op.get_bind().execute(sales):
        entry = json.loads(data)
        fact = entry["body"]
        member = (fact.get("member") or {}).get("member_id", "")
        for offer in fact.get("offers", ()):
            uses[offer["offer_id"], member, entry["occurred_at"][:10]] += 1
    rows = [
        {"offer_id": offer, "member_id": member, "day": day, "uses": times}
        for (offer, member, day), times in uses.items()
    ]
    if rows:
        op.bulk_insert(table, rows)
