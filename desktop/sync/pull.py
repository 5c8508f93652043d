"""Pulling: pages of each stream, checked, applied in short slices, the cursor with the last one.

What a till holds is counted row by row as the server counts it, and compared when a stream has been
read to its end. Where the two differ, or where the server was restored, the stream is begun anew:
rows stay in use until they come again, and what does not come again goes at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from desktop.store.arriving import Arriving
from desktop.store.bundles import (
    bundle_hash,
    newest_version,
    prove_bundle,
    proved_bundle,
    put_bundle,
)
from desktop.store.catalogue import apply_goods, forget_goods
from desktop.store.database import TillFolder
from desktop.store.journal import applied_through, current_epoch, unsent_entries
from desktop.store.member_pages import apply_members
from desktop.store.members import forget_member
from desktop.store.operators import apply_operators, forget_operators
from desktop.store.replica import (
    Hashed,
    begin_anew,
    hold,
    is_mismatched,
    is_stale,
    read_held,
    settle,
    stale_keys,
)
from desktop.store.settings import (
    read_cursor,
    read_held_scope,
    write_cursor,
    write_held_scope,
)
from desktop.store.writer import Transaction, Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.server_keys import ServerTrust
from desktop.sync.snapshot import SnapshotTaker
from shared.clock import Clock
from shared.errors import EvertillError, ProtocolError
from shared.ids import GoodsId, MemberId, OperatorId
from shared.journal.entry import format_occurred_at
from shared.journal.keys import KeyId, PublicKey
from shared.loyalty.bundle import load_bundle
from shared.protocol.cursor import OTHER_REGION, checksum, decode_cursor
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
from shared.protocol.message import Row as WireRow
from shared.protocol.replica import is_tombstone, row_hash, row_key
from shared.trade.fact import BundleRef

SLICE_ROWS = 20
"""Rows per transaction, so that a waiting sale is at most some 10 ms away from the writer."""

Row = TypeVar("Row")
_KINDS: dict[Stream, type[WireRow]] = {
    Stream.CATALOGUE: GoodsRow,
    Stream.PROGRAMME: BundleRow,
    Stream.OPERATORS: OperatorRow,
    Stream.MEMBERS: MemberRow,
}


@dataclass(frozen=True, slots=True)
class _Page:
    """A page with what was asked for."""

    stream: Stream
    after: str | None
    """The cursor it was asked for with."""
    reply: PullReply


class _CursorOverError(Exception):
    """No page follows this cursor: the server was restored, or the store is of another region."""

    def __init__(self, *, is_restored: bool) -> None:
        super().__init__()
        self.is_restored = is_restored


class Puller:
    """Brings one till up to date with the server."""

    def __init__(
        self,
        *,
        writer: Writer,
        reading: Engine,
        trust: ServerTrust,
        clock: Clock,
        folder: TillFolder,
        arriving: Arriving,
    ) -> None:
        self._writer = writer
        self._reading = reading
        self._trust = trust
        self._clock = clock
        self._read: dict[Stream, int] = {}
        """The server's counter when a stream was read to its end."""
        self._snapshots = SnapshotTaker(
            writer=writer,
            reading=reading,
            trust=trust,
            folder=folder,
            arriving=arriving,
            slice_rows=lambda: SLICE_ROWS,
        )
        self.gives_way: Callable[[], bool] = lambda: False
        """Whether there is something better to do than to read on; asked between parts."""
        self.key_statements = 0
        """How many statements about its keys the server has, as it said last; 0 until it did."""
        self.commands = 0
        """How many commands wait for this till, as the server said last."""
        self.is_unfinished = False
        """Whether the last pull gave way before the stream's end."""

    def resume(self) -> None:
        """Let members be found that came in a file before the till was closed."""
        self._snapshots.resume()

    def close(self) -> None:
        """Let go of files."""
        self._snapshots.close()

    @property
    def refused_snapshot(self) -> EvertillError | None:
        """Why members come page by page though there was a file of them."""
        return self._snapshots.refused

    def read_up_to(self, streams: Iterable[Stream]) -> int:
        """The server's counter up to which all of these streams were read; 0 before that."""
        return min(self._read.get(stream, 0) for stream in streams)

    def pull(self, server: ServerConnection, stream: Stream) -> int:
        """Apply every page of a stream that is new; returns how many rows came.

        Raises ProtocolError ``bad-page`` for a page whose checksum is wrong,
        ``programme-rollback`` for a programme older than the one in force, and ``replica-differs``
        where even reading everything anew does not make what the server counts.
        """
        total = 0
        has_begun_anew = False
        self.is_unfinished = False
        while True:
            if not self._take_snapshot(server, stream):
                self.is_unfinished = True
                return total
            try:
                page = self._ask(server, stream)
            except _CursorOverError as over:
                if has_begun_anew:
                    raise ProtocolError("resync-required", stream=stream.value) from over
                has_begun_anew = True
                self._begin_anew(stream, is_mismatched=False, is_over=over.is_restored)
                continue
            _check_leads_on(page)
            self._apply(page)
            self.key_statements = page.reply.key_statements or self.key_statements
            if stream is Stream.PROGRAMME:
                self.commands = page.reply.commands
            total += len(page.reply.rows)
            if not page.reply.is_last:
                if self.gives_way():
                    self.is_unfinished = True
                    return total
                continue
            total += self._sweep(stream)
            if self._agrees(page):
                self._read[stream] = page.reply.server_seq
                return total
            if has_begun_anew:
                raise ProtocolError("replica-differs", stream=stream.value)
            has_begun_anew = True
            self._begin_anew(stream, is_mismatched=True)

    def _take_snapshot(self, server: ServerConnection, stream: Stream) -> bool:
        """A stream from its start may come in one file; False where that is not done yet."""
        if stream is not Stream.MEMBERS:
            return True
        with self._reading.connect() as connection:
            is_begun = read_cursor(connection, stream) is not None
        return is_begun or self._snapshots.take(server, self.gives_way)

    def _ask(self, server: ServerConnection, stream: Stream) -> _Page:
        with self._reading.connect() as connection:
            cursor = read_cursor(connection, stream)
            scope = read_held_scope(connection) if stream is Stream.MEMBERS else ""
            unsent = unsent_entries(connection)
            was_mismatched = is_mismatched(connection, stream)
            is_anew = stream is Stream.PROGRAMME and cursor is None
            programme = proved_bundle(connection) if is_anew else None
        request = PullRequest(
            protocol=PROTOCOL,
            stream=stream,
            cursor=cursor,
            unsent=unsent,
            is_mismatched=was_mismatched,
            programme=programme,
            scope=scope,
        )
        try:
            reply = server.pull(request)
        except RefusedError as refused:
            if refused.code == "resync-required" and cursor is not None:
                is_restored = refused.fields.get("reason") != OTHER_REGION
                raise _CursorOverError(is_restored=is_restored) from refused
            raise
        if was_mismatched:
            self._run(lambda connection: settle(connection, stream))
        if checksum(bytes(row) for row in reply.rows) != reply.checksum:
            raise ProtocolError("bad-page", stream=stream.value)
        return _Page(stream, cursor, reply)

    def _begin_anew(self, stream: Stream, *, is_mismatched: bool, is_over: bool = False) -> None:
        """Read a stream from its start; ``is_over`` where the server's life that told it is."""
        if stream is Stream.MEMBERS:
            self._snapshots.forget(is_over=is_over)
        self._run(lambda connection: begin_anew(connection, stream, is_mismatched=is_mismatched))

    def _agrees(self, page: _Page) -> bool:
        """Whether what is held is what the server counts; an older server does not count."""
        if page.reply.scope_checksum is None:
            return True
        with self._reading.connect() as connection:
            held = read_held(connection, page.stream)
        return (held.rows, held.checksum) == (page.reply.scope_rows, page.reply.scope_checksum)

    def _apply(self, page: _Page) -> None:
        try:
            apply = self._applier(page)
        except msgspec.MsgspecError as error:
            raise ProtocolError("bad-page", stream=page.stream.value) from error
        rows = page.reply.rows
        for start in range(0, max(len(rows), 1), SLICE_ROWS):
            part = rows[start : start + SLICE_ROWS]
            is_end = start + SLICE_ROWS >= len(rows)
            cursor = page.reply.cursor if is_end else None
            try:
                self._writer.run(_slice(apply, part, page, cursor), Urgency.BACKGROUND)
            except msgspec.MsgspecError as error:
                # A document inside a row, of a shape that only a later release knows.
                raise ProtocolError("bad-page", stream=page.stream.value) from error

    def _applier(self, page: _Page) -> Callable[[Connection, Sequence[msgspec.Raw]], None]:
        match page.stream:
            case Stream.CATALOGUE:
                return lambda connection, rows: apply_goods(connection, _read(rows, GoodsRow))
            case Stream.OPERATORS:
                return lambda connection, rows: apply_operators(
                    connection, _read(rows, OperatorRow)
                )
            case Stream.PROGRAMME:
                # Asked for here: what signed it may have to be fetched, and the writer waits for
                # nobody.
                rows = _read(page.reply.rows, BundleRow)
                keys = {row.statement.key_id: self._trust.key_for(row.statement) for row in rows}
                return lambda connection, part: _put_bundles(connection, part, keys)
            case Stream.MEMBERS:
                return lambda connection, rows: self._put_members(connection, rows, page.reply)

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
            applied_through=applied_through(connection, epoch, page.heads),
            as_of=format_occurred_at(self._clock.now()),
        )
        if any(row.gone and not row.left for row in members):
            # What was erased must not stay readable anywhere in the files.
            self._writer.scrub()

    def _sweep(self, stream: Stream) -> int:
        """Drop what did not come again after the stream was begun anew; how many rows."""
        total = 0
        while gone := self._run(lambda connection: _drop_stale(connection, stream)):
            total += gone
        return total

    def _run(self, work: Callable[[Connection], Row]) -> Row:
        return self._writer.run(
            lambda transaction: work(transaction.connection), Urgency.BACKGROUND
        )


