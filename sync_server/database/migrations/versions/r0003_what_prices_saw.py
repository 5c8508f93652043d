"""Segments of members, and how often offers were used."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables; uses are counted from the sales that the audit has passed already."""
    op.create_table(
        "member_segments",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "segment"),
    )
    table = op.create_table(
        "offer_uses",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "offer_id", "member_id", "store_id", "day"),
    )
    passed = sa.text(
        "SELECT entries.shard, entries.bytes FROM entries"
        " JOIN jobs ON jobs.shard = entries.shard AND jobs.job = 'prices'"
        " AND entries.server_seq <= jobs.server_seq"
        " WHERE entries.kind = 'sale_completed' AND entries.id IS NOT NULL"
    )
    uses: Counter[tuple[int, str, str, str, str]] = Counter()
    for shard, encoded in op.get_bind().execute(passed):
        entry = json.loads(bytes(encoded))
        fact = entry["body"]
        if fact.get("training"):
            continue
        member = (fact.get("member") or {}).get("member_id", "")
        for one in fact.get("offers", ()):
            day = entry["occurred_at"][:10]
            uses[shard, one["offer_id"], member, fact["store_id"], day] += 1
    names = ("shard", "offer_id", "member_id", "store_id", "day")
    rows = [{**dict(zip(names, key, strict=True)), "uses": count} for key, count in uses.items()]
    if rows:
        op.bulk_insert(table, rows)
