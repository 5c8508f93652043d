"""Keys that change, of the server and of tills, and what tills are told to do."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables; the first keys are where they were."""
    op.create_table(
        "key_statements",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "number"),
    )
    op.create_table(
        "replaced_keys",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("replaced_by", sa.String(), nullable=False),
        sa.Column("replaced_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "key_id"),
    )
    op.create_table(
        "till_commands",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("till_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), server_default="", nullable=False),
        sa.Column("state_at", sa.String(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "command_id"),
    )
    op.create_index("ix_till_commands_till", "till_commands", ["shard", "till_id"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _guard_sqlite() if is_sqlite else _guard_postgresql():
        op.execute(statement)


def _guard_sqlite() -> list[str]:
    refuse = "ON key_statements BEGIN SELECT RAISE(ABORT, 'key_statements is append-only'); END"
    return [
        f"CREATE TRIGGER key_statements_no_{action.lower()} BEFORE {action} {refuse}"
        for action in ("UPDATE", "DELETE")
    ]


def _guard_postgresql() -> list[str]:
    when = "BEFORE UPDATE OR DELETE OR TRUNCATE ON key_statements"
    what = "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    return [f"CREATE TRIGGER key_statements_append_only {when} {what}"]
