"""What members are found by at the till: keyed hashes of phone and card, endings of the name."""

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.schema import member_keys, member_search
from shared.protocol.message import MemberRow


def put_keys(connection: Connection, row: MemberRow) -> None:
    """Let a member be found by what its row has."""
    if row.keys:
        connection.execute(
            upsert(member_keys).on_conflict_do_nothing(),
            [{"key": key, "member_id": row.member_id} for key in row.keys],
        )
    words = name_keys(row.name)
    if words:
        connection.execute(
            upsert(member_search).on_conflict_do_nothing(),
            [{"key": key, "member_id": row.member_id} for key in words],
        )


def name_keys(name: str) -> set[str]:
    """Every ending of a name, so that any part of it is a beginning."""
    plain = name.strip().lower()
    return {plain[start:] for start in range(len(plain))}
