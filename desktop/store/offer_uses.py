"""How often offers were used before, as far as this till knows: in its own sales."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, select

from desktop.store.schema import offer_uses
from shared.pricing.basket import OfferUse


def uses_of(
    connection: Connection, offers: Collection[str], member_id: str | None, today: date
) -> tuple[OfferUse, ...]:
    """For each offer, by the member, by the member on a day, and at all."""
    columns = offer_uses.c
    rows = connection.execute(
        select(columns.offer_id, columns.member_id, columns.day, columns.uses).where(
            columns.offer_id.in_(sorted(offers))
        )
    ).all()

    def counted(offer: str) -> OfferUse:
        own = [row for row in rows if row.offer_id == offer]
        by_member = [row for row in own if member_id is not None and row.member_id == member_id]
        at_all = sum(row.uses for row in own)
        return OfferUse(
            offer=offer,
            by_member=sum(row.uses for row in by_member),
            by_member_today=sum(row.uses for row in by_member if row.day == today.isoformat()),
            in_store=at_all,
            in_total=at_all,
        )

    return tuple(counted(offer) for offer in sorted(offers))
