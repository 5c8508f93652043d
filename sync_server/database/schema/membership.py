"""Members, what finds them, and what makes their profiles."""

from sqlalchemy import Boolean, Column, Index, String, Table, UniqueConstraint

from sync_server.database.schema.columns import big, key, metadata, required, shard, text

members = Table(
    "members",
    metadata,
    shard(),
    key("member_id"),
    text("name"),
    text("phone"),
    text("card"),
    text("birthday"),
    text("email"),
    text("language"),
    text("changed_hlc"),  # of the newest change that a trusted clock wrote
    text("tier"),
    text("tier_hlc"),
    Column("store_id", String, nullable=True),
    Column("enrolled_at", String, nullable=True),
    Column("enrolled_by", String, nullable=True),
    Column("gone", Boolean, nullable=False),
    big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_members_change"),
)

member_keys = Table(
    "member_keys",
    metadata,
    shard(),
    key("key_hash"),
    required("member_id"),
    Index("ix_member_keys_member", "shard", "member_id"),
)

# Who says to have a phone or card, the first one first; ``member_keys`` has who is found by it.
key_claims = Table(
    "key_claims",
    metadata,
    shard(),
    key("key_hash"),
    key("member_id"),
    big("claim_seq"),
    Index("ix_key_claims_member", "shard", "member_id"),
)

# The enrolment and the changes that make a member's profile, with the attachment that says what.
profile_facts = Table(
    "profile_facts",
    metadata,
    shard(),
    key("member_id"),
    key("entry_id"),
    required("hlc"),
    Column("is_enrolment", Boolean, nullable=False),
    Column("is_suspect", Boolean, nullable=False),
    text("attachment_id"),
)

consents = Table(
    "consents",
    metadata,
    shard(),
    key("member_id"),
    key("entry_id"),
    key("consent"),
    Column("is_granted", Boolean, nullable=False),
    text("seen"),  # entry ids; spaces between
)

# How often a member bought from an operator on a day.
member_days = Table(
    "member_days",
    metadata,
    shard(),
    key("member_id"),
    key("operator_id"),
    key("day"),
    big("sales"),
)

# A row stays when its member leaves the segment: the audit asks who ever belonged to it.
member_segments = Table(
    "member_segments",
    metadata,
    shard(),
    key("member_id"),
    key("segment"),
    Column("active", Boolean, nullable=False),
)

# Where members are known; a row stays when they leave, so that tills that were away hear of it.
member_regions = Table(
    "member_regions",
    metadata,
    shard(),
    key("member_id"),
    key("region"),
    text("seen_on"),
    Column("has_left", Boolean, nullable=False),
    # Whether the member is in what tills of the region should hold, as it is counted.
    Column("is_counted", Boolean, nullable=False),
    Index("ix_member_regions_region", "shard", "region"),
)

# Enrolments that are one person: the alias, and whom it is an alias of.
merges = Table(
    "merges",
    metadata,
    shard(),
    key("merge_id"),
    required("from_member"),
    required("into_member"),
    required("merged_by"),
    text("key_hashes"),  # that the alias had; spaces between
    Column("undone_by", String, nullable=True),
    Index("ix_merges_from", "shard", "from_member"),
    Index("ix_merges_into", "shard", "into_member"),
)

# All that a merge has moved, then and since.
merge_moves = Table(
    "merge_moves",
    metadata,
    shard(),
    key("merge_id"),
    key("account"),
    key("lot"),
    key("unit"),
    big("amount"),
)

member_entries = Table(
    "member_entries",
    metadata,
    shard(),
    key("member_id"),
    key("entry_id"),
)
