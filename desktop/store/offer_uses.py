"""How often offers were used before, as far as this till knows: in its own sales."""

from collections import Counter
from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from desktop.store.prepared import Prepared
from desktop.store.schema import offer_uses
from desktop.store.tickets import find_sale, returns_of
from shared.ids import EntryId
from shared.journal.entry import Envelope
from shared.pricing.basket import OfferUse
from shared.returning.offers_kept import offers_kept
from shared.trade.ticket import SaleCompleted, SaleReturned


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


_PUT = upsert(offer_uses)
_ADD = Prepared(
    _PUT.on_conflict_do_update(
        index_elements=["offer_id", "member_id", "day"],
        set_={"uses": offer_uses.c.uses + _PUT.excluded.uses},
    ),
    ("offer_id", "member_id", "day", "uses"),
)


def count_uses(connection: Connection, sale: SaleCompleted, envelope: Envelope) -> None:
    """An offer may be used so often only: by a member, on a day, at all."""
    day = envelope.occurred_at[:10]
    counted = Counter(one.offer_id for one in sale.offers)
    _ADD.run_many(
        connection, [(offer, _member(sale), day, times) for offer, times in counted.items()]
    )


def give_uses_back(connection: Connection, back: SaleReturned, of_sale: EntryId) -> None:
    """Offers of which this return leaves nothing may be used again; once, however much follows.

    ``back`` is among the returns in the journal already. A sale of another till was counted there.
    """
    found = find_sale(connection, of_sale)
    if found is None:
        return
    entry, sale = found
    returns = returns_of(connection, of_sale)
    before = [one for one in returns if one.receipt_no != back.receipt_no]
    gone = offers_kept(sale, before) - offers_kept(sale, returns)
    columns = offer_uses.c
    for offer, times in gone.items():
        connection.execute(
            update(offer_uses)
            .where(
                columns.offer_id == offer,
                columns.member_id == _member(sale),
                columns.day == entry.envelope.occurred_at[:10],
            )
            .values(uses=func.max(0, columns.uses - times))
        )


def _member(sale: SaleCompleted) -> str:
    return sale.member.member_id if sale.member else ""
