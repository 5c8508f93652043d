"""What tills should hold."""

from sqlalchemy import Table

from sync_server.database.schema.columns import big, key, metadata, required, shard

# What tills should hold of each stream, kept in the transaction that changes its rows.
scopes = Table(
    "scopes",
    metadata,
    shard(),
    key("stream"),
    required("format"),
    big("through"),
    big("row_count"),
    required("checksum"),
)

scope_rows = Table(
    "scope_rows",
    metadata,
    shard(),
    key("stream"),
    key("row_key"),
    required("hash"),
)
