"""Whether a condition holds, read off the programme page as plain yes or no."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import assert_never

from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Dates,
    FirstSale,
    Members,
    MonthDays,
    Not,
    NthVisit,
    Paying,
    Quantity,
    Segments,
    Spend,
    Stores,
    Tills,
    Weekly,
)
from shared.pricing.basket import Basket, MemberContext

Measure = Callable[[Spend | Quantity], int]
"""How much there is of what a threshold measures."""


def holds(condition: Condition, basket: Basket, measure: Measure) -> bool:
    """Whether a condition holds, with thresholds measured as the caller knows how."""
    match condition:
        case Spend():
            return measure(condition) >= condition.minimum_minor
        case Quantity():
            return measure(condition) >= condition.minimum
        case AllOf():
            return all(holds(one, basket, measure) for one in condition.of)
        case AnyOf():
            return any(holds(one, basket, measure) for one in condition.of)
        case Not():
            return not any(holds(one, basket, measure) for one in condition.of)
        case _:
            return holds_for(condition, basket)


def _is_within(condition: Weekly, at: datetime, day: date) -> bool:
    """Whether a time is in the hours that begin on a day."""
    begins = datetime.combine(day, condition.start)
    ends = datetime.combine(day, condition.end or time.min)
    if ends <= begins:
        ends += timedelta(1)
    return day.isoweekday() in condition.weekdays and begins <= at.replace(tzinfo=None) < ends


def holds_for(condition: Condition, basket: Basket) -> bool:
    """Whether time, place, member and tender are those of a condition."""
    match condition:
        case Dates():
            return condition.first <= basket.at.date() <= condition.last
        case Weekly():
            return any(
                _is_within(condition, basket.at, day)
                for day in (basket.at.date(), basket.at.date() - timedelta(1))
            )
        case MonthDays():
            return basket.at.day in condition.days
        case Stores():
            return basket.store in condition.stores
        case Tills():
            return basket.till in condition.tills
        case Paying():
            own = [one for one in basket.paying if one.tender in condition.tenders]
            return sum(one.share_basis_points for one in own) >= condition.share_basis_points
        case Members() | Segments() | FirstSale() | NthVisit():
            return basket.member is not None and _suits(condition, basket.member)
        case _:
            raise AssertionError(condition)


def _suits(condition: Members | Segments | FirstSale | NthVisit, member: MemberContext) -> bool:
    match condition:
        case Members():
            return not condition.tiers or member.tier in condition.tiers
        case Segments():
            return bool({*member.segments} & {*condition.segments})
        case FirstSale():
            return member.sales == 0
        case NthVisit():
            visit = member.visits + (0 if member.was_here_today else 1)
            return visit >= condition.minimum and visit % condition.every == 0
        case _:
            assert_never(condition)
