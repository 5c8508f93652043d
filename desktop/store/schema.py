"""Tables of the till's SQLite file.

``entries`` and ``attachments`` are what happened; ``members``, ``goods``, ``bundles``,
``operators`` and ``pulled_balances`` are what the server said; everything else is derived from
those two by pure functions and can be made anew.
"""

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

epochs = Table(
    "epochs",
    metadata,
    Column("journal", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("certificate", LargeBinary, nullable=False),  # msgpack of Signed
    Column("next_seq", Integer, nullable=False),
    Column("head_hash", LargeBinary, nullable=False),
    Column("acknowledged_seq", Integer, nullable=False),  # the server's next_seq as last told
    Column("durable_seq", Integer, nullable=False),
    # Entries below it were deleted here; the hash is that of the last one of them.
    Column("oldest_seq", Integer, nullable=False, server_default="0"),
    Column("forgotten_hash", LargeBinary),
    # What the server has of this epoch, where that is more than is here: entries were lost.
    Column("server_seq", Integer),
    PrimaryKeyConstraint("journal", "epoch"),
)

entries = Table(
    "entries",
    metadata,
    Column("journal", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("journal", "epoch", "seq"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("entry_id", Text, nullable=False, index=True),
    Column("member_id", Text, index=True),
    Column("salt", LargeBinary, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

head_signatures = Table(
    "head_signatures",
    metadata,
    Column("journal", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    PrimaryKeyConstraint("journal", "epoch", "seq"),
)

postings = Table(
    "postings",
    metadata,
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("account", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    PrimaryKeyConstraint("epoch", "seq", "position"),
    Index("postings_by_owner", "owner", "epoch", "seq"),
    sqlite_with_rowid=False,
)

balances = Table(
    "balances",
    metadata,
    Column("owner", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    PrimaryKeyConstraint("owner", "account", "lot", "unit"),
    sqlite_with_rowid=False,
)

pulled_balances = Table(
    "pulled_balances",
    metadata,
    Column("owner", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    PrimaryKeyConstraint("owner", "account", "lot", "unit"),
    sqlite_with_rowid=False,
)

lots = Table(
    "lots",
    metadata,
    Column("member_id", Text, nullable=False),
    Column("lot", Text, nullable=False),
    Column("earned_on", Text, nullable=False),
    Column("expires_on", Text),
    PrimaryKeyConstraint("member_id", "lot"),
    sqlite_with_rowid=False,
)

members = Table(
    "members",
    metadata,
    Column("member_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("phone_tail", Text, nullable=False),
    Column("card_tail", Text, nullable=False),
    Column("tier", Text, nullable=False),
    # Month and day (--MM-DD), never the year: what offers for birthdays need, offline and any day.
    Column("birthday", Text, nullable=False, server_default=""),
    Column("segments", Text, nullable=False, server_default="[]"),
    # Whose enrolment it was merged into; empty for members that stand for themselves.
    Column("alias_of", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default=""),
    Column("changed_hlc", Text, nullable=False, server_default=""),
    Column("consents", Text, nullable=False, server_default="[]"),
    # Own entries from (applied_epoch, applied_through) on are not in the pulled balances.
    Column("applied_epoch", Integer, nullable=False),
    Column("applied_through", Integer, nullable=False),
    Column("balance_as_of", Text, nullable=False),
    Index("members_by_phone_tail", "phone_tail"),
)

# Own changes of profiles that are in no pulled row yet.
profile_changes = Table(
    "profile_changes",
    metadata,
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("change", Text, nullable=False),
    PrimaryKeyConstraint("epoch", "seq"),
    Index("profile_changes_by_member", "member_id"),
)

member_keys = Table(
    "member_keys",
    metadata,
    Column("key", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    PrimaryKeyConstraint("key", "member_id"),
    Index("member_keys_by_member", "member_id"),
    sqlite_with_rowid=False,
)

member_search = Table(
    "member_search",
    metadata,
    Column("key", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    PrimaryKeyConstraint("key", "member_id"),
    Index("member_search_by_member", "member_id"),
    sqlite_with_rowid=False,
)

goods = Table(
    "goods",
    metadata,
    Column("goods_id", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

barcodes = Table(
    "barcodes",
    metadata,
    Column("code", Text, primary_key=True),
    Column("goods_id", Text, nullable=False, index=True),
    sqlite_with_rowid=False,
)

goods_search = Table(
    "goods_search",
    metadata,
    Column("key", Text, nullable=False),
    Column("goods_id", Text, nullable=False),
    PrimaryKeyConstraint("key", "goods_id"),
    Index("goods_search_by_goods", "goods_id"),
    sqlite_with_rowid=False,
)

bundles = Table(
    "bundles",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

operators = Table(
    "operators",
    metadata,
    Column("operator_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("pin_hash", Text, nullable=False),
    Column("card_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
)

pin_attempts = Table(
    "pin_attempts",
    metadata,
    Column("operator_id", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    # The till's highest seen time at the last failure: a clock set back opens nothing.
    Column("locked_until", Text),
)

shifts = Table(
    "shifts",
    metadata,
    Column("shift_id", Text, primary_key=True),
    Column("operator_id", Text, nullable=False),
    Column("business_date", Text, nullable=False),
    Column("opened_entry", Text, nullable=False),
    Column("closed_entry", Text),
    Column("day_entry", Text),
)

tickets = Table(
    "tickets",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("receipt_no", Text, nullable=False),
    Column("shift_id", Text, nullable=False),
    Column("business_date", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("member_id", Text),
    Column("original", Text),
    Index("tickets_by_receipt", "receipt_no"),
    Index("tickets_by_shift", "shift_id"),
    Index("tickets_by_member", "member_id"),
    Index("tickets_by_original", "original"),
)

offer_uses = Table(
    "offer_uses",
    metadata,
    Column("offer_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("day", Text, nullable=False),
    # On the store's wall.
    Column("uses", Integer, nullable=False),
    PrimaryKeyConstraint("offer_id", "member_id", "day"),
    sqlite_with_rowid=False,
)

# Leases as last told by the server; what was spent by them follows from the journal.
leases = Table(
    "leases",
    metadata,
    Column("lease_id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("statement", LargeBinary, nullable=False),  # msgpack of Signed
    Column("is_open", Boolean, nullable=False),
    Column("is_called_back", Boolean, nullable=False),
    Index("leases_by_owner", "account", "owner"),
)

lease_spends = Table(
    "lease_spends",
    metadata,
    Column("entry_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("lease_id", Text, nullable=False),
    Column("member_id", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    PrimaryKeyConstraint("entry_id", "position"),
    Index("lease_spends_by_lease", "lease_id", "member_id"),
    sqlite_with_rowid=False,
)

# Codes of gift cards that were made here, until their paper is printed; journals keep a hash.
card_codes = Table(
    "card_codes",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("code", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What coupons still need of entries that were deleted: the kind, and the bytes of issuing sales.
forgotten = Table(
    "forgotten",
    metadata,
    Column("epoch", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("epoch", "seq"),
)

holds = Table(
    "holds",
    metadata,
    Column("hold_id", Text, primary_key=True),
    Column("held_at", Text, nullable=False),
    Column("operator_id", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
)

payment_attempts = Table(
    "payment_attempts",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("provider", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("shift_id", Text, nullable=False),
    Column("settled_by", Text),  # the sale's entry that counts it
    Column("refund_of", Text),  # the attempt that money is given back of; NULL for a payment
    Column("requested_at", Text, nullable=False, server_default=""),
)

fiscal_tickets = Table(
    "fiscal_tickets",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # waiting, failed, signed
    Column("failure", Text, nullable=False),
    Column("recorded", Text),  # the entry with the device's word
    Index("ix_fiscal_tickets_unsigned", "entry_id", sqlite_where=text("state != 'signed'")),
)

open_basket = Table(
    "open_basket",
    metadata,
    Column("slot", Integer, primary_key=True),  # always 0: a till has one basket on its screen
    Column("document", LargeBinary, nullable=False),
)

print_jobs = Table(
    "print_jobs",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("position", Integer, nullable=False, unique=True),
    Column("entry_id", Text, nullable=False),
    Column("copy", Integer, nullable=False),  # 0 is the one original
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sending_id", Text),
    Column("reason", Text, nullable=False),
    UniqueConstraint("entry_id", "copy"),
    Index("print_jobs_by_state", "state"),
)

# What was pulled, row by row, as the server counts it: hashes, and whether the row is from before
# a stream was begun anew.
held_rows = Table(
    "held_rows",
    metadata,
    Column("stream", Text, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("is_stale", Boolean, nullable=False),
    PrimaryKeyConstraint("stream", "row_key"),
    Index("held_rows_stale", "stream", "is_stale"),
    sqlite_with_rowid=False,
)

held_scopes = Table(
    "held_scopes",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("row_count", Integer, nullable=False),
    Column("checksum", Text, nullable=False),
    # What was held was not what the server counts; told with the next pull.
    Column("is_mismatched", Boolean, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

settings = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

exceptions = Table(
    "exceptions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("rule", Text, nullable=False),
    Column("facts", Text, nullable=False),
)

APPEND_ONLY: Final = ("entries", "head_signatures", "postings")
