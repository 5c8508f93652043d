"""Where it is kept what tills should hold: a number and a checksum for each stream and region."""

import hashlib
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select

from shared.protocol.message import BundleRow, GoodsRow, MemberRow, OperatorRow, Stream
from shared.protocol.replica import Scope
from sync_server.database.schema import scopes
from sync_server.database.transaction import Snapshot, Work
from sync_server.members.regions import EVERYWHERE

_SHAPES = msgspec.json.schema_components((BundleRow, GoodsRow, MemberRow, OperatorRow))
FORMAT: Final = hashlib.sha256(msgspec.json.encode(_SHAPES)).hexdigest()[:16]
"""Of the shape of rows: a release that sends other rows counts them all anew."""
OF_REGIONS: Final = f"{Stream.MEMBERS.value}/"


def name_of(stream: Stream, region: str = EVERYWHERE) -> str:
    """Under which a scope is kept."""
    return f"{stream.value}/{region}" if region != EVERYWHERE else stream.value


def read_scope(snapshot: Snapshot, stream: Stream, region: str = EVERYWHERE) -> Scope:
    """What a till that has read a stream to its end holds of it."""
    row = kept_row(snapshot, name_of(stream, region))
    return Scope(row.row_count, int(row.checksum, 16)) if row else Scope()


def kept_row(snapshot: Snapshot, name: str) -> Row[Any] | None:
    """What is kept of a scope, with its format."""
    return snapshot.connection.execute(
        select(scopes).where(scopes.c.shard == snapshot.shard, scopes.c.stream == name)
    ).first()


def write_scope(work: Work, name: str, scope: Scope, through: int) -> None:
    """Keep a scope, true for a number of the shard's counter."""
    values = {
        "format": FORMAT,
        "through": through,
        "row_count": scope.rows,
        "checksum": scope.checksum,
    }
    statement = work.upsert(scopes).values(shard=work.shard, stream=name, **values)
    work.connection.execute(
        statement.on_conflict_do_update(index_elements=list(scopes.primary_key), set_=values)
    )