def _check_leads_on(page: _Page) -> None:
    """A page that is not the last one but leads no further would be asked for again for ever."""
    if page.reply.is_last or page.after is None:
        return
    if decode_cursor(page.reply.cursor).server_seq <= decode_cursor(page.after).server_seq:
        raise ProtocolError("bad-page", stream=page.stream.value)


def _is_lower(connection: Connection, version: int) -> bool:
    """Whether the programme in force would give way to a lower one.

    From a server that was restored, lower ones explain old sales: the one here is not in force
    there any more, and the one that is comes with a higher version.
    """
    newest = newest_version(connection)
    return version < newest and not is_stale(connection, Stream.PROGRAMME, str(newest))


def _drop_stale(connection: Connection, stream: Stream) -> int:
    keys = stale_keys(connection, stream, limit=SLICE_ROWS)
    match stream:
        case Stream.CATALOGUE:
            forget_goods(connection, [GoodsId(key) for key in keys])
        case Stream.OPERATORS:
            forget_operators(connection, [OperatorId(key) for key in keys])
        case Stream.MEMBERS:
            for key in keys:
                forget_member(connection, MemberId(key))
        case Stream.PROGRAMME:
            pass  # what past sales were priced with stays
    hold(connection, stream, [(key, None) for key in keys])
    return len(keys)


