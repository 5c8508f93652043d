"""What is about the server as a whole: its counter, keys, jobs, copies, who signs in."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table

from sync_server.database.schema.columns import big, key, metadata, number, raw, required, shard

# The writer's counter: entries and changed rows are numbered from it in commit order.
shards = Table(
    "shards",
    metadata,
    shard(),
    required("generation"),
    big("server_seq"),
    required("own_journal"),
    required("created_at"),
    # What lies below may have been given before a restore, though this database does not know.
    Column("bundle_floor", BigInteger, nullable=False, server_default="0"),
    Column("epoch_floor", BigInteger, nullable=False, server_default="0"),
)

server_keys = Table(
    "server_keys",
    metadata,
    shard(),
    key("key_id"),
    required("purpose"),
    required("public_key"),
    Column("certified", LargeBinary, nullable=True),
    required("created_at"),
)

# What was said about the keys since the first: by whom tills are to believe what is signed.
key_statements = Table(
    "key_statements",
    metadata,
    shard(),
    number("number"),
    raw("statement"),
    required("made_at"),
)

# How far jobs that follow the shard's counter have come.
jobs = Table(
    "jobs",
    metadata,
    shard(),
    key("job"),
    big("server_seq"),
    big("judged"),
    big("unjudged"),
)

# Copies of this database that were read back and found whole.
copies = Table(
    "copies",
    metadata,
    shard(),
    key("copy_id"),
    required("target"),
    Column("off_machine", Boolean, nullable=False),
    big("server_seq"),
    big("bytes"),
    required("sha256"),
    required("made_at"),
    required("verified_at"),
)

# How far each epoch is in the newest copy on another device.
durable = Table(
    "durable",
    metadata,
    shard(),
    key("journal"),
    number("epoch"),
    big("next_seq"),
)

users = Table(
    "users",
    metadata,
    shard(),
    key("login"),
    required("password_hash"),
    required("session_epoch"),
    required("created_at"),
)

attempts = Table(
    "attempts",
    metadata,
    shard(),
    key("subject"),
    required("window_ends_at"),
    Column("tries", Integer, nullable=False),
)
