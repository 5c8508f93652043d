"""Entries as they were written, and what belongs to them."""

from sqlalchemy import BigInteger, Column, Index, String, Table, UniqueConstraint
from sqlalchemy import text as sql

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

epochs = Table(
    "epochs",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    raw("certificate"),
    raw("certificate_signed"),
    required("key_id"),
    # What the entries themselves say; another number than ``epoch`` in a branch.
    big("written_epoch"),
    Column("forked_epoch", BigInteger, nullable=True),
    Column("forked_seq", BigInteger, nullable=True),
    required("created_at"),
    Index("ix_epochs_key", "shard", "key_id"),
)

heads = Table(
    "heads",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    big("next_seq"),
    raw("head_hash"),
)

entries = Table(
    "entries",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    number("seq"),
    # Null where the bytes name no id, or name one that is kept already: then see ``repeats``.
    Column("id", String, nullable=True),
    Column("repeats", String, nullable=True),
    text("kind"),
    text("hlc"),
    text("occurred_at"),
    raw("prev_hash"),
    raw("hash"),
    raw("bytes"),
    required("received_at"),
    big("server_seq"),
    UniqueConstraint("shard", "id", name="uq_entries_id"),
    UniqueConstraint("shard", "server_seq", name="uq_entries_server_seq"),
)

# How a till's papers looked at a time: a few rows of each journal.
_IS_FORM = sql("kind = 'receipt_form_changed'")
Index(
    "ix_entries_receipt_forms",
    *(entries.c.shard, entries.c.journal, entries.c.hlc),
    sqlite_where=_IS_FORM,
    postgresql_where=_IS_FORM,
)

# What members did at partners: a few rows of the server's own journal.
IS_OF_PARTNERS = sql("kind IN ('partner_sold', 'partner_returned')")
Index(
    "ix_entries_of_partners",
    *(entries.c.shard, entries.c.received_at),
    sqlite_where=IS_OF_PARTNERS,
    postgresql_where=IS_OF_PARTNERS,
)

# Entries that neither the server nor the till has any more; what was found is on both sides of it.
holes = Table(
    "holes",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    number("stop_seq"),
    big("first_seq"),
    raw("hash_before"),
    raw("hash_at_end"),
    required("found_at"),
    Column("filled_at", String, nullable=True),
)

head_signatures = Table(
    "head_signatures",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    number("seq"),
    raw("head_hash"),
    required("key_id"),
    raw("signature"),
    required("received_at"),
)

attachments = Table(
    "attachments",
    metadata,
    shard(),
    key("attachment_id"),
    required("entry_id"),
    required("role"),
    raw("salt"),
    raw("content"),
    Index("ix_attachments_entry", "shard", "entry_id"),
)

erased_attachments = Table(
    "erased_attachments",
    metadata,
    shard(),
    key("attachment_id"),
    required("erased_at"),
)

natural_keys = Table(
    "natural_keys",
    metadata,
    shard(),
    key("natural_key"),
    required("entry_id"),
)

quarantine = Table(
    "quarantine",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    number("seq"),
    Column("entry_id", String, nullable=True),
    required("reason"),
    text("detail"),
    required("received_at"),
    Column("resolved_at", String, nullable=True),
    Column("decision", String, nullable=True),
)
