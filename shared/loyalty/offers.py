"""Offers and coupons as the programme document states them; ``shared.pricing`` applies them."""

from datetime import date, time
from enum import IntEnum, StrEnum

from shared.loyalty.document import EVERYTHING, Document, GoodsSet, Names


class Phase(IntEnum):
    """When an offer works; each phase sees what the phases before it left."""

    LINE_PRICES = 1
    """Prices of single lines."""
    MULTI_BUY = 2
    """Nth item and other offers that use up units."""
    ITEMS = 3
    """Discounts on a set of goods."""
    BASKET = 4
    """满减 and percentages on the basket."""
    COUPONS = 5
    """What a coupon or code claims."""
    POINTS = 6
    """Points used as a discount."""


class GroupMode(StrEnum):
    """How offers of one group live together."""

    ONE = "one"
    """At most one of them applies."""
    CHAIN = "chain"
    """Each works on what is left."""
    ADD = "add"
    """Their percentages are summed, at most 100%, on the amount before the first of them."""


class Group(Document, frozen=True, kw_only=True):
    """A named group of offers."""

    id: str
    mode: GroupMode


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


class Step(Document, frozen=True, kw_only=True):
    """One rung of a 满减 ladder: reach ``threshold_minor``, take ``off_minor`` off."""

    threshold_minor: int
    off_minor: int


class Ladder(Document, frozen=True, kw_only=True, tag="ladder"):
    """满减: the highest step reached; steps rise in threshold and in what they take off.

    Where it repeats, the top step is taken as often as it fits (at most ``repeat_limit`` times
    in all, 0 meaning no limit) and the rest takes the highest step it reaches.
    """

    steps: tuple[Step, ...]
    repeats: bool = False
    repeat_limit: int = 0


class NthItem(Document, frozen=True, kw_only=True, tag="nth-item"):
    """Every ``nth`` unit is cheaper: 第二件半价 is ``nth`` 2 at 5000 basis points off.

    Units of the offer's goods are put together by falling price in sets of ``nth`` (of one article
    each where ``same_goods``), and the cheapest of each set takes the discount. At most
    ``sets_limit`` sets in one sale, 0 meaning no limit. Weighed goods take no part.
    """

    nth: int
    basis_points_off: int
    same_goods: bool = False
    sets_limit: int = 0


class PercentOff(Document, frozen=True, kw_only=True, tag="percent-off"):
    """A percentage off the offer's goods: 1000 basis points are 10%, 九折."""

    basis_points_off: int


class AmountOff(Document, frozen=True, kw_only=True, tag="amount-off"):
    """An amount off the offer's goods together, or off each unit of them."""

    off_minor: int
    each_unit: bool = False


Effect = Ladder | NthItem | PercentOff | AmountOff


class Offer(Document, frozen=True, kw_only=True):
    """One offer.

    ``goods`` is what it discounts, ``conditions`` must all hold. ``phase`` 0 is the usual place of
    its effect; within a phase lower ``rank`` works first, equal ranks in the order that is best for
    the customer. ``group`` names one of the programme's groups; a percentage on the whole basket
    without a group belongs to a common one of mode ``one``. A ``claimed`` offer works only through
    a coupon. Among equally good combinations the higher ``priority`` wins. ``at_most_minor`` caps
    what it gives in one sale, 0 meaning no cap. Lines with a hand-typed price are left alone unless
    ``on_manual_prices``.
    """

    id: str
    version: int
    names: Names
    effect: Effect
    goods: GoodsSet = EVERYTHING
    conditions: tuple[Condition, ...] = ()
    phase: int = 0
    rank: int = 0
    group: str = ""
    claimed: bool = False
    priority: int = 0
    at_most_minor: int = 0
    on_manual_prices: bool = False
    funded_by: str = "shop"

    @property
    def works_in(self) -> Phase:
        """Its phase: the one it names, or the usual one of its effect."""
        if self.phase:
            return Phase(self.phase)
        if self.claimed:
            return Phase.COUPONS
        if isinstance(self.effect, NthItem):
            return Phase.MULTI_BUY
        if isinstance(self.effect, Ladder) or self.goods.is_everything:
            return Phase.BASKET
        return Phase.ITEMS


class Coupon(Document, frozen=True, kw_only=True):
    """What a coupon is good for: it claims ``offer``; its instances carry their own codes.

    ``valid_days`` counts from the day of issue, which is the first. At most ``per_sale`` of them
    work in one sale.
    """

    id: str
    version: int
    names: Names
    offer: str
    valid_days: int
    per_sale: int = 1