def _slice(
    apply: Callable[[Connection, Sequence[msgspec.Raw]], None],
    rows: Sequence[msgspec.Raw],
    page: _Page,
    cursor: str | None,
) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        apply(transaction.connection, rows)
        hold(transaction.connection, page.stream, _hashed(rows, page.stream))
        if cursor is not None:
            write_cursor(transaction.connection, page.stream, cursor)
            if page.stream is Stream.MEMBERS:
                write_held_scope(transaction.connection, page.reply.scope)

    return work


def _hashed(rows: Sequence[msgspec.Raw], stream: Stream) -> list[Hashed]:
    read = _read(rows, _KINDS[stream])
    return [
        (row_key(row), None if is_tombstone(row) else row_hash(bytes(encoded)))
        for row, encoded in zip(read, rows, strict=True)
    ]


def _read(rows: Sequence[msgspec.Raw], kind: type[Row]) -> list[Row]:
    try:
        return [msgspec.msgpack.decode(row, type=kind) for row in rows]
    except msgspec.MsgspecError as error:
        raise ProtocolError("bad-page", stream=kind.__name__) from error


def _put_bundles(
    connection: Connection, rows: Sequence[msgspec.Raw], keys: Mapping[KeyId, PublicKey]
) -> None:
    for row in _read(rows, BundleRow):
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
