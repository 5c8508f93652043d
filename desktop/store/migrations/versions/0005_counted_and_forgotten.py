"""Old entries may go once they are safe elsewhere; what was pulled is counted as it is held."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Only additions; the guard of entries lets those go that the epoch's row has given up."""
    op.add_column(
        "epochs", sa.Column("oldest_seq", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("epochs", sa.Column("forgotten_hash", sa.LargeBinary(), nullable=True))
    op.add_column("epochs", sa.Column("server_seq", sa.Integer(), nullable=True))
    op.create_table(
        "forgotten",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("epoch", "seq"),
    )
    op.execute("DROP TRIGGER entries_no_delete")
    op.execute(
        "CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries WHEN NOT EXISTS ("
        "SELECT 1 FROM epochs WHERE journal = OLD.journal AND epoch = OLD.epoch"
        " AND OLD.seq < oldest_seq) "
        "BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END"
    )
    op.execute(
        "CREATE TRIGGER epochs_keep_entries BEFORE UPDATE OF oldest_seq ON epochs "
        "WHEN NEW.oldest_seq < OLD.oldest_seq OR (NEW.oldest_seq > OLD.oldest_seq"
        " AND NEW.oldest_seq > min(OLD.durable_seq, OLD.acknowledged_seq)) "
        "BEGIN SELECT RAISE(ABORT, 'entries are not safe elsewhere'); END"
    )
    op.create_table(
        "held_rows",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("is_stale", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "row_key"),
        sqlite_with_rowid=False,
    )
    op.create_index("held_rows_stale", "held_rows", ["stream", "is_stale"])
    op.create_table(
        "held_scopes",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("is_mismatched", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("stream"),
    )
    # What earlier releases pulled is not counted: everything is read once more, over what is here.
    op.execute("DELETE FROM cursors")
