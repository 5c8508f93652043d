"""Whether conditions can hold at the same time, as far as their figures and names tell.

Conditions are taken apart into ways in which all of them could hold; a way is impossible where two
of its conditions contradict each other. ``True`` may be wrong where goods or members decide, which
nobody knows here; ``False`` never is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Final

from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
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

WAYS_MAX: Final = 256
"""More ways than this are not looked at."""
DAYS: Final = 366 * 4 + 1
"""So many days hold every weekday on every day of the month, a leap year included."""
ALL: Final = 10_000
"""Basis points of the whole basket."""
OF_TIME: Final = Dates | Weekly | MonthDays
OF_MEMBER: Final = Birthday | Segments | FirstSale | NthVisit


@dataclass(frozen=True, slots=True)
class Way:
    """Conditions that all hold, and some that do not."""

    holds: tuple[Condition, ...] = ()
    fails: tuple[Condition, ...] = ()

    def __add__(self, other: "Way") -> "Way":
        return Way((*self.holds, *other.holds), (*self.fails, *other.fails))


def can_hold(conditions: Iterable[Condition], today: date) -> bool:
    """Whether all conditions can hold together on some day from ``today`` on."""
    ways = _ways_of_all(tuple(conditions), is_meant=True)
    return len(ways) > WAYS_MAX or any(_is_possible(way, today) for way in ways)


def _ways_of_all(conditions: Sequence[Condition], *, is_meant: bool) -> list[Way]:
    """Ways in which each of the conditions holds, or (``is_meant`` false) at least one does not."""
    parts = [_ways(one, is_meant=is_meant) for one in conditions]
    if not is_meant:
        return [way for part in parts for way in part]
    ways = [Way()]
    for part in parts:
        ways = [one + other for one, other in product(ways, part)]
        if len(ways) > WAYS_MAX:
            break
    return ways


def _ways(condition: Condition, *, is_meant: bool) -> list[Way]:
    match condition:
        case AllOf(of=of):
            return _ways_of_all(of, is_meant=is_meant)
        case AnyOf(of=of):
            # At least one holds: not each of them fails.
            return _any(of, is_meant=is_meant)
        case Not(of=of):
            return _any(of, is_meant=not is_meant)
        case _:
            return [Way(holds=(condition,)) if is_meant else Way(fails=(condition,))]


def _any(conditions: Sequence[Condition], *, is_meant: bool) -> list[Way]:
    """Ways in which at least one condition holds, or (``is_meant`` false) none does."""
    if is_meant:
        return [way for one in conditions for way in _ways(one, is_meant=True)]
    ways = [Way()]
    for one in conditions:
        ways = [way + more for way, more in product(ways, _ways(one, is_meant=False))]
        if len(ways) > WAYS_MAX:
            break
    return ways


def _is_possible(way: Way, today: date) -> bool:
    return (
        not any(one in way.fails for one in way.holds)
        and _is_somewhere(way)
        and _has_member(way)
        and _is_enough_and_not_too_much(way)
        and _can_be_paid(way)
        and _comes(way, today)
    )


def _is_somewhere(way: Way) -> bool:
    """Whether some store, and some till, is named by all and ruled out by none."""
    for kind in (Stores, Tills):
        named = [set(_places(one)) for one in way.holds if isinstance(one, kind)]
        ruled_out = {place for one in way.fails if isinstance(one, kind) for place in _places(one)}
        if named and not set.intersection(*named) - ruled_out:
            return False
    return True


def _places(condition: Condition) -> tuple[str, ...]:
    match condition:
        case Stores(stores=places) | Tills(tills=places):
            return places
        case _:
            return ()


def _has_member(way: Way) -> bool:
    """Whether nobody has to be a member and none, of no tier, or new and known at once."""
    asked = [one for one in way.holds if isinstance(one, Members)]
    refused = [one for one in way.fails if isinstance(one, Members)]
    needs_one = bool(asked) or any(isinstance(one, OF_MEMBER) for one in way.holds)
    if needs_one and any(not one.tiers for one in refused):
        return False
    tiers = [set(one.tiers) for one in asked if one.tiers]
    ruled_out = {tier for one in refused for tier in one.tiers}
    if tiers and not set.intersection(*tiers) - ruled_out:
        return False
    is_first = any(isinstance(one, FirstSale) for one in way.holds)
    return not (is_first and any(isinstance(v, NthVisit) and v.minimum > 1 for v in way.holds))


def _is_enough_and_not_too_much(way: Way) -> bool:
    """Whether no threshold has to be reached and a lower one of the same not to be."""
    for one in way.holds:
        for other in way.fails:
            match one, other:
                case Spend(), Spend():
                    is_same = (one.goods, one.net, one.measured) == (
                        other.goods,
                        other.net,
                        other.measured,
                    )
                    if is_same and other.minimum_minor <= one.minimum_minor:
                        return False
                case Quantity(), Quantity():
                    if one.goods == other.goods and other.minimum <= one.minimum:
                        return False
                case NthVisit(every=1), NthVisit(every=1):
                    if other.minimum <= one.minimum:
                        return False
                case _:
                    pass
    return True


def _can_be_paid(way: Way) -> bool:
    """Whether tenders that have nothing in common need not pay more than everything."""
    asked = [one for one in way.holds if isinstance(one, Paying)]
    return not any(
        set(one.tenders).isdisjoint(other.tenders)
        and one.share_basis_points + other.share_basis_points > ALL
        for n, one in enumerate(asked)
        for other in asked[:n]
    )


def _comes(way: Way, today: date) -> bool:
    """Whether some moment from today on is within all times that are asked for."""
    holds = [one for one in way.holds if isinstance(one, OF_TIME)]
    fails = [one for one in way.fails if isinstance(one, OF_TIME)]
    if not holds and not fails:
        return True
    first = max([today, *(one.first for one in holds if isinstance(one, Dates))])
    # What ends one day may begin on the next.
    starts = {first, *(one.last + timedelta(1) for one in fails if isinstance(one, Dates))}
    windows = [one for one in (*holds, *fails) if isinstance(one, Weekly)]
    times = {time.min, *(one.start for one in windows), *(one.end for one in windows if one.end)}
    return any(
        all(_covers(one, at) for one in holds) and not any(_covers(one, at) for one in fails)
        for start in starts
        if start >= first
        for day in range(DAYS)
        for at in (datetime.combine(start + timedelta(day), moment) for moment in times)
    )


def _covers(condition: Condition, at: datetime) -> bool:
    match condition:
        case Dates(first=first, last=last):
            return first <= at.date() <= last
        case Weekly():
            return condition.covers(at)
        case MonthDays(days=days):
            return at.day in days
        case _:
            return True
