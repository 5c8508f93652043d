"""How often offers were used before, as far as this till knows: in its own sales."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, case, func, select

from desktop.store.schema import offer_uses
from shared.pricing.basket import OfferUse


def uses_of(
    connection: Connection, offers: Collection[str], member_id: str | None, today: date
) -> tuple[OfferUse, ...]:
    """For each offer, by the member, by the member on a day, and at all."""
    columns = offer_uses.c
    is_own = columns.member_id == (member_id or "")
    is_today = columns.day == today.isoformat()
    rows = connection.execute(
        select(
            columns.offer_id,
            func.sum(columns.uses),
            func.sum(case((is_own, columns.uses), else_=0)),
            func.sum(case((is_own & is_today, columns.uses), else_=0)),
        )
        .where(columns.offer_id.in_(sorted(offers)))
        .group_by(columns.offer_id)
    )
    known = {offer: counts for offer, *counts in rows}
    return tuple(
        OfferUse(
            offer=offer,
            by_member=own if member_id else 0,
            by_member_today=own_today if member_id else 0,
            in_store=at_all,
            in_total=at_all,
        )
        for offer in sorted(offers)
        for at_all, own, own_today in [known.get(offer, (0, 0, 0))]
    )
