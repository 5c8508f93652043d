"""Which of a member's points can be spent: neither pending, nor lapsed for want of activity."""

from collections.abc import Iterable
from datetime import date

from shared.loyalty.calendar import last_idle_day
from shared.loyalty.lots import Lot, dormant, pending
from shared.loyalty.programme import Programme


def usable(lots: Iterable[Lot], programme: Programme, active: date | None) -> list[Lot]:
    """The lots, knowing from when on and until when they can be spent.

    ``active`` is the last day on which the member bought, earned or spent; None: not known.
    """
    last = last_idle_day(active, programme.expiry) if active else None
    return pending(dormant(lots, last), programme.earning.pending_days)
