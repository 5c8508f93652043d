"""What lots have given to pay what their member owed."""

from collections import Counter

from sqlalchemy import select

from shared.ids import LotId, MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import DEBT_LOT
from shared.trade.kinds import read_fact
from shared.trade.server import RECOVERY, PointsTransferred
from sync_server.database.schema import entries, member_entries
from sync_server.database.transaction import Snapshot


def recovered_from(snapshot: Snapshot, member: MemberId) -> Counter[LotId]:
    """Points that a member's lots have paid for debts, less what they got back of it."""
    statement = (
        select(entries.c.bytes)
        .join(
            member_entries,
            (member_entries.c.shard == entries.c.shard)
            & (member_entries.c.entry_id == entries.c.id),
        )
        .where(
            member_entries.c.shard == snapshot.shard,
            member_entries.c.member_id == member,
            entries.c.kind == PointsTransferred.kind,
        )
    )
    found: Counter[LotId] = Counter()
    for encoded in snapshot.connection.execute(statement).scalars():
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, PointsTransferred) and fact.reason == RECOVERY:
            found.update({draw.lot: draw.points for draw in fact.from_lots})
            found.subtract({draw.lot: draw.points for draw in fact.to_lots})
    found.pop(LotId(DEBT_LOT), None)
    return +found
