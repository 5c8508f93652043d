"""Pulling: pages of each stream, checked, applied in short slices, the cursor with the last one."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from desktop.store.bundles import newest_version, put_bundle
from desktop.store.catalogue import apply_goods
from desktop.store.journal import current_epoch
from desktop.store.members import apply_members
from desktop.store.operators import apply_operators
from desktop.store.settings import read_cursor, write_cursor
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import ServerConnection
from shared.clock import Clock
from shared.errors import ProtocolError
from shared.journal.entry import format_occurred_at
from shared.journal.keys import PublicKey
from shared.loyalty.bundle import load_bundle
from shared.protocol.cursor import checksum
from shared.protocol.message import (
    PROTOCOL,
    BundleRow,
    GoodsRow,
    MemberRow,
    OperatorRow,
    PullReply,
    PullRequest,
    Stream,
)
from shared.trade.fact import BundleRef

SLICE_ROWS = 20
"""Rows per transaction, so that a waiting sale is at most some 10 ms away from the writer."""

Row = TypeVar("Row")


class Puller:
    """Brings one till up to date with the server."""

    def __init__(
        self, *, writer: Writer, reading: Engine, server_key: PublicKey, clock: Clock
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._server_key = server_key
        self._clock = clock

    def pull(self, server: ServerConnection, stream: Stream) -> int:
        """Apply every page of a stream that is new; returns how many rows came.

        Raises ProtocolError ``bad-page`` for a page whose checksum is wrong, and
        ``programme-rollback`` for a programme older than the one in force.
        """
        total = 0
        while True:
            with self._reading.connect() as connection:
                cursor = read_cursor(connection, stream)
                epoch = current_epoch(connection)
            page = server.pull(
                PullRequest(
                    protocol=PROTOCOL,
                    stream=stream,
                    cursor=cursor,
                    unsent=epoch.unsent if epoch else 0,
                )
            )
            if checksum(bytes(row) for row in page.rows) != page.checksum:
                raise ProtocolError("bad-page", stream=stream.value)
            self._apply(stream, page)
            total += len(page.rows)
            if page.is_last:
                return total

    def _apply(self, stream: Stream, page: PullReply) -> None:
        apply = self._applier(stream, page)
        rows = page.rows
        for start in range(0, max(len(rows), 1), SLICE_ROWS):
            part = rows[start : start + SLICE_ROWS]
            cursor = page.cursor if start + SLICE_ROWS >= len(rows) else None
            try:
                self._writer.run(_slice(apply, part, stream, cursor), Urgency.BACKGROUND)
            except msgspec.MsgspecError as error:
                # A document inside a row, of a shape that only a later release knows.
                raise ProtocolError("bad-page", stream=stream.value) from error

    def _applier(
        self, stream: Stream, page: PullReply
    ) -> Callable[[Connection, Sequence[msgspec.Raw]], None]:
        match stream:
            case Stream.CATALOGUE:
                return lambda connection, rows: apply_goods(connection, _read(rows, GoodsRow))
            case Stream.OPERATORS:
                return lambda connection, rows: apply_operators(
                    connection, _read(rows, OperatorRow)
                )
            case Stream.PROGRAMME:
                return self._put_bundles
            case Stream.MEMBERS:
                return lambda connection, rows: self._put_members(connection, rows, page)

    def _put_bundles(self, connection: Connection, rows: Sequence[msgspec.Raw]) -> None:
        for row in _read(rows, BundleRow):
            payload = row.statement.verify(self._server_key, purpose="bundle", audience="all")
            ref = msgspec.json.decode(payload, type=BundleRef)
            if ref.version < newest_version(connection):
                raise ProtocolError("programme-rollback", version=ref.version)
            load_bundle(row.document, ref)
            put_bundle(connection, ref, row.document)

    def _put_members(
        self, connection: Connection, rows: Sequence[msgspec.Raw], page: PullReply
    ) -> None:
        members = _read(rows, MemberRow)
        epoch = current_epoch(connection)
        assert epoch is not None
        apply_members(
            connection,
            members,
            epoch=epoch.head.epoch,
            applied_through=page.applied_through,
            as_of=format_occurred_at(self._clock.now()),
        )
        if any(row.gone for row in members):
            # What was erased must not stay readable anywhere in the files.
            self._writer.scrub()


def _slice(
    apply: Callable[[Connection, Sequence[msgspec.Raw]], None],
    rows: Sequence[msgspec.Raw],
    stream: Stream,
    cursor: str | None,
) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        apply(transaction.connection, rows)
        if cursor is not None:
            write_cursor(transaction.connection, stream, cursor)

    return work


def _read(rows: Sequence[msgspec.Raw], kind: type[Row]) -> list[Row]:
    try:
        return [msgspec.msgpack.decode(row, type=kind) for row in rows]
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-page", stream=kind.__name__) from error
