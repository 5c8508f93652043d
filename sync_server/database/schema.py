"""The tables. The first migration makes them; a test compares the two.

Every key contains the shard, so that tables can be distributed later. Times are RFC 3339 text in
UTC with milliseconds, which sorts as it is. ``APPEND_ONLY`` tables are guarded by triggers.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

HEAD_REVISION: Final = "0008"
"""The newest migration; a database at another one is upgraded or refused."""


def _shard() -> Column[int]:
    return Column("shard", Integer, primary_key=True, autoincrement=False)


def _key(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def _text(name: str) -> Column[str]:
    return Column(name, String, nullable=False, server_default="")


def _required(name: str) -> Column[str]:
    return Column(name, String, nullable=False)


def _big(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _bytes(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


# The writer's counter: entries and changed rows are numbered from it in commit order.
shards = Table(
    "shards",
    metadata,
    _shard(),
    _required("generation"),
    _big("server_seq"),
    _required("own_journal"),
    _required("created_at"),
    # What lies below may have been given before a restore, though this database does not know.
    Column("bundle_floor", BigInteger, nullable=False, server_default="0"),
    Column("epoch_floor", BigInteger, nullable=False, server_default="0"),
)

server_keys = Table(
    "server_keys",
    metadata,
    _shard(),
    _key("key_id"),
    _required("purpose"),
    _required("public_key"),
    Column("certified", LargeBinary, nullable=True),
    _required("created_at"),
)

stores = Table(
    "stores",
    metadata,
    _shard(),
    _key("store_id"),
    _required("name"),
    _required("zone"),
    _required("created_at"),
    UniqueConstraint("shard", "name", name="uq_stores_name"),
)

tills = Table(
    "tills",
    metadata,
    _shard(),
    _key("till_id"),
    _required("store_id"),
    _required("name"),
    Column("number", Integer, nullable=False),
    Column("journal", String, nullable=True),
    _required("created_at"),
    Column("last_contact_at", String, nullable=True),
    Column("unsent_told", BigInteger, nullable=True),
    UniqueConstraint("shard", "number", name="uq_tills_number"),
    UniqueConstraint("shard", "store_id", "name", name="uq_tills_name"),
)

enrolment_codes = Table(
    "enrolment_codes",
    metadata,
    _shard(),
    _key("selector"),
    _required("secret_hash"),
    _required("till_id"),
    _required("expires_at"),
    Column("attempts_left", Integer, nullable=False),
    Column("used_by", String, nullable=True),
    Column("used_at", String, nullable=True),
)

epochs = Table(
    "epochs",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _bytes("certificate"),
    _bytes("certificate_signed"),
    _required("key_id"),
    # What the entries themselves say; another number than ``epoch`` in a branch.
    _big("written_epoch"),
    Column("forked_epoch", BigInteger, nullable=True),
    Column("forked_seq", BigInteger, nullable=True),
    _required("created_at"),
    Index("ix_epochs_key", "shard", "key_id"),
)

heads = Table(
    "heads",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _big("next_seq"),
    _bytes("head_hash"),
)

entries = Table(
    "entries",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _number("seq"),
    # Null where the bytes name no id, or name one that is kept already: then see ``repeats``.
    Column("id", String, nullable=True),
    Column("repeats", String, nullable=True),
    _text("kind"),
    _text("hlc"),
    _text("occurred_at"),
    _bytes("prev_hash"),
    _bytes("hash"),
    _bytes("bytes"),
    _required("received_at"),
    _big("server_seq"),
    UniqueConstraint("shard", "id", name="uq_entries_id"),
    UniqueConstraint("shard", "server_seq", name="uq_entries_server_seq"),
)

# Entries that neither the server nor the till has any more; what was found is on both sides of it.
holes = Table(
    "holes",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _number("stop_seq"),
    _big("first_seq"),
    _bytes("hash_before"),
    _bytes("hash_at_end"),
    _required("found_at"),
    Column("filled_at", String, nullable=True),
)

head_signatures = Table(
    "head_signatures",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _number("seq"),
    _bytes("head_hash"),
    _required("key_id"),
    _bytes("signature"),
    _required("received_at"),
)

attachments = Table(
    "attachments",
    metadata,
    _shard(),
    _key("attachment_id"),
    _required("entry_id"),
    _required("role"),
    _bytes("salt"),
    _bytes("content"),
    Index("ix_attachments_entry", "shard", "entry_id"),
)

erased_attachments = Table(
    "erased_attachments",
    metadata,
    _shard(),
    _key("attachment_id"),
    _required("erased_at"),
)

postings = Table(
    "postings",
    metadata,
    _shard(),
    _key("entry_id"),
    _number("position"),
    _required("account"),
    _required("owner"),
    _text("lot"),
    _required("unit"),
    _big("amount"),
    Index("ix_postings_account", "shard", "account", "owner", "lot"),
)

balances = Table(
    "balances",
    metadata,
    _shard(),
    _key("account"),
    _key("owner"),
    _key("lot"),
    _key("unit"),
    _big("amount"),
    Index("ix_balances_owner", "shard", "owner"),
)

lots = Table(
    "lots",
    metadata,
    _shard(),
    _key("lot"),
    _required("member_id"),
    _required("earned_on"),
    Column("expires_on", String, nullable=True),
)

tickets = Table(
    "tickets",
    metadata,
    _shard(),
    _key("entry_id"),
    _required("receipt_no"),
    Column("original", String, nullable=True),
    Column("member_id", String, nullable=True),
    Index("ix_tickets_receipt", "shard", "receipt_no"),
    Index("ix_tickets_original", "shard", "original"),
)

returned_lines = Table(
    "returned_lines",
    metadata,
    _shard(),
    _key("entry_id"),
    _number("line"),
    _required("original"),
    _big("of_line"),
    _big("quantity"),
    Index("ix_returned_lines_original", "shard", "original"),
)

members = Table(
    "members",
    metadata,
    _shard(),
    _key("member_id"),
    _text("name"),
    _text("phone"),
    _text("card"),
    _text("birthday"),
    _text("email"),
    _text("language"),
    _text("changed_hlc"),  # of the newest change that a trusted clock wrote
    _text("tier"),
    _text("tier_hlc"),
    Column("store_id", String, nullable=True),
    Column("enrolled_at", String, nullable=True),
    Column("enrolled_by", String, nullable=True),
    Column("gone", Boolean, nullable=False),
    _big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_members_change"),
)

member_keys = Table(
    "member_keys",
    metadata,
    _shard(),
    _key("key_hash"),
    _required("member_id"),
    Index("ix_member_keys_member", "shard", "member_id"),
)

# Who says to have a phone or card, the first one first; ``member_keys`` has who is found by it.
key_claims = Table(
    "key_claims",
    metadata,
    _shard(),
    _key("key_hash"),
    _key("member_id"),
    _big("claim_seq"),
    Index("ix_key_claims_member", "shard", "member_id"),
)

# The enrolment and the changes that make a member's profile, with the attachment that says what.
profile_facts = Table(
    "profile_facts",
    metadata,
    _shard(),
    _key("member_id"),
    _key("entry_id"),
    _required("hlc"),
    Column("is_enrolment", Boolean, nullable=False),
    Column("is_suspect", Boolean, nullable=False),
    _text("attachment_id"),
)

consents = Table(
    "consents",
    metadata,
    _shard(),
    _key("member_id"),
    _key("entry_id"),
    _key("consent"),
    Column("is_granted", Boolean, nullable=False),
    _text("seen"),  # entry ids; spaces between
)

# Which fact of a kind an approval stands in; it is good for one.
approvals = Table(
    "approvals",
    metadata,
    _shard(),
    _key("approval_id"),
    _key("kind"),
    _required("entry_id"),
)

# What articles cost, and until when; ``whole_from`` is when this began to be kept.
goods_prices = Table(
    "goods_prices",
    metadata,
    _shard(),
    _key("goods_id"),
    _number("list_price"),
    _text("replaced_at"),
    _text("whole_from"),
)

# How often a member bought from an operator on a day.
member_days = Table(
    "member_days",
    metadata,
    _shard(),
    _key("member_id"),
    _key("operator_id"),
    _key("day"),
    _big("sales"),
)

# A row stays when its member leaves the segment: the audit asks who ever belonged to it.
member_segments = Table(
    "member_segments",
    metadata,
    _shard(),
    _key("member_id"),
    _key("segment"),
    Column("active", Boolean, nullable=False),
)

# Enrolments that are one person: the alias, and whom it is an alias of.
merges = Table(
    "merges",
    metadata,
    _shard(),
    _key("merge_id"),
    _required("from_member"),
    _required("into_member"),
    _required("merged_by"),
    _text("key_hashes"),  # that the alias had; spaces between
    Column("undone_by", String, nullable=True),
    Index("ix_merges_from", "shard", "from_member"),
    Index("ix_merges_into", "shard", "into_member"),
)

# All that a merge has moved, then and since.
merge_moves = Table(
    "merge_moves",
    metadata,
    _shard(),
    _key("merge_id"),
    _key("account"),
    _key("lot"),
    _key("unit"),
    _big("amount"),
)

member_entries = Table(
    "member_entries",
    metadata,
    _shard(),
    _key("member_id"),
    _key("entry_id"),
)

# Keys that are trusted no more; their epochs' entries wait for a decision.
revoked_keys = Table(
    "revoked_keys",
    metadata,
    _shard(),
    _key("key_id"),
    _required("till_id"),
    _required("revoked_at"),
)

natural_keys = Table(
    "natural_keys",
    metadata,
    _shard(),
    _key("natural_key"),
    _required("entry_id"),
)

exceptions = Table(
    "exceptions",
    metadata,
    _shard(),
    _key("entry_id"),
    _required("natural_key"),
    _required("rule"),
    Column("member_id", String, nullable=True),
    _required("raised_at"),
    UniqueConstraint("shard", "natural_key", name="uq_exceptions_natural_key"),
)

exception_facts = Table(
    "exception_facts",
    metadata,
    _shard(),
    _key("entry_id"),
    _key("fact_id"),
    Index("ix_exception_facts_fact", "shard", "fact_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _number("seq"),
    Column("entry_id", String, nullable=True),
    _required("reason"),
    _text("detail"),
    _required("received_at"),
    Column("resolved_at", String, nullable=True),
    Column("decision", String, nullable=True),
)

goods = Table(
    "goods",
    metadata,
    _shard(),
    _key("goods_id"),
    _bytes("document"),
    _bytes("search_keys"),  # msgpack of the keys tills find it by
    Column("deleted", Boolean, nullable=False),
    _big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_goods_change"),
)

# How often offers were used, by the sales that the audit has looked at.
offer_uses = Table(
    "offer_uses",
    metadata,
    _shard(),
    _key("offer_id"),
    _key("member_id"),
    _key("store_id"),
    _key("day"),
    _big("uses"),
)

# A lease as it stands by the facts that are booked: granted, spent by, closed, reclaimed.
leases = Table(
    "leases",
    metadata,
    _shard(),
    _key("lease_id"),
    _big("serial"),
    _required("lease_class"),
    _required("journal"),
    _big("epoch"),
    _required("till_id"),
    _required("store_id"),
    Column("member_id", String, nullable=True),
    _required("account"),
    _text("owner"),
    _required("unit"),
    _big("amount"),
    _big("per_member"),
    _big("spent"),
    _required("expires_at"),
    # The latest end of all its serials: a till may hold an older one.
    _required("last_at"),
    _bytes("statement"),
    _required("granted_by"),
    Column("called_back_at", String, nullable=True),
    _required("state"),
    Index("ix_leases_owner", "shard", "account", "owner"),
    Index("ix_leases_journal", "shard", "journal", "state"),
)

lease_spends = Table(
    "lease_spends",
    metadata,
    _shard(),
    _key("entry_id"),
    _number("position"),
    _required("lease_id"),
    _text("member_id"),
    _big("amount"),
    Index("ix_lease_spends_lease", "shard", "lease_id", "member_id"),
)

# Which journals have shown a restored server of this generation the leases they hold.
lease_presentations = Table(
    "lease_presentations",
    metadata,
    _shard(),
    _key("journal"),
    _key("generation"),
)

# Two sales of one card are one card: both say until when it pays.
gift_cards = Table(
    "gift_cards",
    metadata,
    _shard(),
    _key("card_id"),
    _key("entry_id"),
    Column("last_day", String, nullable=True),
)

# How far jobs that follow the shard's counter have come.
jobs = Table(
    "jobs",
    metadata,
    _shard(),
    _key("job"),
    _big("server_seq"),
    _big("judged"),
    _big("unjudged"),
)

# Copies of this database that were read back and found whole.
copies = Table(
    "copies",
    metadata,
    _shard(),
    _key("copy_id"),
    _required("target"),
    Column("off_machine", Boolean, nullable=False),
    _big("server_seq"),
    _big("bytes"),
    _required("sha256"),
    _required("made_at"),
    _required("verified_at"),
)

# How far each epoch is in the newest copy on another device.
durable = Table(
    "durable",
    metadata,
    _shard(),
    _key("journal"),
    _number("epoch"),
    _big("next_seq"),
)

# What tills should hold of each stream, kept in the transaction that changes its rows.
scopes = Table(
    "scopes",
    metadata,
    _shard(),
    _key("stream"),
    _required("format"),
    _big("through"),
    _big("row_count"),
    _required("checksum"),
)

scope_rows = Table(
    "scope_rows",
    metadata,
    _shard(),
    _key("stream"),
    _key("row_key"),
    _required("hash"),
)

bundles = Table(
    "bundles",
    metadata,
    _shard(),
    _number("version"),
    _required("sha256"),
    _bytes("document"),
    _bytes("statement"),
    _required("published_at"),
    _big("change_seq"),
)

operators = Table(
    "operators",
    metadata,
    _shard(),
    _key("operator_id"),
    _required("name"),
    _required("role"),
    _required("pin_hash"),
    _text("card_hash"),
    Column("active", Boolean, nullable=False),
    _big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_operators_change"),
)

users = Table(
    "users",
    metadata,
    _shard(),
    _key("login"),
    _required("password_hash"),
    _required("session_epoch"),
    _required("created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    _shard(),
    _key("subject"),
    _required("window_ends_at"),
    Column("tries", Integer, nullable=False),
)

APPEND_ONLY: Final = (
    server_keys,
    epochs,
    entries,
    head_signatures,
    erased_attachments,
    postings,
    lots,
    tickets,
    returned_lines,
    natural_keys,
    exceptions,
    exception_facts,
    lease_spends,
    gift_cards,
)
