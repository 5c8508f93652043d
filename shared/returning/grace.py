"""Spent points that come back to a lot which has lapsed: they live for another while."""

from collections.abc import Sequence
from datetime import date

import msgspec

from shared.ids import LotId
from shared.loyalty.calendar import grace_end
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Expiry
from shared.returning.rewards import drawn
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Tender


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
    last_days = {draw.lot: draw.last_day for draw in drawn(sold.sale) if draw.last_day}
    member = sold.sale.member
    if member is not None and member.points.expires_on:
        last_days[LotId(sold.entry_id)] = member.points.expires_on
    last_days |= {lot.lot: lot.last_day.isoformat() for lot in lots if lot.last_day is not None}
    lives_until = grace_end(today, expiry).isoformat()
    lapsed = {lot for lot, last in last_days.items() if last < today.isoformat()}
    return tuple(
        msgspec.structs.replace(
            tender,
            lots=tuple(
                msgspec.structs.replace(draw, last_day=lives_until if draw.lot in lapsed else "")
                for draw in tender.lots
            ),
        )
        for tender in refunds
    )
