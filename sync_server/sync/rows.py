"""Rows of each stream as tills get them."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Row, Table, select

from shared.journal.keys import Signed
from shared.protocol.message import BundleRow, GoodsRow, OperatorRow, Stream
from shared.protocol.message import Row as WireRow
from sync_server.database import schema
from sync_server.database.transaction import Snapshot
from sync_server.members.rows import read_member_rows

TABLES: Final[dict[Stream, Table]] = {
    Stream.CATALOGUE: schema.goods,
    Stream.PROGRAMME: schema.bundles,
    Stream.OPERATORS: schema.operators,
    Stream.MEMBERS: schema.members,
}


def read_shard(snapshot: Snapshot) -> Row[Any]:
    """The state of the server that a snapshot shows: its life, and how far it has counted."""
    statement = select(schema.shards).where(schema.shards.c.shard == snapshot.shard)
    return snapshot.connection.execute(statement).one()


def wire_rows(snapshot: Snapshot, stream: Stream, rows: Sequence[Row[Any]]) -> Sequence[WireRow]:
    """Rows of a stream's table as its messages, in the same order."""
    match stream:
        case Stream.MEMBERS:
            return read_member_rows(snapshot, rows)
        case Stream.CATALOGUE:
            return [_goods_row(row) for row in rows]
        case Stream.PROGRAMME:
            return [_bundle_row(row) for row in rows]
        case Stream.OPERATORS:
            return [_operator_row(row) for row in rows]


def _goods_row(row: Row[Any]) -> GoodsRow:
    return GoodsRow(
        goods_id=row.goods_id,
        document=row.document,
        search_keys=msgspec.msgpack.decode(row.search_keys, type=tuple[str, ...]),
        deleted=row.deleted,
    )


def _bundle_row(row: Row[Any]) -> BundleRow:
    statement = msgspec.msgpack.decode(row.statement, type=Signed)
    return BundleRow(document=row.document, statement=statement)


def _operator_row(row: Row[Any]) -> OperatorRow:
    return OperatorRow(
        operator_id=row.operator_id,
        name=row.name,
        role=row.role,
        pin_hash=row.pin_hash,
        card_hash=row.card_hash,
        active=row.active,
    )
