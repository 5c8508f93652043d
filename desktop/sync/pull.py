"""Pulling: pages of each stream, checked, applied in short slices, the cursor with the last one.

The next page is asked for while the writer takes over the one before.

What a till holds is counted row by row as the server counts it, and compared when a stream has been
read to its end. Where the two differ, or where the server was restored, the stream is begun anew:
rows stay in use until they come again, and what does not come again goes at the end.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine

from desktop.store.arriving import Arriving
from desktop.store.bundles import (
    proved_bundle,
)
from desktop.store.catalogue import forget_goods
from desktop.store.database import TillFolder
from desktop.store.journal import unsent_entries
from desktop.store.members import forget_member
from desktop.store.operators import forget_operators
from desktop.store.replica import (
    begin_anew,
    hold,
    is_mismatched,
    read_held,
    settle,
    stale_keys,
)
from desktop.store.settings import (
    read_cursor,
    read_held_scope,
)
from desktop.store.writer import Urgency, Writer
from desktop.sync.http import RefusedError, ServerConnection
from desktop.sync.page_rows import PageRows, Slice
from desktop.sync.server_keys import ServerTrust
from desktop.sync.snapshot import SnapshotTaker
from shared.clock import Clock
from shared.errors import EvertillError, ProtocolError
from shared.ids import GoodsId, MemberId, OperatorId
from shared.protocol.cursor import OTHER_REGION, checksum, decode_cursor
from shared.protocol.message import (
    PROTOCOL,
    PullReply,
    PullRequest,
    Stream,
)

SLICE_ROWS = 20
"""Rows per transaction, so that a waiting sale is at most some 10 ms away from the writer."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that was checked."""

    stream: Stream
    reply: PullReply
    slices: list[Slice]
    """What takes it over."""


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
        self._rows = PageRows(writer, trust, clock)
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
        ahead: Future[_Page] | None = None
        self.is_unfinished = False
        while True:
            if not self._take_snapshot(server, stream):
                self.is_unfinished = True
                return total
            try:
                page = ahead.result() if ahead else self._ask(server, stream)
            except _CursorOverError as over:
                if has_begun_anew:
                    raise ProtocolError("resync-required", stream=stream.value) from over
                has_begun_anew, ahead = True, None
                self._begin_anew(stream, is_mismatched=False, is_over=over.is_restored)
                continue
            taken = self._writer.submit_slices(page.slices)
            ahead = self._ask_ahead(server, page, taken)
            taken.result()
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
            has_begun_anew, ahead = True, None
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
        return self._fetch(server, request)

    def _ask_ahead(
        self, server: ServerConnection, page: _Page, taken: Future[None]
    ) -> Future[_Page] | None:
        """The page after one that is being taken over, or why it did not come; None where it is
        not asked for."""
        if page.reply.is_last or self.gives_way():
            return None
        if taken.done():
            # What was not taken over is asked for again.
            taken.result()
        with self._reading.connect() as connection:
            unsent = unsent_entries(connection)
        request = PullRequest(
            protocol=PROTOCOL,
            stream=page.stream,
            cursor=page.reply.cursor,
            unsent=unsent,
            scope=page.reply.scope,
        )
        ahead: Future[_Page] = Future()
        try:
            ahead.set_result(self._fetch(server, request))
        except Exception as error:  # noqa: BLE001 - raised where the page is wanted
            ahead.set_exception(error)
        return ahead

    def _fetch(self, server: ServerConnection, request: PullRequest) -> _Page:
        stream, cursor = request.stream, request.cursor
        try:
            reply = server.pull(request)
        except RefusedError as refused:
            if refused.code == "resync-required" and cursor is not None:
                is_restored = refused.fields.get("reason") != OTHER_REGION
                raise _CursorOverError(is_restored=is_restored) from refused
            raise
        if request.is_mismatched:
            self._run(lambda connection: settle(connection, stream))
        if checksum(bytes(row) for row in reply.rows) != reply.checksum:
            raise ProtocolError("bad-page", stream=stream.value)
        _check_leads_on(stream, cursor, reply)
        return _Page(stream, reply, self._rows.slices(stream, reply, size=SLICE_ROWS))

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


def _check_leads_on(stream: Stream, after: str | None, reply: PullReply) -> None:
    """A page that is not the last one but leads no further would be asked for again for ever."""
    if reply.is_last or after is None:
        return
    if decode_cursor(reply.cursor).server_seq <= decode_cursor(after).server_seq:
        raise ProtocolError("bad-page", stream=stream.value)


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
