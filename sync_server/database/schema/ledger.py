"""What follows from entries: postings, balances, tickets, exceptions."""

from sqlalchemy import Column, Index, String, Table, UniqueConstraint
from sqlalchemy import text as _sql

from sync_server.database.schema.columns import big, key, metadata, number, required, shard, text

postings = Table(
    "postings",
    metadata,
    shard(),
    key("entry_id"),
    number("position"),
    required("account"),
    required("owner"),
    text("lot"),
    required("unit"),
    big("amount"),
    Index("ix_postings_account", "shard", "account", "owner", "lot"),
)

balances = Table(
    "balances",
    metadata,
    shard(),
    key("account"),
    key("owner"),
    key("lot"),
    key("unit"),
    big("amount"),
    Index("ix_balances_owner", "shard", "owner"),
)

lots = Table(
    "lots",
    metadata,
    shard(),
    key("lot"),
    required("member_id"),
    required("earned_on"),
    Column("expires_on", String, nullable=True),
)

tickets = Table(
    "tickets",
    metadata,
    shard(),
    key("entry_id"),
    required("receipt_no"),
    Column("original", String, nullable=True),
    Column("member_id", String, nullable=True),
    Index("ix_tickets_receipt", "shard", "receipt_no"),
    Index("ix_tickets_original", "shard", "original"),
)

returned_lines = Table(
    "returned_lines",
    metadata,
    shard(),
    key("entry_id"),
    number("line"),
    required("original"),
    big("of_line"),
    big("quantity"),
    Index("ix_returned_lines_original", "shard", "original"),
)

# Which fact of a kind an approval stands in; it is good for one.
# By the till's own words: ``waiting``, ``failed`` or, for good, ``signed``.
fiscal_tickets = Table(
    "fiscal_tickets",
    metadata,
    shard(),
    key("journal"),
    key("entry_id"),
    required("state"),
    text("failure"),
    Index(
        "ix_fiscal_tickets_unsigned",
        "shard",
        "journal",
        sqlite_where=_sql("state <> 'signed'"),
        postgresql_where=_sql("state <> 'signed'"),
    ),
)

approvals = Table(
    "approvals",
    metadata,
    shard(),
    key("approval_id"),
    key("kind"),
    required("entry_id"),
)

exceptions = Table(
    "exceptions",
    metadata,
    shard(),
    key("entry_id"),
    required("natural_key"),
    required("rule"),
    Column("member_id", String, nullable=True),
    required("raised_at"),
    UniqueConstraint("shard", "natural_key", name="uq_exceptions_natural_key"),
)

exception_facts = Table(
    "exception_facts",
    metadata,
    shard(),
    key("entry_id"),
    key("fact_id"),
    Index("ix_exception_facts_fact", "shard", "fact_id"),
)

# How often offers were used, by the sales that the audit has looked at.
offer_uses = Table(
    "offer_uses",
    metadata,
    shard(),
    key("offer_id"),
    key("member_id"),
    key("store_id"),
    key("day"),
    big("uses"),
)

# Two sales of one card are one card: both say until when it pays.
gift_cards = Table(
    "gift_cards",
    metadata,
    shard(),
    key("card_id"),
    key("entry_id"),
    Column("last_day", String, nullable=True),
)
