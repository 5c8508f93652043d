"""Where a member stands on a day, as it follows from what is booked: points, lots, tier.

Nothing is booked when points lapse, a tier's validity ends or a floor is over: the day tells. A
till, the server and a return look here, so that none shows what another does not.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol

from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending, Standing, TierFloor, standing
from shared.loyalty.usable import usable


class Booked(Protocol):
    """What the books say of a member."""

    @property
    def lots(self) -> Sequence[Lot]:
        """Of points; one named ``debt`` is what the member owes."""

    @property
    def spending(self) -> Sequence[Spending]:
        """What each sale counts towards tiers."""

    @property
    def floors(self) -> Sequence[TierFloor]:
        """Tiers set by hand."""


def lots_now(member: Booked, programme: Programme) -> list[Lot]:
    """The lots, knowing from when on and until when they can be spent."""
    return usable_lots(member.lots, member.spending, programme)


def usable_lots(
    lots: Sequence[Lot], spending: Sequence[Spending], programme: Programme
) -> list[Lot]:
    """The same of lots that are not booked yet."""
    days = [one.day for one in spending] + [lot.earned_on for lot in lots]
    return usable(lots, programme, [day for day in days if day > date.min])


def held(lots: Iterable[Lot], today: date) -> int:
    """Points that have not lapsed, pending ones too, less what is owed."""
    return sum(lot.points for lot in lots if lot.points < 0 or lot.is_alive(today))


def points_now(member: Booked, programme: Programme, today: date) -> int:
    """What the member has on a day."""
    return held(lots_now(member, programme), today)


def standing_now(member: Booked, programme: Programme, today: date) -> Standing:
    """The member's tier on a day, and the way to the next one."""
    return standing_with(member, programme, today, points=points_now(member, programme, today))


def standing_with(
    member: Booked,
    programme: Programme,
    today: date,
    *,
    points: int,
    spending: Sequence[Spending] | None = None,
) -> Standing:
    """The same with other points, or another history, than are booked yet."""
    history = member.spending if spending is None else spending
    return standing(history, programme.tiers, today, _floor(member, programme, today), points)


def _floor(member: Booked, programme: Programme, today: date) -> TierFloor | None:
    """The highest tier set by hand that is not over; of the same one the later end."""
    ladder = [tier.id for tier in programme.tiers.ladder]
    holding = [one for one in member.floors if one.tier in ladder and today <= one.last_day]
    return max(holding, key=lambda one: (ladder.index(one.tier), one.last_day), default=None)
