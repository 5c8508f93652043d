"""Stores, tills, their codes and keys, and who works there."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, UniqueConstraint

from sync_server.database.schema.columns import big, key, metadata, raw, required, shard, text

stores = Table(
    "stores",
    metadata,
    shard(),
    key("store_id"),
    required("name"),
    required("zone"),
    required("created_at"),
    text("region"),  # empty: its tills hold all members
    UniqueConstraint("shard", "name", name="uq_stores_name"),
)

tills = Table(
    "tills",
    metadata,
    shard(),
    key("till_id"),
    required("store_id"),
    required("name"),
    Column("number", Integer, nullable=False),
    Column("journal", String, nullable=True),
    required("created_at"),
    Column("last_contact_at", String, nullable=True),
    Column("unsent_told", BigInteger, nullable=True),
    UniqueConstraint("shard", "number", name="uq_tills_number"),
    UniqueConstraint("shard", "store_id", "name", name="uq_tills_name"),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    shard(),
    key("selector"),
    required("secret_hash"),
    required("till_id"),
    required("expires_at"),
    Column("attempts_left", Integer, nullable=False),
    Column("used_by", String, nullable=True),
    Column("used_at", String, nullable=True),
)

# Keys that are trusted no more; their epochs' entries wait for a decision.
revoked_keys = Table(
    "revoked_keys",
    metadata,
    shard(),
    key("key_id"),
    required("till_id"),
    required("revoked_at"),
)

# Keys that tills replaced by themselves: what was written under them counts, nobody reads by them.
replaced_keys = Table(
    "replaced_keys",
    metadata,
    shard(),
    key("key_id"),
    required("replaced_by"),
    required("replaced_at"),
)

# What tills were told to do, each until it was done.
till_commands = Table(
    "till_commands",
    metadata,
    shard(),
    key("command_id"),
    required("till_id"),
    required("kind"),
    raw("statement"),
    required("issued_at"),
    required("state"),
    text("detail"),
    required("state_at"),
    big("change_seq"),
    Index("ix_till_commands_till", "shard", "till_id"),
)

operators = Table(
    "operators",
    metadata,
    shard(),
    key("operator_id"),
    required("name"),
    required("role"),
    required("pin_hash"),
    text("card_hash"),
    Column("active", Boolean, nullable=False),
    big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_operators_change"),
)
