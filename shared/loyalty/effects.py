"""What an offer does, as the programme document states it."""

from shared.loyalty.document import Document


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
