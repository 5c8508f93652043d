"""Copies that were read back, how far each epoch is in one elsewhere, and what nobody has."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables; no row is a server that was never copied."""
    for floor in ("bundle_floor", "epoch_floor"):
        op.add_column(
            "shards", sa.Column(floor, sa.BigInteger(), nullable=False, server_default="0")
        )
    op.create_table(
        "copies",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("copy_id", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("off_machine", sa.Boolean(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.Column("verified_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "copy_id"),
    )
    op.create_table(
        "durable",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch"),
    )
    op.create_table(
        "holes",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stop_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("hash_before", sa.LargeBinary(), nullable=False),
        sa.Column("hash_at_end", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", sa.String(), nullable=False),
        sa.Column("filled_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch", "stop_seq"),
    )
    op.create_table(
        "scopes",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "stream"),
    )
    op.create_table(
        "scope_rows",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("row_key", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "stream", "row_key"),
    )
    op.add_column("quarantine", sa.Column("decision", sa.String(), nullable=True))
    op.create_table(
        "revoked_keys",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("till_id", sa.String(), nullable=False),
        sa.Column("revoked_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "key_id"),
    )
