"""What an offer does, as the programme document states it."""

from shared.loyalty.document import Document, GoodsSet


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


class PercentStep(Document, frozen=True, kw_only=True):
    """One rung of a ladder of percentages."""

    threshold_minor: int
    basis_points_off: int


class PercentLadder(Document, frozen=True, kw_only=True, tag="percent-ladder"):
    """The percentage of the highest step that the offer's goods reach together, off all of them."""

    steps: tuple[PercentStep, ...]


class FixedPrice(Document, frozen=True, kw_only=True, tag="fixed-price"):
    """A price per piece or kilogram, where it is lower than what is left to pay."""

    price_minor: int


class NthItem(Document, frozen=True, kw_only=True, tag="nth-item"):
    """Every ``nth`` unit is cheaper: 第二件半价 is ``nth`` 2 at 5000 basis points off.

    Units of the offer's goods are put together by falling price in sets of ``nth`` (of one article
    each where ``same_goods``), and the ``cheaper`` cheapest of each set take the discount: 3 for
    the price of 2 is ``nth`` 3 at 10000. The saving is spread by price over the units of the sets.
    At most ``sets_limit`` sets in one sale, 0 meaning no limit. Weighed goods take no part.
    """

    nth: int
    basis_points_off: int
    same_goods: bool = False
    sets_limit: int = 0
    cheaper: int = 1


class SetPrice(Document, frozen=True, kw_only=True, tag="set-price"):
    """Any ``units`` of the offer's goods (of one article where ``same_goods``) for one price.

    Sets are made by falling price while that is cheaper, at most ``sets_limit`` (0: no limit).
    """

    units: int
    price_minor: int
    same_goods: bool = False
    sets_limit: int = 0


class BundlePart(Document, frozen=True, kw_only=True):
    """``units`` of any of ``goods``: a choice where there are several."""

    goods: GoodsSet
    units: int = 1


class Bundle(Document, frozen=True, kw_only=True, tag="bundle"):
    """Goods that are cheaper together: a set price, an amount or a percentage off the set.

    Exactly one of ``price_minor``, ``off_minor`` and ``basis_points_off`` is stated. Each set
    takes the dearest units not used yet with which all its parts can be filled; sets are made while
    they are cheaper, at most ``sets_limit`` (0: no limit). The goods of the offer are those of its
    parts.
    """

    parts: tuple[BundlePart, ...]
    price_minor: int = 0
    off_minor: int = 0
    basis_points_off: int = 0
    sets_limit: int = 0


class FreeUnits(Document, frozen=True, kw_only=True, tag="free-units"):
    """The cheapest ``units`` of the offer's goods in the basket are free, or cheaper."""

    units: int = 1
    basis_points_off: int = 10_000


class FurtherUnits(Document, frozen=True, kw_only=True, tag="further-units"):
    """``units`` more of an article for every ``per_units`` paid of it, at 0; whole units only.

    0.4 free per unit is 2 per 5: seven paid give two further ones. With ``together`` units of all
    the offer's goods count as one, and those on top are of an article that is bought: the customer
    chooses where there are several.
    """

    per_units: int
    units: int = 1
    together: bool = False


class Gift(Document, frozen=True, kw_only=True, tag="gift"):
    """``units`` of one of these articles on top, at 0; the customer chooses where several are.

    With ``mixed`` each unit is chosen for itself, so that they may be of several articles.
    """

    choices: tuple[str, ...]
    units: int = 1
    mixed: bool = False


class IssueCoupon(Document, frozen=True, kw_only=True, tag="issue-coupon"):
    """``units`` codes of a coupon for a later sale; with ``per_minor`` that many for every so much.

    What counts for ``per_minor`` is what earlier offers left to pay of the offer's goods.
    """

    coupon: str
    units: int = 1
    per_minor: int = 0


class PercentOff(Document, frozen=True, kw_only=True, tag="percent-off"):
    """A percentage off the offer's goods: 1000 basis points are 10%, 九折.

    With ``spares_multi_buy`` units that multi-buy offers used are left out.
    """

    basis_points_off: int
    spares_multi_buy: bool = False


class AmountOff(Document, frozen=True, kw_only=True, tag="amount-off"):
    """An amount off the offer's goods together, or off each unit of them."""

    off_minor: int
    each_unit: bool = False


class RoundDown(Document, frozen=True, kw_only=True, tag="round-down"):
    """What is left of the offer's goods goes down to a multiple of ``step_minor``: 抹零 for all.

    It works for every way of paying, unlike the rounding of cash.
    """

    step_minor: int


Discount = (
    Ladder
    | PercentLadder
    | FixedPrice
    | NthItem
    | SetPrice
    | Bundle
    | FreeUnits
    | PercentOff
    | AmountOff
    | RoundDown
)
"""What takes something off the price."""
Addition = FurtherUnits | Gift | IssueCoupon
"""What is given on top and changes no price."""
Effect = Discount | Addition
NET = Ladder | PercentLadder | FixedPrice | PercentOff | AmountOff
"""What can work on net amounts."""
MULTI_BUY = NthItem | SetPrice | Bundle | FreeUnits | FurtherUnits | Gift
"""What works in the phase of multi-buy offers, if an offer does not say otherwise."""
