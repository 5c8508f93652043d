"""Which tier a history of spending gives, on any day, and what is missing to the next.

A function of the history alone: a return lowers the amount of its sale, and the tier is then what
it would have been had the returned units never been bought.
"""

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import groupby
from typing import assert_never

from shared.loyalty.calendar import add_months
from shared.loyalty.programme import (
    BalanceReached,
    Fall,
    GrowthReached,
    InOneSale,
    InTotal,
    InWindow,
    TierCondition,
    Tiers,
    VisitsReached,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What one sale still counts for, after its returns: earning base, and growth."""

    sale: str
    day: date
    spend_minor: int
    growth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """What is missing to a condition of the next tier.

    ``missing`` is in minor units, growth or visits as the condition counts. ``until`` is the last
    day on which that figure holds, because then the oldest sale leaves the window; None: no end.
    """

    condition: TierCondition
    missing: int
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member's tier, its last day where it has one, and the way to the next one."""

    tier: str
    last_day: date | None = None
    next_tier: str = ""
    wanting: tuple[Wanting, ...] = ()

    @property
    def nearest(self) -> Wanting | None:
        """The way to the next tier with the least money missing, if money is a way."""
        money = [w for w in self.wanting if isinstance(w.condition, InTotal | InOneSale | InWindow)]
        return min(money, key=lambda want: want.missing, default=None)


@dataclass(frozen=True, slots=True)
class TierFloor:
    """A tier set by hand: no lower until the end of a day."""

    tier: str
    last_day: date


def standing(
    history: Iterable[Spending],
    tiers: Tiers,
    today: date,
    floor: TierFloor | None = None,
    balance: int = 0,
) -> Standing:
    """The tier that a history gives on a day. Sales after that day do not count yet.

    ``balance`` is the points held on that day, which tiers that follow the balance look at.
    """
    known = sorted(
        (one for one in history if one.day <= today), key=lambda one: (one.day, one.sale)
    )
    walk = _Walk(tiers, floor, _Past(balance=balance))
    for day, sales in groupby(known, key=lambda one: one.day):
        walk.review_until(day)
        walk.past.add(day, list(sales))
        walk.rise(day)
    walk.review_until(today)
    return walk.standing(today)


@dataclass(slots=True)
class _Past:
    """What was spent up to each day, so that any window is a difference of two sums."""

    days: list[date] = field(default_factory=list)
    spend: list[int] = field(default_factory=lambda: [0])
    growth: list[int] = field(default_factory=lambda: [0])
    visits: list[int] = field(default_factory=lambda: [0])
    largest: int = 0
    balance: int = 0

    def add(self, day: date, sales: Sequence[Spending]) -> None:
        spend = sum(sale.spend_minor for sale in sales)
        self.days.append(day)
        self.spend.append(self.spend[-1] + spend)
        self.growth.append(self.growth[-1] + sum(sale.growth for sale in sales))
        self.visits.append(self.visits[-1] + (spend > 0))
        self.largest = max(self.largest, *(sale.spend_minor for sale in sales))

    def wanting(self, condition: TierCondition, day: date) -> Wanting:
        """What is missing to a condition on a day."""
        months = _window_months(condition)
        first = bisect(self.days, day, key=lambda d: add_months(d, months)) if months else 0
        until = None
        if months:
            spent = bisect(self.visits, self.visits[first]) - 1
            if spent < len(self.days):
                until = add_months(self.days[spent], months) - timedelta(days=1)
        missing = max(0, self._missing(condition, first))
        return Wanting(condition=condition, missing=missing, until=until)

    def _missing(self, condition: TierCondition, first: int) -> int:
        match condition:
            case InTotal() | InWindow():
                return condition.spend_minor - (self.spend[-1] - self.spend[first])
            case InOneSale():
                return condition.spend_minor - self.largest
            case GrowthReached():
                return condition.growth - self.growth[-1]
            case VisitsReached():
                return condition.visits - (self.visits[-1] - self.visits[first])
            case BalanceReached():
                return condition.points - self.balance
            case _:
                assert_never(condition)


@dataclass(slots=True)
class _Walk:
    """A member's way through time: from sale to sale and from review to review."""

    tiers: Tiers
    floor: TierFloor | None
    past: _Past = field(default_factory=_Past)
    level: int = 0
    valid_until: date | None = None
    """First day of the review; None where the level is kept for good."""

    def rise(self, day: date) -> None:
        """Up at once, or on for another validity where the window of the level holds again."""
        lasting = self._lasting_level(day)
        for level in range(len(self.tiers.ladder) - 1, self.level - 1, -1):
            if level <= lasting:
                self._settle(level, None)
                return
            if level and self._holds_in_window(level, day):
                if level > self.level or self._is_in_grace(day):
                    self._settle(level, add_months(day, self.tiers.validity_months))
                return

    def review_until(self, day: date) -> None:
        """Hold every review that is due up to and including a day."""
        while self.valid_until is not None and self.valid_until <= day:
            due = self.valid_until
            if self._lasting_level(due) >= self.level:
                self._settle(self.level, None)
            elif self._holds_in_window(self.level, due):
                self._settle(self.level, add_months(due, self.tiers.validity_months))
            elif due + timedelta(days=self.tiers.grace_days) <= day:
                self._fall(due + timedelta(days=self.tiers.grace_days))
            else:
                return

    def standing(self, today: date) -> Standing:
        """Where the member stands."""
        level, until = self.level, self.valid_until
        if (by_balance := self._level_by_balance()) > level:
            level, until = by_balance, None
        last = until + timedelta(days=self.tiers.grace_days - 1) if until else None
        if self.floor is not None and today <= self.floor.last_day:
            ladder = [tier.id for tier in self.tiers.ladder]
            if self.floor.tier in ladder and ladder.index(self.floor.tier) > level:
                level, last = ladder.index(self.floor.tier), self.floor.last_day
        if level + 1 == len(self.tiers.ladder):
            return Standing(tier=self.tiers.ladder[level].id, last_day=last)
        following = self.tiers.ladder[level + 1]
        wanting = tuple(self.past.wanting(one, today) for one in following.reached_by)
        tier = self.tiers.ladder[level].id
        return Standing(tier=tier, last_day=last, next_tier=following.id, wanting=wanting)

    def _settle(self, level: int, valid_until: date | None) -> None:
        self.level, self.valid_until = level, valid_until

    def _is_in_grace(self, day: date) -> bool:
        return self.valid_until is not None and self.valid_until <= day

    def _fall(self, day: date) -> None:
        lasting = self._lasting_level(day)
        lowest = self.level - 1 if self.tiers.fall is Fall.ONE_STEP else 0
        in_window = [i for i in range(1, self.level) if self._holds_in_window(i, day)]
        level = max(lowest, lasting, *in_window, 0)
        is_lasting = level <= lasting
        self._settle(level, None if is_lasting else add_months(day, self.tiers.validity_months))

    def _lasting_level(self, day: date) -> int:
        """The highest level that a condition without a window gives."""
        held = [0]
        for level, tier in enumerate(self.tiers.ladder):
            lasting = (one for one in tier.reached_by if _is_lasting(one))
            if any(self.past.wanting(one, day).missing <= 0 for one in lasting):
                held.append(level)
        return max(held)

    def _level_by_balance(self) -> int:
        """The highest level that the points held now give."""
        held = [
            level
            for level, tier in enumerate(self.tiers.ladder)
            for one in tier.reached_by
            if isinstance(one, BalanceReached) and one.points <= self.past.balance
        ]
        return max(held, default=0)

    def _holds_in_window(self, level: int, day: date) -> bool:
        windowed = (one for one in self.tiers.ladder[level].reached_by if _window_months(one))
        return any(self.past.wanting(one, day).missing <= 0 for one in windowed)


def _is_lasting(condition: TierCondition) -> bool:
    """Whether a tier reached by it is kept while it holds, whatever happens later."""
    return not isinstance(condition, BalanceReached) and _window_months(condition) == 0


def _window_months(condition: TierCondition) -> int:
    return condition.months if isinstance(condition, InWindow | VisitsReached) else 0
