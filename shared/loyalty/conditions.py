"""What must hold for a rule: time, place, member, goods, money; ``shared.pricing`` looks at it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from enum import StrEnum
from typing import Union

from shared.loyalty.document import Document, GoodsSet, WallTime


class Dates(Document, frozen=True, kw_only=True, tag="dates"):
    """From ``first`` to ``last`` in the store's calendar, both included."""

    first: date
    last: date


class Weekly(Document, frozen=True, kw_only=True, tag="weekly"):
    """On some weekdays (1 = Monday … 7 = Sunday), from ``start`` until before ``end``.

    An ``end`` that is not after the ``start`` is that of the next day: Friday from 22:00 to 02:00
    holds on Saturday at 01:00, and not on Friday at 01:00.
    """

    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    start: WallTime = time.min
    end: WallTime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether it holds at a time on the store's wall."""
        hour, weekday = at.time(), at.isoweekday()
        if self.end is None or self.start < self.end:
            return weekday in self.weekdays and self.start <= hour and not self._is_over(hour)
        day_before = (weekday - 2) % 7 + 1
        is_begun = weekday in self.weekdays and self.start <= hour
        return is_begun or (day_before in self.weekdays and not self._is_over(hour))

    def _is_over(self, hour: time) -> bool:
        return self.end is not None and hour >= self.end


class MonthDays(Document, frozen=True, kw_only=True, tag="month-days"):
    """On some days of every month, such as a member day."""

    days: tuple[int, ...]


class Stores(Document, frozen=True, kw_only=True, tag="stores"):
    """In some stores only."""

    stores: tuple[str, ...]


class Tills(Document, frozen=True, kw_only=True, tag="tills"):
    """At some tills only."""

    tills: tuple[str, ...]


class Members(Document, frozen=True, kw_only=True, tag="members"):
    """For members only; of some tiers only where ``tiers`` names them."""

    tiers: tuple[str, ...] = ()


class Around(StrEnum):
    """How near a birthday has to be."""

    DAY = "day"
    """On the day itself; 29 February counts as 28 February in other years."""
    WEEK = "week"
    """In the calendar week of the birthday, Monday to Sunday."""
    MONTH = "month"
    """In its month."""


class Birthday(Document, frozen=True, kw_only=True, tag="birthday"):
    """Around the member's birthday."""

    within: Around = Around.DAY


class Segments(Document, frozen=True, kw_only=True, tag="segments"):
    """For members of any of these segments."""

    segments: tuple[str, ...]


class FirstSale(Document, frozen=True, kw_only=True, tag="first-sale"):
    """For the first sale of a member."""


class NthVisit(Document, frozen=True, kw_only=True, tag="nth-visit"):
    """From the member's ``minimum``-th visit on; with ``every`` only on each ``every``-th.

    A visit is a day with a sale; the running one counts.
    """

    minimum: int = 1
    every: int = 1


class Measured(StrEnum):
    """Which amount a threshold looks at."""

    LEFT = "left"
    """What the offers before it left."""
    LISTED = "listed"
    """The price before any offer."""


class Spend(Document, frozen=True, kw_only=True, tag="spend"):
    """At least ``minimum_minor`` of ``goods`` (of the rule's own goods where none are named).

    Measured tax-included, or on the ``net`` amount; on what the offers before this one left, or on
    the price before any offer.
    """

    minimum_minor: int
    goods: GoodsSet | None = None
    net: bool = False
    measured: Measured = Measured.LEFT


class Quantity(Document, frozen=True, kw_only=True, tag="quantity"):
    """At least ``minimum`` units of ``goods`` (of the rule's own where none are named).

    A weighed line counts as one.
    """

    minimum: int
    goods: GoodsSet | None = None


class Paying(Document, frozen=True, kw_only=True, tag="paying"):
    """When one of these tenders pays at least a share of the basket."""

    tenders: tuple[str, ...]
    share_basis_points: int = 10_000


class AllOf(Document, frozen=True, kw_only=True, tag="all"):
    """When each of them holds."""

    of: tuple["Condition", ...]


class AnyOf(Document, frozen=True, kw_only=True, tag="any"):
    """When at least one of them holds."""

    of: tuple["Condition", ...]


class Not(Document, frozen=True, kw_only=True, tag="not"):
    """When none of them holds."""

    of: tuple["Condition", ...]


Condition = Union[  # noqa: UP007 - the name is used above before it is there
    Dates,
    Weekly,
    MonthDays,
    Stores,
    Tills,
    Members,
    Birthday,
    Segments,
    FirstSale,
    NthVisit,
    Spend,
    Quantity,
    Paying,
    AllOf,
    AnyOf,
    Not,
]


def every(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Conditions with all that they are made of."""
    for condition in conditions:
        yield condition
        if isinstance(condition, AllOf | AnyOf | Not):
            yield from every(condition.of)
