"""Leases, what was spent by them, and gift cards."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

APPEND_ONLY = ("lease_spends", "gift_cards")


def upgrade() -> None:
    """Make the tables; no release before this one granted a lease or sold a card."""
    op.create_table(
        "leases",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lease_id", sa.String(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("lease_class", sa.String(), nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("till_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), server_default="", nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("per_member", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("last_at", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("granted_by", sa.String(), nullable=False),
        sa.Column("called_back_at", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "lease_id"),
    )
    op.create_index("ix_leases_owner", "leases", ["shard", "account", "owner"])
    op.create_index("ix_leases_journal", "leases", ["shard", "journal", "state"])
    op.create_table(
        "lease_spends",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), server_default="", nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "entry_id", "position"),
    )
    op.create_index("ix_lease_spends_lease", "lease_spends", ["shard", "lease_id", "member_id"])
    op.create_table(
        "gift_cards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("card_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("last_day", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "card_id", "entry_id"),
    )
    op.create_table(
        "lease_presentations",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("generation", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "generation"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table in APPEND_ONLY:
        for statement in _guard_sqlite(table) if is_sqlite else _guard_postgresql(table):
            op.execute(statement)


def _guard_sqlite(table: str) -> list[str]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return [
        f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} {refuse}"
        for action in ("UPDATE", "DELETE")
    ]


def _guard_postgresql(table: str) -> list[str]:
    when = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
    what = "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    return [f"CREATE TRIGGER {table}_append_only {when} {what}"]
