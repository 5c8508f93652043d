"""Reasons to come back, in the document's words: referral, partners, visit cards, prize draws."""

from shared.loyalty.document import EVERYTHING, Document, GoodsSet, Names, WallDateTime


class Referral(Document, frozen=True, kw_only=True):
    """Points for both when a member who was referred first buys for at least ``minimum_minor``.

    Nobody refers themselves. ``per_member`` is how many friends count, 0 meaning all. ``names`` is
    what receipts call it.
    """

    names: Names = Names(zh="推荐奖励", en="Referral")
    points_for_friend: int
    points_for_referrer: int
    minimum_minor: int = 0
    per_member: int = 0


class Action(Document, frozen=True, kw_only=True):
    """Points for something else than buying: joining, a birthday, a survey, a check-in.

    It counts ``per_member``, ``per_member_and_year`` and ``per_member_and_day`` times at most, 0
    meaning no limit.
    """

    id: str
    names: Names
    points: int
    per_member: int = 0
    per_member_and_year: int = 0
    per_member_and_day: int = 0


class Partner(Document, frozen=True, kw_only=True):
    """A business whose customers earn our points, at its own rate, which it pays for.

    ``points`` for every ``per_minor`` spent there; the partner owes ``price_per_block_minor`` for
    every ``points_per_block`` of them. Where it takes our points as well, each block is worth
    ``value_per_block_minor`` there, which we owe.
    """

    id: str
    names: Names
    points: int
    per_minor: int
    price_per_block_minor: int
    points_per_block: int = 1
    value_per_block_minor: int = 0


class VisitCard(Document, frozen=True, kw_only=True):
    """A card of stamps: at ``stamps`` of them it gives a coupon or points, and begins anew.

    A stamp for each sale with its ``goods`` (``per_unit``: for each unit of them), at most one a
    day where ``once_a_day``. Stamps beyond the last card's end begin the next one.
    """

    id: str
    names: Names
    stamps: int
    goods: GoodsSet = EVERYTHING
    per_unit: bool = False
    once_a_day: bool = False
    coupon: str = ""
    points: int = 0


class Prize(Document, frozen=True, kw_only=True):
    """Something that is drawn ``units`` times."""

    id: str
    names: Names
    units: int = 1


class PrizeDraw(Document, frozen=True, kw_only=True):
    """A draw whose outcome anybody can check: the seed's hash is published before, the seed after.

    An entry costs ``entry_points``; a member has at most ``per_member`` of them, 0 meaning no
    limit. Entries count while it is open, both times included.
    """

    id: str
    names: Names
    prizes: tuple[Prize, ...]
    entry_points: int
    opens: WallDateTime
    closes: WallDateTime
    seed_sha256: str
    per_member: int = 0
