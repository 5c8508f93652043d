"""Where approvals stand, how often members bought from an operator, and what goods have cost."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables; what came before this release is not known, save today's prices."""
    op.create_table(
        "approvals",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("approval_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "approval_id", "kind"),
    )
    op.create_table(
        "member_days",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "operator_id", "day"),
    )
    op.create_table(
        "goods_prices",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("goods_id", sa.String(), nullable=False),
        sa.Column("list_price", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("replaced_at", sa.String(), server_default="", nullable=False),
        sa.Column("whole_from", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("shard", "goods_id", "list_price"),
    )
    _prices_of_today()


def _prices_of_today() -> None:
    connection = op.get_bind()
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    rows = connection.execute(sa.text("SELECT shard, goods_id, document FROM goods")).all()
    statement = sa.text(
        "INSERT INTO goods_prices (shard, goods_id, list_price, whole_from)"
        " VALUES (:shard, :goods, :price, :now)"
    )
    for row in rows:
        price = json.loads(bytes(row.document))["list_price_minor"]
        told = {"shard": row.shard, "goods": row.goods_id, "price": price, "now": now}
        connection.execute(statement, told)
