"""Whether a rule holds for this basket, as far as no other offer can change it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from shared.loyalty.calendar import anniversary
from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
    Around,
    Birthday,
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
from shared.loyalty.document import GoodsSet
from shared.pricing.basket import Basket
from shared.pricing.quote import Reason


class Hindrance(NamedTuple):
    """Why a rule does not hold; how many units are missing where that is why."""

    reason: Reason
    missing_units: int = 0


def hindrance(
    conditions: Sequence[Condition], basket: Basket, own: GoodsSet | None = None
) -> Hindrance | None:
    """The first condition that does not hold; None where all do, or may.

    ``own`` are the goods of the rule. Thresholds on money are not looked at here (they may hold):
    what they measure depends on the offers before them.
    """
    if not conditions:
        return None
    found = (_hindrance(condition, basket, own) for condition in conditions)
    return next((one for one in found if one is not None), None)


def _hindrance(condition: Condition, basket: Basket, own: GoodsSet | None) -> Hindrance | None:
    match condition:
        case Quantity():
            missing = condition.minimum - _units(condition.goods or own, basket)
            return Hindrance(Reason.MISSING_UNITS, missing) if missing > 0 else None
        case AllOf(of=of):
            return hindrance(of, basket, own)
        case AnyOf(of=of):
            found = [_hindrance(one, basket, own) for one in of]
            return found[0] if found and all(found) else None
        case Not(of=of):
            is_hindered = any(_certainly_holds(one, basket, own) for one in of)
            return Hindrance(Reason.EXCLUDED) if is_hindered else None
        case Spend():
            return None
        case _:
            reason = _reason_against(condition, basket)
            return Hindrance(reason) if reason else None


def _reason_against(condition: Condition, basket: Basket) -> Reason | None:
    """Why time, place, member or tender are not those of a condition."""
    match condition:
        case Dates() | Weekly() | MonthDays():
            return None if _is_now(condition, basket) else Reason.NOT_NOW
        case Stores() | Tills():
            return None if _is_here(condition, basket) else Reason.NOT_HERE
        case Members():
            return None if _is_meant(condition, basket) else Reason.MEMBERS_ONLY
        case Birthday() | Segments() | FirstSale() | NthVisit():
            return None if _is_about(condition, basket) else Reason.NOT_FOR_THIS_MEMBER
        case Paying():
            return None if _is_paid_so(condition, basket) else Reason.OTHER_TENDER
        case _:
            raise AssertionError(condition)


def _certainly_holds(condition: Condition, basket: Basket, own: GoodsSet | None) -> bool:
    return not is_about_money(condition) and _hindrance(condition, basket, own) is None


def is_about_money(condition: Condition) -> bool:
    """Whether a condition, or a part of it, is a threshold that other offers can move."""
    match condition:
        case Spend():
            return True
        case AllOf(of=of) | AnyOf(of=of) | Not(of=of):
            return any(map(is_about_money, of))
        case _:
            return False


def _is_now(condition: Dates | Weekly | MonthDays, basket: Basket) -> bool:
    match condition:
        case Dates(first=first, last=last):
            return first <= basket.at.date() <= last
        case MonthDays(days=days):
            return basket.at.day in days
        case Weekly():
            return condition.covers(basket.at)


def _is_here(condition: Stores | Tills, basket: Basket) -> bool:
    if isinstance(condition, Stores):
        return basket.store in condition.stores
    return basket.till in condition.tills


def _is_meant(condition: Members, basket: Basket) -> bool:
    if basket.member is None:
        return False
    return not condition.tiers or basket.member.tier in condition.tiers


def _is_about(condition: Birthday | Segments | FirstSale | NthVisit, basket: Basket) -> bool:
    member = basket.member
    if member is None:
        return False
    match condition:
        case Segments(segments=segments):
            return any(segment in segments for segment in member.segments)
        case FirstSale():
            return member.sales == 0
        case NthVisit(minimum=minimum, every=every):
            visit = member.visits + (not member.was_here_today)
            return visit >= minimum and visit % every == 0
        case Birthday(within=within):
            return within in member.birthday


def around_birthday(born: date | None, today: date) -> tuple[Around, ...]:
    """How near a birthday is on a day, in each way that holds; the year of ``born`` is not needed.

    Nothing for somebody whose birthday is not known.
    """
    if born is None:
        return ()
    return tuple(within for within in Around if _is_around(born, today, within))


def _is_around(born: date, today: date, within: Around) -> bool:
    if within is Around.MONTH:
        return born.month == today.month
    days = [anniversary(born, year) for year in (today.year - 1, today.year, today.year + 1)]
    if within is Around.DAY:
        return today in days
    monday = today - timedelta(days=today.weekday())
    return any(monday <= day < monday + timedelta(days=7) for day in days)


def _is_paid_so(condition: Paying, basket: Basket) -> bool:
    share = sum(one.share_basis_points for one in basket.paying if one.tender in condition.tenders)
    return share >= condition.share_basis_points


def _units(goods: GoodsSet | None, basket: Basket) -> int:
    return sum(
        line.units or 1
        for line in basket.lines
        if not line.comes_in and (goods is None or goods.contains(line.goods))
    )
