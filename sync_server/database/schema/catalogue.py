"""Goods and programmes."""

from sqlalchemy import Boolean, Column, Table, UniqueConstraint

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

# What articles cost, and until when; ``whole_from`` is when this began to be kept.
goods_prices = Table(
    "goods_prices",
    metadata,
    shard(),
    key("goods_id"),
    number("list_price"),
    text("replaced_at"),
    text("whole_from"),
)

goods = Table(
    "goods",
    metadata,
    shard(),
    key("goods_id"),
    raw("document"),
    raw("search_keys"),  # msgpack of the keys tills find it by
    Column("deleted", Boolean, nullable=False),
    big("change_seq"),
    UniqueConstraint("shard", "change_seq", name="uq_goods_change"),
)

bundles = Table(
    "bundles",
    metadata,
    shard(),
    number("version"),
    required("sha256"),
    raw("document"),
    raw("statement"),
    required("published_at"),
    big("change_seq"),
)
