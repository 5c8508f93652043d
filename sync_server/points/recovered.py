"""What lots have given to pay what their member owed."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

from sqlalchemy import bindparam, select

from shared.ids import LotId, MemberId
from shared.journal.entry import decode_entry
from shared.ledger.account import DEBT_LOT, AccountKind, Unit, points_unit
from shared.trade.kinds import read_fact
from shared.trade.server import RECOVERY, PointsTransferred
from sync_server.database.among import among_told, rows_of_keys
from sync_server.database.schema import balances, entries, member_entries
from sync_server.database.transaction import Snapshot
from sync_server.members.segments import in_batches

Paid = dict[Unit, Counter[LotId]]
"""By unit and lot."""


_DEBTORS: Final = (
    select(balances.c.owner)
    .where(
        balances.c.shard == bindparam("of_shard"),
        balances.c.account == AccountKind.POINTS.value,
        among_told(balances.c.owner, "members"),
        balances.c.lot == DEBT_LOT,
    )
    .distinct()
    .order_by(balances.c.owner)
)


def debtors_among(snapshot: Snapshot, members: Iterable[MemberId]) -> list[MemberId]:
    """Those of these members who owe points or did so once: few, and found by the key."""
    found: list[MemberId] = []
    for ids in in_batches(sorted(members)):
        told = {"of_shard": snapshot.shard, "members": rows_of_keys(ids)}
        found += map(MemberId, snapshot.connection.execute(_DEBTORS, told).scalars())
    return found


def paid_by_lots(snapshot: Snapshot, member: MemberId) -> Paid:
    """What a member's lots have paid for debts, less what they got back of it."""
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
    found: Paid = {}
    for encoded in snapshot.connection.execute(statement).scalars():
        fact = read_fact(decode_entry(encoded).envelope)
        if isinstance(fact, PointsTransferred) and fact.reason == RECOVERY:
            paid = found.setdefault(points_unit(fact.decimals), Counter())
            paid.update({draw.lot: draw.points for draw in fact.from_lots})
            paid.subtract({draw.lot: draw.points for draw in fact.to_lots})
    for paid in found.values():
        paid.pop(LotId(DEBT_LOT), None)
    return found
