"""What must hold for a rule: day, hour, store, member, money; ``shared.pricing`` looks at them."""

from datetime import date, time

from shared.loyalty.document import Document, GoodsSet


class Dates(Document, frozen=True, kw_only=True, tag="dates"):
    """From ``first`` to ``last`` in the store's calendar, both included."""

    first: date
    last: date


class Weekly(Document, frozen=True, kw_only=True, tag="weekly"):
    """On some weekdays (1 = Monday … 7 = Sunday), from ``start`` until before ``end``."""

    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    start: time = time.min
    end: time | None = None


class MonthDays(Document, frozen=True, kw_only=True, tag="month-days"):
    """On some days of every month, such as a member day."""

    days: tuple[int, ...]


class Stores(Document, frozen=True, kw_only=True, tag="stores"):
    """In some stores only."""

    stores: tuple[str, ...]


class Members(Document, frozen=True, kw_only=True, tag="members"):
    """For members only; of some tiers only where ``tiers`` names them."""

    tiers: tuple[str, ...] = ()


class Spend(Document, frozen=True, kw_only=True, tag="spend"):
    """At least ``minimum_minor`` of ``goods`` (of the offer's own goods where none are named).

    Measured tax-included, on what the offers before this one left.
    """

    minimum_minor: int
    goods: GoodsSet | None = None


Condition = Dates | Weekly | MonthDays | Stores | Members | Spend
