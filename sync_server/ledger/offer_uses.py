"""How often offers were used anywhere, by the sales that the audit has looked at."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import case, func, select

from shared.loyalty.offers import Offer
from shared.trade.fact import OfferUsed
from shared.trade.ticket import SaleCompleted
from sync_server.database.schema import offer_uses
from sync_server.database.transaction import Snapshot, Work


def count_uses(work: Work, sale: SaleCompleted, occurred_at: str, used: Mapping[str, int]) -> None:
    """Count what a sale ``used`` by offer, or gives back below zero; training uses nothing.

    Its day is that on the store's wall.
    """
    if not used or sale.training:
        return
    rows = [
        {
            "offer_id": offer,
            "member_id": sale.member.member_id if sale.member else "",
            "store_id": sale.store_id,
            "day": occurred_at[:10],
            "uses": times,
        }
        for offer, times in sorted(used.items())
    ]
    work.put(offer_uses, rows, "uses = offer_uses.uses + excluded.uses")


def uses_before(snapshot: Snapshot, offer: Offer, sale: SaleCompleted, today: date) -> OfferUsed:
    """How often an offer was used before a sale, as far as its limits ask for it."""
    columns, limits = offer_uses.c, offer.limits
    member = sale.member.member_id if sale.member else None
    is_own = columns.member_id == (member or "")
    is_today = columns.day == today.isoformat()
    statement = select(
        func.coalesce(func.sum(columns.uses), 0),
        func.coalesce(
            func.sum(case((columns.store_id == sale.store_id, columns.uses), else_=0)), 0
        ),
        func.coalesce(func.sum(case((is_own, columns.uses), else_=0)), 0),
        func.coalesce(func.sum(case((is_own & is_today, columns.uses), else_=0)), 0),
    ).where(columns.shard == snapshot.shard, columns.offer_id == offer.id)
    if not (limits.per_store or limits.in_total):
        statement = statement.where(is_own)
    in_total, in_store, own, own_today = snapshot.connection.execute(statement).one()
    return OfferUsed(
        offer_id=offer.id,
        by_member=int(own) if member and limits.per_member else 0,
        by_member_today=int(own_today) if member and limits.per_member_and_day else 0,
        in_store=int(in_store) if limits.per_store else 0,
        in_total=int(in_total) if limits.in_total else 0,
    )
