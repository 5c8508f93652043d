"""The rows of one page: decoded once, counted, taken over in short slices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from desktop.store.bundles import bundle_hash, newest_version, prove_bundle, put_bundle
from desktop.store.catalogue import apply_goods
from desktop.store.journal import applied_through, current_epoch
from desktop.store.member_pages import apply_members
from desktop.store.operators import apply_operators
from desktop.store.replica import Hashed, hold, is_stale
from desktop.store.settings import write_cursor, write_held_scope
from desktop.store.writer import Transaction, Writer
from desktop.sync.server_keys import ServerTrust
from shared.clock import Clock
from shared.errors import ProtocolError
from shared.journal.entry import format_occurred_at
from shared.journal.keys import KeyId, PublicKey
from shared.loyalty.bundle import load_bundle
from shared.protocol.message import (
    BundleRow,
    GoodsRow,
    MemberRow,
    OperatorRow,
    PullReply,
    Stream,
)
from shared.protocol.message import Row as WireRow
from shared.protocol.replica import is_tombstone, row_hash, row_key
from shared.trade.fact import BundleRef

Row = TypeVar("Row", bound=WireRow)
Slice = Callable[[Transaction], None]
_Apply = Callable[[Connection, slice], None]


@dataclass(frozen=True, slots=True)
class PageRows:
    """What becomes of the rows of pages at one till."""

    writer: Writer
    trust: ServerTrust
    clock: Clock

    def slices(self, stream: Stream, page: PullReply, *, size: int) -> list[Slice]:
        """Pieces of work for the writer that take a page over; the last one moves the cursor.

        Raises ProtocolError ``bad-page`` for rows that are none of the stream; a slice raises it
        for a document inside a row, of a shape that only a later release knows, and
        ``programme-rollback``.
        """
        rows, apply = self._decoded(stream, page)
        hashed: list[Hashed] = [
            (row_key(row), None if is_tombstone(row) else row_hash(bytes(encoded)))
            for row, encoded in zip(rows, page.rows, strict=True)
        ]
        starts = range(0, max(len(rows), 1), size)
        taken = _Taken(stream, page, hashed, apply)
        return [
            partial(
                taken.take_over,
                slice(start, start + size),
                page.cursor if start == starts[-1] else None,
            )
            for start in starts
        ]

    def _decoded(self, stream: Stream, page: PullReply) -> tuple[Sequence[WireRow], _Apply]:
        match stream:
            case Stream.CATALOGUE:
                goods = _read(page.rows, GoodsRow)
                return goods, lambda connection, part: apply_goods(connection, goods[part])
            case Stream.OPERATORS:
                known = _read(page.rows, OperatorRow)
                return known, lambda connection, part: apply_operators(connection, known[part])
            case Stream.PROGRAMME:
                # Asked for here: what signed it may have to be fetched, and the writer waits for
                # nobody.
                bundles = _read(page.rows, BundleRow)
                keys = {one.statement.key_id: self.trust.key_for(one.statement) for one in bundles}
                return bundles, lambda connection, part: _put_bundles(
                    connection, bundles[part], keys
                )
            case Stream.MEMBERS:
                members = _read(page.rows, MemberRow)
                return members, lambda connection, part: self._put_members(
                    connection, members[part], page
                )

    def _put_members(
        self, connection: Connection, rows: Sequence[MemberRow], page: PullReply
    ) -> None:
        epoch = current_epoch(connection)
        assert epoch is not None
        apply_members(
            connection,
            rows,
            epoch=epoch.head.epoch,
            applied_through=applied_through(connection, epoch, page.heads),
            as_of=format_occurred_at(self.clock.now()),
        )
        if any(row.gone and not row.left for row in rows):
            # What was erased must not stay readable anywhere in the files.
            self.writer.scrub()


@dataclass(frozen=True, slots=True)
class _Taken:
    """A page as its slices see it."""

    stream: Stream
    page: PullReply
    hashed: Sequence[Hashed]
    apply: _Apply

    def take_over(self, part: slice, cursor: str | None, transaction: Transaction) -> None:
        """Apply and count some rows, and move the cursor with the last of them."""
        connection = transaction.connection
        try:
            self.apply(connection, part)
        except msgspec.MsgspecError as error:
            raise ProtocolError("bad-page", stream=self.stream.value) from error
        hold(connection, self.stream, self.hashed[part])
        if cursor is not None:
            write_cursor(connection, self.stream, cursor)
            if self.stream is Stream.MEMBERS:
                write_held_scope(connection, self.page.scope)


def _read(rows: Sequence[msgspec.Raw], kind: type[Row]) -> list[Row]:
    decode = msgspec.msgpack.Decoder(kind).decode
    try:
        return [decode(row) for row in rows]
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-page", stream=kind.__name__) from error


def _put_bundles(
    connection: Connection, rows: Sequence[BundleRow], keys: Mapping[KeyId, PublicKey]
) -> None:
    for row in rows:
        payload = row.statement.verify(keys[row.statement.key_id], purpose="bundle", audience="all")
        ref = msgspec.json.decode(payload, type=BundleRef)
        known = bundle_hash(connection, ref.version)
        if known == ref.sha256:
            prove_bundle(connection, ref, row.statement)
            continue
        # Known ones come again when the stream is begun anew; none replaces another.
        if known is not None or _is_lower(connection, ref.version):
            raise ProtocolError("programme-rollback", version=ref.version)
        load_bundle(row.document, ref)
        put_bundle(connection, ref, row.document)
        prove_bundle(connection, ref, row.statement)


def _is_lower(connection: Connection, version: int) -> bool:
    """Whether the programme in force would give way to a lower one.

    From a server that was restored, lower ones explain old sales: the one here is not in force
    there any more, and the one that is comes with a higher version.
    """
    newest = newest_version(connection)
    return version < newest and not is_stale(connection, Stream.PROGRAMME, str(newest))
