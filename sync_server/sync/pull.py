"""Pull: pages of changed rows, each read in one snapshot and true for a stated moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, Table, select

from shared.errors import ProtocolError
from shared.journal.certificate import Certificate
from shared.journal.keys import Signed
from shared.protocol.cursor import Cursor, checksum, decode_cursor, encode_cursor
from shared.protocol.message import (
    PAGE_ROWS_MAX,
    BundleRow,
    GoodsRow,
    OperatorRow,
    PullReply,
    PullRequest,
    Stream,
)
from shared.protocol.message import Row as WireRow
from sync_server.database import schema
from sync_server.database.transaction import Database, Snapshot
from sync_server.members.rows import as_spoken, read_member_rows

_TABLES: dict[Stream, Table] = {
    Stream.CATALOGUE: schema.goods,
    Stream.PROGRAMME: schema.bundles,
    Stream.OPERATORS: schema.operators,
    Stream.MEMBERS: schema.members,
}


@dataclass(frozen=True, slots=True)
class Pull:
    """Answers pulls."""

    database: Database

    def page(self, caller: Certificate, request: PullRequest) -> PullReply:
        """The next page of a stream.

        Raises ProtocolError ``bad-cursor``, ``bad-message``, ``resync-required``.
        """
        if not 1 <= request.limit <= PAGE_ROWS_MAX:
            raise ProtocolError("bad-message", reason="limit")
        cursor = decode_cursor(request.cursor) if request.cursor is not None else None
        if cursor is not None and cursor.stream != request.stream:
            raise ProtocolError("bad-cursor")
        with self.database.reading() as snapshot:
            return _read_page(snapshot, caller, request, cursor)


def _read_page(
    snapshot: Snapshot, caller: Certificate, request: PullRequest, cursor: Cursor | None
) -> PullReply:
    shard = snapshot.connection.execute(
        select(schema.shards).where(schema.shards.c.shard == snapshot.shard)
    ).one()
    if cursor is not None and (
        cursor.generation != shard.generation or cursor.server_seq > shard.server_seq
    ):
        raise ProtocolError("resync-required", stream=request.stream.value)
    after = cursor.server_seq if cursor else 0
    found = _changed(snapshot, _TABLES[request.stream], after, request.limit + 1)
    page, is_last = found[: request.limit], len(found) <= request.limit
    rows = [msgspec.msgpack.encode(row) for row in _wire_rows(snapshot, request, page)]
    reached = shard.server_seq if is_last else page[-1].change_seq
    return PullReply(
        rows=tuple(msgspec.Raw(row) for row in rows),
        cursor=encode_cursor(Cursor(request.stream, shard.generation, reached)),
        generation=shard.generation,
        server_seq=shard.server_seq,
        applied_through=_applied_through(snapshot, caller),
        checksum=checksum(rows),
        is_last=is_last,
    )


def _changed(snapshot: Snapshot, table: Table, after: int, limit: int) -> Sequence[Row[Any]]:
    statement = (
        select(table)
        .where(table.c.shard == snapshot.shard, table.c.change_seq > after)
        .order_by(table.c.change_seq)
        .limit(limit)
    )
    return snapshot.connection.execute(statement).all()


def _applied_through(snapshot: Snapshot, caller: Certificate) -> int:
    columns = schema.heads.c
    statement = select(columns.next_seq).where(
        columns.shard == snapshot.shard,
        columns.journal == caller.journal,
        columns.epoch == caller.epoch,
    )
    return int(snapshot.connection.execute(statement).scalar_one())


def _wire_rows(
    snapshot: Snapshot, request: PullRequest, rows: Sequence[Row[Any]]
) -> Sequence[WireRow]:
    match request.stream:
        case Stream.MEMBERS:
            return as_spoken(read_member_rows(snapshot, rows), request.protocol)
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
