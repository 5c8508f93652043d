"""Look-up: a member by a keyed hash, a receipt with what later returns took of it."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from shared.clock import Clock
from shared.errors import ProtocolError
from shared.ids import MemberId
from shared.journal.certificate import Certificate
from shared.protocol.message import LookupReply, LookupRequest, MemberRow, ReceiptCopy, Stream
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import entries, tickets
from sync_server.database.transaction import Database, Snapshot
from sync_server.journal.chains import heads_of
from sync_server.members.regions import EVERYWHERE, enter, who_is_elsewhere
from sync_server.members.rows import as_spoken, find_member, find_members
from sync_server.sync.region_rows import scope_of
from sync_server.sync.rows import read_shard

_KEY = re.compile("[0-9a-f]{32}")
_RECEIPT = re.compile(r"([!-~]{1,40}?)(?:-([0-9A-Fa-f]{4}))?")
"""The number, and the mark of the entry's hash that the paper has: it tells the receipts of two
branches of a fork apart."""

_Stored = Row[*tuple[Any, ...]]
_STORED = select(entries.c.id, entries.c.bytes, entries.c.hash).join(
    tickets, (tickets.c.shard == entries.c.shard) & (tickets.c.entry_id == entries.c.id)
)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Answers look-ups; nothing found is an empty answer, not an error."""

    database: Database
    clock: Clock

    def find(self, caller: Certificate, request: LookupRequest) -> LookupReply:
        """Look up what the request names; ProtocolError ``bad-message`` for a malformed name."""
        key, receipt_no = request.member_key, request.receipt_no
        if key is not None and not _KEY.fullmatch(key):
            raise ProtocolError("bad-message", reason="member_key")
        named = _RECEIPT.fullmatch(receipt_no) if receipt_no is not None else None
        if receipt_no is not None and named is None:
            raise ProtocolError("bad-message", reason="receipt_no")
        reply, region = self._read(caller, request, named)
        if region != EVERYWHERE and self._let_in(region, [row.member_id for row in reply.members]):
            # Told as of a state that has them in the region: a till that has read so far and does
            # not hold them knows that they were erased meanwhile.
            reply, _region = self._read(caller, request, named)
        return reply

    def _read(
        self, caller: Certificate, request: LookupRequest, named: re.Match[str] | None
    ) -> tuple[LookupReply, str]:
        key = request.member_key
        with self.database.reading() as snapshot:
            members = tuple(find_members(snapshot, key)) if key else ()
            sale = _find_sale(snapshot, named[1], named[2] or "") if named else None
            receipt = _with_returns(snapshot, sale) if sale is not None else None
            if sale is not None:
                members += tuple(_member_of(snapshot, sale.id))
            shard = read_shard(snapshot)
            heads = heads_of(snapshot, caller)
            region = scope_of(snapshot, caller, Stream.MEMBERS, request.protocol)
        reply = LookupReply(
            members=tuple(as_spoken(members, request.protocol)),
            receipt=receipt,
            heads=heads,
            generation=shard.generation,
            server_seq=shard.server_seq,
        )
        return reply, region

    def _let_in(self, region: str, member_ids: list[MemberId]) -> bool:
        """A till that is told of a member keeps them: from now on its pull keeps them true.

        Whether somebody came in who was not there.
        """
        with self.database.reading() as snapshot:
            away = who_is_elsewhere(snapshot, region, member_ids)
        if away:
            day = self.clock.now().date().isoformat()
            with self.database.writing() as work:
                enter(work, region, dict.fromkeys(away, day))
        return bool(away)


def _member_of(snapshot: Snapshot, sale_id: str) -> list[MemberRow]:
    """The member a sale was for, so that a return elsewhere can take back and give back points."""
    member_id = snapshot.connection.execute(
        select(tickets.c.member_id).where(
            tickets.c.shard == snapshot.shard,
            tickets.c.entry_id == sale_id,
        )
    ).scalar()
    return find_member(snapshot, member_id) if member_id is not None else []


def _find_sale(snapshot: Snapshot, receipt_no: str, mark: str) -> _Stored | None:
    """The sale of a number, the first to arrive where there are more; or the one with the mark."""
    found = snapshot.connection.execute(
        _STORED.where(
            tickets.c.shard == snapshot.shard,
            tickets.c.receipt_no == receipt_no,
            entries.c.kind == SaleCompleted.kind,
        ).order_by(entries.c.server_seq)
    ).all()
    return next((sale for sale in found if sale.hash.hex().startswith(mark.lower())), None)


def _with_returns(snapshot: Snapshot, sale: _Stored) -> ReceiptCopy:
    returns = snapshot.connection.execute(
        _STORED.where(tickets.c.shard == snapshot.shard, tickets.c.original == sale.id).order_by(
            entries.c.server_seq
        )
    )
    return ReceiptCopy(entry=sale.bytes, returns=tuple(row.bytes for row in returns))
