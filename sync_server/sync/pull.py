"""Pull: pages of changed rows, each read in one snapshot and true for a stated moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row

from shared.clock import Clock
from shared.errors import ProtocolError
from shared.journal.certificate import Certificate
from shared.protocol.cursor import (
    OTHER_REGION,
    Cursor,
    checksum,
    decode_cursor,
    encode_cursor,
)
from shared.protocol.message import (
    PAGE_ROWS_MAX,
    PullReply,
    PullRequest,
    Stream,
)
from shared.protocol.message import Row as WireRow
from sync_server.database.transaction import Database, Snapshot
from sync_server.journal.chains import heads_of
from sync_server.journal.own import OwnJournal
from sync_server.keys.known import count_statements
from sync_server.ledger.finding import Finding, Rule
from sync_server.members.rows import as_spoken, knows_all
from sync_server.orders.waiting import count_open
from sync_server.sync.kept_scopes import read_scope
from sync_server.sync.region_rows import changed_rows, region_rows, scope_of
from sync_server.sync.rows import read_shard, wire_rows


@dataclass(frozen=True, slots=True)
class Pull:
    """Answers pulls."""

    database: Database
    clock: Clock
    own: OwnJournal

    def note_mismatch(self, caller: Certificate, stream: Stream) -> None:
        """A till begins a stream anew because it held something else: once a day is told."""
        day = self.clock.now().date().isoformat()
        found = Finding(
            rule=Rule.REPLICA_DIFFERED,
            natural_key=f"replica-differed:{caller.journal}:{stream}:{day}",
            facts=(),
        )
        with self.database.writing() as work:
            self.own.raise_exceptions(work, [found])

    def page(self, caller: Certificate, request: PullRequest) -> PullReply:
        """The next page of a stream.

        Raises ProtocolError ``bad-cursor``, ``bad-message``, ``resync-required``.
        """
        if not 1 <= request.limit <= PAGE_ROWS_MAX:
            raise ProtocolError("bad-message", reason="limit")
        cursor = decode_cursor(request.cursor) if request.cursor is not None else None
        if cursor is not None and cursor.stream != request.stream:
            raise ProtocolError("bad-cursor")
        with self.database.wanted(), self.database.reading() as snapshot:
            return _read_page(snapshot, caller, request, cursor)


def _read_page(
    snapshot: Snapshot, caller: Certificate, request: PullRequest, cursor: Cursor | None
) -> PullReply:
    shard = read_shard(snapshot)
    region = scope_of(snapshot, caller, request.stream, request.protocol)
    if cursor is not None and request.scope != region:
        raise ProtocolError("resync-required", stream=request.stream.value, reason=OTHER_REGION)
    if cursor is not None and (
        cursor.generation != shard.generation or cursor.server_seq > shard.server_seq
    ):
        raise ProtocolError("resync-required", stream=request.stream.value)
    after = cursor.server_seq if cursor else 0
    found = changed_rows(snapshot, request.stream, region, after=after, limit=request.limit + 1)
    page, is_last = found[: request.limit], len(found) <= request.limit
    rows = [msgspec.msgpack.encode(row) for row in _as_spoken(snapshot, request, region, page)]
    reached = shard.server_seq if is_last else page[-1].change_seq
    # An older till is sent other rows of members than those that are counted.
    is_counted = request.stream is not Stream.MEMBERS or knows_all(request.protocol)
    heads = heads_of(snapshot, caller)
    scope = read_scope(snapshot, request.stream, region) if is_last and is_counted else None
    return PullReply(
        rows=tuple(msgspec.Raw(row) for row in rows),
        cursor=encode_cursor(Cursor(request.stream, shard.generation, reached)),
        generation=shard.generation,
        server_seq=shard.server_seq,
        applied_through=heads[0].next_seq,
        checksum=checksum(rows),
        is_last=is_last,
        scope_rows=scope.rows if scope else None,
        scope_checksum=scope.checksum if scope else None,
        heads=heads,
        scope=region,
        commands=count_open(snapshot, caller) if request.stream is Stream.PROGRAMME else 0,
        key_statements=count_statements(snapshot) if request.stream is Stream.PROGRAMME else 0,
    )


def _as_spoken(
    snapshot: Snapshot, request: PullRequest, region: str, page: Sequence[Row[Any]]
) -> Sequence[WireRow]:
    if request.stream is Stream.MEMBERS:
        return as_spoken(region_rows(snapshot, region, page), request.protocol)
    return wire_rows(snapshot, request.stream, page)
