"""Whether a rule holds for this basket: day, hour, store and member."""

from collections.abc import Iterable

from shared.loyalty.conditions import Condition, Dates, Members, MonthDays, Stores, Weekly
from shared.pricing.basket import Basket
from shared.pricing.quote import Reason


def hindrance(conditions: Iterable[Condition], basket: Basket) -> Reason | None:
    """The first condition that does not hold; None where all do.

    Thresholds are not looked at here: what they measure depends on the offers before them.
    """
    for condition in conditions:
        match condition:
            case Dates() if not condition.first <= basket.at.date() <= condition.last:
                return Reason.NOT_NOW
            case Weekly() if not _in_week(condition, basket):
                return Reason.NOT_NOW
            case MonthDays() if basket.at.day not in condition.days:
                return Reason.NOT_NOW
            case Stores() if basket.store not in condition.stores:
                return Reason.NOT_HERE
            case Members() if not _is_meant(condition, basket):
                return Reason.MEMBERS_ONLY
            case _:
                pass
    return None


def _in_week(condition: Weekly, basket: Basket) -> bool:
    hour = basket.at.time()
    in_hours = condition.start <= hour and (condition.end is None or hour < condition.end)
    return in_hours and basket.at.isoweekday() in condition.weekdays


def _is_meant(condition: Members, basket: Basket) -> bool:
    if basket.member is None:
        return False
    return not condition.tiers or basket.member.tier in condition.tiers
