"""Spent points that come back: to their lots, and for another while where those have lapsed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import msgspec

from shared.ids import LotId
from shared.loyalty.calendar import grace_end
from shared.loyalty.lots import DEBT, Lot
from shared.loyalty.programme import Expiry
from shared.trade.fact import LotDraw


def last_days_of(draws: Iterable[LotDraw], lots: Iterable[Lot]) -> dict[LotId, date]:
    """Until when lots are good, by what is known of them now, else by what paid told of them."""
    told = {draw.lot: date.fromisoformat(draw.last_day) for draw in draws if draw.last_day}
    return told | {lot.lot: lot.last_day for lot in lots if lot.last_day is not None}


def living_on(
    given: Iterable[LotDraw], last_days: Mapping[LotId, date], today: date, expiry: Expiry | None
) -> tuple[LotDraw, ...]:
    """What comes back, telling of each lot that had lapsed how long it can be spent."""
    until = grace_end(today, expiry).isoformat()
    return tuple(
        msgspec.structs.replace(
            draw, last_day=until if last_days.get(draw.lot, today) < today else ""
        )
        for draw in given
    )


def filled(lots: Iterable[Lot], given: Iterable[LotDraw]) -> list[Lot]:
    """The lots with what comes back to them; one that had lapsed lives as long as told."""
    more: Counter[LotId] = Counter()
    until: dict[LotId, date] = {}
    for draw in given:
        more[draw.lot] += draw.points
        if draw.last_day:
            until[draw.lot] = date.fromisoformat(draw.last_day)
    held = [
        replace(
            lot, points=lot.points + more.pop(lot.lot), last_day=until.get(lot.lot, lot.last_day)
        )
        if lot.lot in more
        else lot
        for lot in lots
    ]
    empty = [
        Lot(lot=lot, points=points, earned_on=date.min, last_day=until.get(lot))
        for lot, points in more.items()
        if lot != DEBT
    ]
    return held + empty
