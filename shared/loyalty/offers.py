"""Offers and coupons as the programme document states them; ``shared.pricing`` applies them."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from shared.loyalty.conditions import Condition
from shared.loyalty.document import EVERYTHING, Document, GoodsSet, Names
from shared.loyalty.effects import MULTI_BUY, Effect, FixedPrice, Gift, Ladder, PercentLadder


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


class Limits(Document, frozen=True, kw_only=True):
    """How often an offer may be used; 0 means no limit.

    What crosses tills counts own sales and the last known figure.
    """

    per_member: int = 0
    per_member_and_day: int = 0
    per_store: int = 0
    in_total: int = 0


class Offer(Document, frozen=True, kw_only=True):
    """One offer.

    ``goods`` is what it discounts, ``conditions`` must all hold. ``phase`` 0 is the usual place of
    its effect; within a phase lower ``rank`` works first, equal ranks in the order that is best for
    the customer. ``group`` names one of the programme's groups; a percentage on the whole basket
    without a group belongs to a common one of mode ``one``. A ``claimed`` offer works only through
    a coupon, or, ``by_hand``, when the cashier claims it, as an add-on price. Among equally good
    combinations the higher ``priority`` wins. ``at_most_minor`` caps what it gives in one sale, 0
    meaning no cap. Lines with a hand-typed price are left alone unless ``on_manual_prices``. An
    offer that ``costs_points`` is a reward: claimed at the till, it takes so many points each time.
    Amounts, thresholds and caps of a ``net`` one are without tax. A multi-buy offer that
    ``reuses_units`` neither cares which units others used nor uses up any.
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
    limits: Limits = Limits()
    costs_points: int = 0
    by_hand: bool = False
    net: bool = False
    reuses_units: bool = False

    @property
    def is_reward(self) -> bool:
        """Whether it is claimed at the till without a code, for points or by hand."""
        return self.costs_points > 0 or self.by_hand

    @property
    def works_in(self) -> Phase:
        """Its phase: the one it names, or the usual one of its effect."""
        if self.phase:
            return Phase(self.phase)
        if self.costs_points:
            return Phase.POINTS
        if self.claimed and not self.by_hand:
            return Phase.COUPONS
        if isinstance(self.effect, FixedPrice):
            return Phase.LINE_PRICES
        if isinstance(self.effect, MULTI_BUY):
            return Phase.MULTI_BUY
        if isinstance(self.effect, Ladder | PercentLadder) or self.goods.is_everything:
            return Phase.BASKET
        return Phase.ITEMS

    @property
    def place(self) -> tuple[int, int]:
        """When it works: its phase, and its rank in it."""
        return self.works_in, self.rank


def mixed_gifts(offers: Iterable[Offer]) -> frozenset[str]:
    """The offers whose gifts are chosen unit by unit, by id."""
    return frozenset(
        [one.id for one in offers if isinstance(one.effect, Gift) and one.effect.mixed]
    )


class Coupon(Document, frozen=True, kw_only=True):
    """What a coupon is good for: it claims ``offer``; its instances carry their own codes.

    ``valid_days`` counts from the day of issue, which is the first; ``from_days`` later it begins.
    At most ``per_sale`` of them work in one sale; a code is good for ``uses`` sales. One that is
    ``personal`` works only for the member it was issued to, and no sale without one issues it.
    When the sale that used it comes back it is given back, when the sale that issued it does it is
    voided, unless the programme says otherwise.
    """

    id: str
    version: int
    names: Names
    offer: str
    valid_days: int
    per_sale: int = 1
    uses: int = 1
    from_days: int = 0
    personal: bool = False
    goes_back: bool = True
    is_voided: bool = True
