"""Profiles that are changed in many places, consents, and who else has a phone or card."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables, and fill them from the enrolments and keys that are here."""
    op.add_column("members", sa.Column("language", sa.String(), nullable=False, server_default=""))
    op.add_column(
        "members", sa.Column("changed_hlc", sa.String(), nullable=False, server_default="")
    )
    op.create_table(
        "profile_facts",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("hlc", sa.String(), nullable=False),
        sa.Column("is_enrolment", sa.Boolean(), nullable=False),
        sa.Column("is_suspect", sa.Boolean(), nullable=False),
        sa.Column("attachment_id", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "entry_id"),
    )
    op.create_table(
        "consents",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("consent", sa.String(), nullable=False),
        sa.Column("is_granted", sa.Boolean(), nullable=False),
        sa.Column("seen", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("shard", "member_id", "entry_id", "consent"),
    )
    op.create_table(
        "key_claims",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("claim_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "key_hash", "member_id"),
    )
    op.create_index("ix_key_claims_member", "key_claims", ["shard", "member_id"])
    op.execute(
        "INSERT INTO profile_facts"
        " (shard, member_id, entry_id, hlc, is_enrolment, is_suspect, attachment_id)"
        " SELECT members.shard, members.member_id, entries.id, entries.hlc, TRUE, FALSE,"
        " COALESCE((SELECT MIN(attachments.attachment_id) FROM attachments"
        " WHERE attachments.shard = members.shard AND attachments.entry_id = entries.id"
        " AND attachments.role = 'profile'), '')"
        " FROM members JOIN entries"
        " ON entries.shard = members.shard AND entries.id = members.enrolled_by"
        " WHERE NOT members.gone"
    )
    op.execute(
        "UPDATE members SET changed_hlc = COALESCE((SELECT profile_facts.hlc FROM profile_facts"
        " WHERE profile_facts.shard = members.shard"
        " AND profile_facts.member_id = members.member_id), '')"
    )
    op.execute(
        "INSERT INTO key_claims (shard, key_hash, member_id, claim_seq)"
        " SELECT shard, key_hash, member_id, 0 FROM member_keys"
    )
    _claims_of_aliases()


def _claims_of_aliases() -> None:
    """What an alias had is its own claim, though the other has the key now."""
    connection = op.get_bind()
    merges = connection.execute(
        sa.text("SELECT shard, from_member, into_member, key_hashes FROM merges")
    ).all()
    statement = sa.text(
        "INSERT INTO key_claims (shard, key_hash, member_id, claim_seq)"
        " VALUES (:shard, :key, :member, 0) ON CONFLICT DO NOTHING"
    )
    for merge in merges:
        for key in merge.key_hashes.split():
            row = {"shard": merge.shard, "key": key, "member": merge.from_member}
            connection.execute(statement, row)
