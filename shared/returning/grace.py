"""How long points live that come back with the goods they had paid for."""

from collections.abc import Sequence
from datetime import date

import msgspec

from shared.ids import LotId
from shared.loyalty.grace import last_days_of, living_on
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Expiry
from shared.returning.rewards import drawn
from shared.returning.sold import ReturnableSale
from shared.trade.fact import LotDraw, Tender


def with_grace(
    refunds: Sequence[Tender],
    sold: ReturnableSale,
    lots: Sequence[Lot],
    *,
    today: date,
    expiry: Expiry | None,
) -> tuple[Tender, ...]:
    """The refunds, telling of each lot that had lapsed how long what comes back can be spent.

    ``lots`` are the member's, as far as whoever takes the goods back knows them; of others the sale
    itself tells until when they were good.
    """
    told = drawn(sold.sale)
    member = sold.sale.member
    if member is not None and member.points.expires_on:
        own = LotDraw(lot=LotId(sold.entry_id), points=0, last_day=member.points.expires_on)
        told = [*told, own]
    last_days = last_days_of(told, lots)
    return tuple(
        msgspec.structs.replace(tender, lots=living_on(tender.lots, last_days, today, expiry))
        for tender in refunds
    )
