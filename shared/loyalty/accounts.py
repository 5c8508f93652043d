"""What a member, or the bearer of a card, has in money: as the programme document states it."""

from enum import StrEnum

from shared.loyalty.conditions import Condition
from shared.loyalty.document import Document, GoodsSet, Names


class SpendFirst(StrEnum):
    """Which part of stored value pays first."""

    PRINCIPAL = "principal"
    """What was paid in."""
    BONUS = "bonus"
    """What was given on top."""
    TOGETHER = "together"
    """Both, in proportion to what is left of each."""


class TopUpOffer(Document, frozen=True, kw_only=True):
    """What a top-up of at least ``minimum_minor`` gives on top.

    A bonus, as an amount or a percentage of what is paid in (``repeats``: once for every full
    ``minimum_minor``), points, or codes of a coupon. The offer with the highest minimum that is
    reached applies.
    """

    id: str
    names: Names
    minimum_minor: int
    bonus_minor: int = 0
    bonus_basis_points: int = 0
    points: int = 0
    coupon: str = ""
    repeats: bool = False
    conditions: tuple[Condition, ...] = ()


class StoredValue(Document, frozen=True, kw_only=True):
    """Money of a member at the shop: principal that was paid in, and bonus, two accounts.

    Closing pays back the principal only. ``maximum_minor`` is the most that both may be, 0 meaning
    no limit. Principal counts as money for points, bonus where ``bonus_earns``.
    """

    spend_first: SpendFirst = SpendFirst.PRINCIPAL
    top_ups: tuple[TopUpOffer, ...] = ()
    maximum_minor: int = 0
    bonus_earns: bool = False


class GiftCards(Document, frozen=True, kw_only=True):
    """Cards that whoever holds them pays with.

    A card is worth between the two limits, and lapses ``valid_months`` after it was sold (0 is
    never). It is taxed when it is spent, as money is: a multi-purpose card. A single-purpose one is
    ``taxed_when_sold_as`` goods of a tax class, all that it can pay for; what it pays for is then
    not taxed a second time.
    """

    minimum_minor: int = 1
    maximum_minor: int = 100_000_00
    valid_months: int = 0
    taxed_when_sold_as: str = ""


class TenderRule(Document, frozen=True, kw_only=True):
    """What a way of paying may pay for: only some ``goods``, at most so much, without change.

    医保 pays for medicine only, a meal voucher for meals up to an amount. ``at_most_basis_points``
    is the most of the whole sale. A tender without a rule may pay for everything.
    """

    tender: str
    goods: GoodsSet | None = None
    at_most_minor: int = 0
    at_most_basis_points: int = 10_000
    gives_change: bool = False


class Restriction(Document, frozen=True, kw_only=True):
    """What the cashier has to look at before some goods are sold.

    ``minimum_age`` in years, a prescription, the buyer's real name on record; at most
    ``units_per_sale`` and, for members, ``units_per_day`` units.
    """

    id: str
    names: Names
    goods: GoodsSet
    minimum_age: int = 0
    needs_prescription: bool = False
    needs_real_name: bool = False
    units_per_sale: int = 0
    units_per_day: int = 0
