"""Which of a member's points can be spent: neither pending, nor lapsed for want of activity."""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise

from shared.loyalty.calendar import last_idle_day
from shared.loyalty.lots import Lot, dormant, pending
from shared.loyalty.programme import Programme


def usable(lots: Iterable[Lot], programme: Programme, active: Iterable[date]) -> list[Lot]:
    """The lots, knowing from when on and until when they can be spent.

    ``active`` are the days on which the member bought, earned or spent, as far as they are known.
    What lapsed in a pause between two of them stays lapsed.
    """
    found = list(lots)
    days = sorted(set(active)) if programme.expiry and programme.expiry.is_idle else []
    for day, following in pairwise([*days, date.max]):
        last = last_idle_day(day, programme.expiry)
        if last is not None and last < following:
            found = dormant(found, last)
    return pending(found, programme.earning.pending_days)
