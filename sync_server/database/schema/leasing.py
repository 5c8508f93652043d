"""Rights to spend that tills were given."""

from sqlalchemy import Column, Index, String, Table

from sync_server.database.schema.columns import (
    big,
    key,
    metadata,
    number,
    raw,
    required,
    shard,
    text,
)

# A lease as it stands by the facts that are booked: granted, spent by, closed, reclaimed.
leases = Table(
    "leases",
    metadata,
    shard(),
    key("lease_id"),
    big("serial"),
    required("lease_class"),
    required("journal"),
    big("epoch"),
    required("till_id"),
    required("store_id"),
    Column("member_id", String, nullable=True),
    required("account"),
    text("owner"),
    required("unit"),
    big("amount"),
    big("per_member"),
    big("spent"),
    required("expires_at"),
    # The latest end of all its serials: a till may hold an older one.
    required("last_at"),
    raw("statement"),
    required("granted_by"),
    Column("called_back_at", String, nullable=True),
    required("state"),
    Index("ix_leases_owner", "shard", "account", "owner"),
    Index("ix_leases_journal", "shard", "journal", "state"),
)

lease_spends = Table(
    "lease_spends",
    metadata,
    shard(),
    key("entry_id"),
    number("position"),
    required("lease_id"),
    text("member_id"),
    big("amount"),
    Index("ix_lease_spends_lease", "shard", "lease_id", "member_id"),
)

# Which journals have shown a restored server of this generation the leases they hold.
lease_presentations = Table(
    "lease_presentations",
    metadata,
    shard(),
    key("journal"),
    key("generation"),
)
