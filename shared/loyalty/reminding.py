"""Which points lapse soon, and on which days members are told so."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from shared.loyalty.lots import Lot
from shared.loyalty.programme import Expiry


class LapsingSoon(NamedTuple):
    """So many points can be spent until a day."""

    last_day: date
    points: int
    days_left: int


def lapsing_soon(lots: Iterable[Lot], expiry: Expiry | None, today: date) -> list[LapsingSoon]:
    """What lapses within the programme's longest notice, soonest first.

    ``lots`` know until when they can be spent, also for want of activity.
    """
    notice = max(expiry.reminders_days, default=0) if expiry else 0
    return [one for one in _by_day(lots, today) if one.days_left <= notice]


def reminders(lots: Iterable[Lot], expiry: Expiry | None, today: date) -> list[LapsingSoon]:
    """What is to be told on a day: what lapses in just so many days as the programme names."""
    days = expiry.reminders_days if expiry else ()
    return [one for one in _by_day(lots, today) if one.days_left in days]


def _by_day(lots: Iterable[Lot], today: date) -> list[LapsingSoon]:
    points: Counter[date] = Counter()
    for lot in lots:
        if lot.last_day is not None and lot.is_alive(today):
            points[lot.last_day] += lot.points
    return [LapsingSoon(day, points[day], (day - today).days) for day in sorted(points)]
