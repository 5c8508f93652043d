"""As what, and to whom, coupons that a sale used were issued, as far as that had arrived before."""

from collections.abc import Collection, Iterator

from sqlalchemy import select

from shared.ids import MemberId
from shared.ledger.account import AccountKind
from shared.pricing.claims import issued_to
from shared.pricing.sale_basket import Known
from shared.trade.ticket import SaleCompleted
from shared.trade.value import ValueToppedUp
from sync_server.database.schema import entries, postings
from sync_server.database.transaction import Snapshot
from sync_server.ledger.audit_job import Audited, audited, fact_of
from sync_server.ledger.coupon_rights import ISSUING
from sync_server.members.aliases import stands_for


def coupons_known(snapshot: Snapshot, entry: Audited, sale: SaleCompleted) -> dict[str, Known]:
    """Of the coupons of a sale those that an earlier sale, or top-up, issued.

    Who was merged is one person: their coupons are those of the sale's member.
    """
    used = {one.coupon_id for one in sale.offers if one.coupon_id is not None}
    if not used:
        return {}
    buyer = MemberId(sale.member.member_id) if sale.member else None
    found: dict[str, Known] = {}
    for fact in _issuing(snapshot, entry, used):
        owner = issued_to(fact)
        if owner and buyer and owner != buyer:
            is_same = stands_for(snapshot, MemberId(owner)) == stands_for(snapshot, buyer)
            owner = buyer if is_same else owner
        found |= {one.coupon_id: Known(one, owner) for one in fact.coupons_issued}
    return {coupon: known for coupon, known in found.items() if coupon in used}


def _issuing(
    snapshot: Snapshot, entry: Audited, coupons: Collection[str]
) -> Iterator[SaleCompleted | ValueToppedUp]:
    rows = snapshot.connection.execute(
        select(entries)
        .join(
            postings,
            (entries.c.shard == postings.c.shard) & (entries.c.id == postings.c.entry_id),
        )
        .where(
            postings.c.shard == snapshot.shard,
            postings.c.account == AccountKind.COUPON.value,
            postings.c.owner.in_(sorted(coupons)),
            postings.c.amount > 0,
            entries.c.kind.in_(ISSUING),
            entries.c.server_seq < entry.server_seq,
        )
    ).all()
    for row in rows:
        fact = fact_of(audited(row))
        if isinstance(fact, SaleCompleted | ValueToppedUp):
            yield fact
