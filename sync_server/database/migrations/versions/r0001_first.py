"""The first schema: everything that is only ever added to has its final shape from here."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY = (
    "server_keys",
    "epochs",
    "entries",
    "head_signatures",
    "erased_attachments",
    "postings",
    "lots",
    "tickets",
    "returned_lines",
    "natural_keys",
    "exceptions",
    "exception_facts",
)


def upgrade() -> None:
    """Make the tables and guard those that are append-only."""
    _make_attachments()
    _make_attempts()
    _make_balances()
    _make_bundles()
    _make_enrolment_codes()
    _make_entries()
    _make_epochs()
    _make_erased_attachments()
    _make_exception_facts()
    _make_exceptions()
    _make_goods()
    _make_head_signatures()
    _make_heads()
    _make_lots()
    _make_member_entries()
    _make_member_keys()
    _make_members()
    _make_natural_keys()
    _make_operators()
    _make_postings()
    _make_quarantine()
    _make_returned_lines()
    _make_server_keys()
    _make_shards()
    _make_stores()
    _make_tickets()
    _make_tills()
    _make_users()
    guard = _guard_sqlite if op.get_bind().dialect.name == "sqlite" else _guard_postgresql
    guard()


def _guard_sqlite() -> None:
    for table in APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _guard_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _make_attachments() -> None:
    op.create_table(
        "attachments",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attachment_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "attachment_id"),
    )
    op.create_index("ix_attachments_entry", "attachments", ["shard", "entry_id"], unique=False)


def _make_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("window_ends_at", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "subject"),
    )


def _make_balances() -> None:
    op.create_table(
        "balances",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "account", "owner", "lot", "unit"),
    )
    op.create_index("ix_balances_owner", "balances", ["shard", "owner"], unique=False)


def _make_bundles() -> None:
    op.create_table(
        "bundles",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", sa.String(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "version"),
    )


def _make_enrolment_codes() -> None:
    op.create_table(
        "enrolment_codes",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("selector", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(), nullable=False),
        sa.Column("till_id", sa.String(), nullable=False),
        sa.Column("expires_at", sa.String(), nullable=False),
        sa.Column("attempts_left", sa.Integer(), nullable=False),
        sa.Column("used_by", sa.String(), nullable=True),
        sa.Column("used_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "selector"),
    )


def _make_entries() -> None:
    op.create_table(
        "entries",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(), nullable=True),
        sa.Column("repeats", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), server_default="", nullable=False),
        sa.Column("hlc", sa.String(), server_default="", nullable=False),
        sa.Column("occurred_at", sa.String(), server_default="", nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch", "seq"),
        sa.UniqueConstraint("shard", "id", name="uq_entries_id"),
        sa.UniqueConstraint("shard", "server_seq", name="uq_entries_server_seq"),
    )


def _make_epochs() -> None:
    op.create_table(
        "epochs",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_signed", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("written_epoch", sa.BigInteger(), nullable=False),
        sa.Column("forked_epoch", sa.BigInteger(), nullable=True),
        sa.Column("forked_seq", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch"),
    )
    op.create_index("ix_epochs_key", "epochs", ["shard", "key_id"], unique=False)


def _make_erased_attachments() -> None:
    op.create_table(
        "erased_attachments",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("attachment_id", sa.String(), nullable=False),
        sa.Column("erased_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "attachment_id"),
    )


def _make_exception_facts() -> None:
    op.create_table(
        "exception_facts",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("fact_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "entry_id", "fact_id"),
    )
    op.create_index(
        "ix_exception_facts_fact", "exception_facts", ["shard", "fact_id"], unique=False
    )


def _make_exceptions() -> None:
    op.create_table(
        "exceptions",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("natural_key", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.Column("raised_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "entry_id"),
        sa.UniqueConstraint("shard", "natural_key", name="uq_exceptions_natural_key"),
    )


def _make_goods() -> None:
    op.create_table(
        "goods",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("goods_id", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("search_keys", sa.LargeBinary(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "goods_id"),
        sa.UniqueConstraint("shard", "change_seq", name="uq_goods_change"),
    )


def _make_head_signatures() -> None:
    op.create_table(
        "head_signatures",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch", "seq"),
    )


def _make_heads() -> None:
    op.create_table(
        "heads",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("next_seq", sa.BigInteger(), nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch"),
    )


def _make_lots() -> None:
    op.create_table(
        "lots",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("earned_on", sa.String(), nullable=False),
        sa.Column("expires_on", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "lot"),
    )


def _make_member_entries() -> None:
    op.create_table(
        "member_entries",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "entry_id"),
    )


def _make_member_keys() -> None:
    op.create_table(
        "member_keys",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "key_hash"),
    )
    op.create_index("ix_member_keys_member", "member_keys", ["shard", "member_id"], unique=False)


def _make_members() -> None:
    op.create_table(
        "members",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("phone", sa.String(), server_default="", nullable=False),
        sa.Column("card", sa.String(), server_default="", nullable=False),
        sa.Column("birthday", sa.String(), server_default="", nullable=False),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("tier", sa.String(), server_default="", nullable=False),
        sa.Column("tier_hlc", sa.String(), server_default="", nullable=False),
        sa.Column("store_id", sa.String(), nullable=True),
        sa.Column("enrolled_at", sa.String(), nullable=True),
        sa.Column("enrolled_by", sa.String(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id"),
        sa.UniqueConstraint("shard", "change_seq", name="uq_members_change"),
    )


def _make_natural_keys() -> None:
    op.create_table(
        "natural_keys",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("natural_key", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "natural_key"),
    )


def _make_operators() -> None:
    op.create_table(
        "operators",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("operator_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("pin_hash", sa.String(), nullable=False),
        sa.Column("card_hash", sa.String(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "operator_id"),
        sa.UniqueConstraint("shard", "change_seq", name="uq_operators_change"),
    )


def _make_postings() -> None:
    op.create_table(
        "postings",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), server_default="", nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "entry_id", "position"),
    )
    op.create_index(
        "ix_postings_account", "postings", ["shard", "account", "owner", "lot"], unique=False
    )


def _make_quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), server_default="", nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.Column("resolved_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "journal", "epoch", "seq"),
    )


def _make_returned_lines() -> None:
    op.create_table(
        "returned_lines",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("line", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("original", sa.String(), nullable=False),
        sa.Column("of_line", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "entry_id", "line"),
    )
    op.create_index(
        "ix_returned_lines_original", "returned_lines", ["shard", "original"], unique=False
    )


def _make_server_keys() -> None:
    op.create_table(
        "server_keys",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("certified", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "key_id"),
    )


def _make_shards() -> None:
    op.create_table(
        "shards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.String(), nullable=False),
        sa.Column("server_seq", sa.BigInteger(), nullable=False),
        sa.Column("own_journal", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )


def _make_stores() -> None:
    op.create_table(
        "stores",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "store_id"),
        sa.UniqueConstraint("shard", "name", name="uq_stores_name"),
    )


def _make_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("receipt_no", sa.String(), nullable=False),
        sa.Column("original", sa.String(), nullable=True),
        sa.Column("member_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "entry_id"),
    )
    op.create_index("ix_tickets_original", "tickets", ["shard", "original"], unique=False)
    op.create_index("ix_tickets_receipt", "tickets", ["shard", "receipt_no"], unique=False)


def _make_tills() -> None:
    op.create_table(
        "tills",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("till_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("journal", sa.String(), nullable=True),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("last_contact_at", sa.String(), nullable=True),
        sa.Column("unsent_told", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "till_id"),
        sa.UniqueConstraint("shard", "number", name="uq_tills_number"),
        sa.UniqueConstraint("shard", "store_id", "name", name="uq_tills_name"),
    )


def _make_users() -> None:
    op.create_table(
        "users",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("session_epoch", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "login"),
    )
