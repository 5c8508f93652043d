"""A basket as the price engine needs it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from shared.catalogue.goods import Goods, SoldBy
from shared.errors import DomainError
from shared.ids import CouponId, StoreId, TillId
from shared.loyalty.conditions import Around
from shared.money import AMOUNT_MINOR_MAX, divide_rounded
from shared.pricing.quote import Reason

UNITS_MAX: Final = 100_000
GRAMS_MAX: Final = 1_000_000_000
LINES_MAX: Final = 2_000
WHOLE: Final = 10_000
"""Basis points in the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandDiscount:
    """A discount typed by hand: a percentage or an amount off the line, with its approval."""

    basis_points: int = 0
    amount_minor: int = 0
    approval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketLine:
    """Some units, or grams, of one article.

    ``id`` is unique in the basket. ``price_minor`` is a price typed by hand (per piece or
    kilogram), ``label_minor`` the price of the whole line read from an in-store label; without
    them the list price holds. Offers leave lines with a hand-typed price or discount alone unless
    they say otherwise. What ``comes_in`` is handed in by the customer, as an empty bottle is: it
    counts against the total, takes no part in offers and earns nothing.

    Raises DomainError ``bad-quantity`` and ``bad-amount-on-line``.
    """

    id: str
    goods: Goods
    units: int = 0
    grams: int = 0
    price_minor: int | None = None
    price_approval: str = ""
    label_minor: int | None = None
    discount: HandDiscount | None = None
    comes_in: bool = False
    batch: str = ""
    """Which batch its goods are from; empty where nobody knows."""

    def __post_init__(self) -> None:
        by_weight = self.goods.sold_by is SoldBy.WEIGHT
        quantity, other = (self.grams, self.units) if by_weight else (self.units, self.grams)
        if other or not 0 < quantity <= (GRAMS_MAX if by_weight else UNITS_MAX):
            raise DomainError("bad-quantity", sku=self.goods.sku, quantity=quantity or other)
        hand = self.discount or HandDiscount()
        if not (
            0 <= (self.price_minor or 0) <= AMOUNT_MINOR_MAX
            and 0 <= (self.label_minor or 0) <= AMOUNT_MINOR_MAX
            and 0 <= hand.basis_points <= WHOLE
            and 0 <= hand.amount_minor <= AMOUNT_MINOR_MAX
            and self.shelf_minor <= AMOUNT_MINOR_MAX
        ):
            raise DomainError("bad-amount-on-line", sku=self.goods.sku)

    @property
    def quantity(self) -> int:
        """Units, or grams for weighed goods."""
        return self.units or self.grams

    @property
    def unit_price_minor(self) -> int:
        """The price per piece or kilogram that holds for this line."""
        return self.goods.list_price_minor if self.price_minor is None else self.price_minor

    @property
    def is_open_to_offers(self) -> bool:
        """Whether offers may look at it at all."""
        return not self.goods.no_discount and not self.comes_in

    @property
    def is_manual(self) -> bool:
        """Whether somebody typed its price or a discount on it."""
        return self.price_minor is not None or self.discount is not None

    @property
    def shelf_minor(self) -> int:
        """Quantity times price as the shelf shows prices, before any discount."""
        if self.label_minor is not None and self.price_minor is None:
            return self.label_minor
        if self.grams:
            return divide_rounded(self.unit_price_minor * self.grams, 1000)
        return self.unit_price_minor * self.units

    def hand_discount(self, gross_minor: int) -> int:
        """What the hand-typed discount takes off a tax-included amount, never more than it."""
        if self.discount is None:
            return 0
        share = divide_rounded(gross_minor * self.discount.basis_points, WHOLE)
        return min(gross_minor, share + self.discount.amount_minor)


ANY_MEMBER: Final = "*"
"""Whoever it is, somebody has to be known to buy."""


@dataclass(frozen=True, slots=True)
class CouponClaim:
    """A coupon the customer wants to use: its definition in the programme, and which one it is.

    One that was issued to a member is good for them alone, from its first to its last day. A
    personal one of which nobody here knows to whom has ``ANY_MEMBER`` as its bearer. What stands
    ``against`` it is said anew whenever a basket is priced (``claims_on``).
    """

    coupon: str
    instance: CouponId
    bearer: str = ""
    first_day: date | None = None
    last_day: date | None = None
    against: Reason | None = None


@dataclass(frozen=True, slots=True)
class RewardClaim:
    """A reward that the member wants for points, so many times."""

    offer: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class PointsOff:
    """Points that lower the price, by a redemption rule that says so."""

    rule: str
    points: int
    value_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferUse:
    """How often an offer was used before, as far as this till knows."""

    offer: str
    by_member: int = 0
    by_member_today: int = 0
    in_store: int = 0
    in_total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberContext:
    """What prices depend on about a member, as known on the till at the time of the sale.

    ``sales`` and ``visits`` are counted before the running sale, a visit being a day with a sale;
    ``was_here_today`` says that today is among them. ``birthday`` is what is around it now, and not
    the day: that is all a price depends on, and all that a fact may say of it.
    """

    tier: str
    birthday: tuple[Around, ...] = ()
    segments: tuple[str, ...] = ()
    sales: int = 0
    visits: int = 0
    was_here_today: bool = False
    points: int = 0
    """What can be spent on rewards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTender:
    """How the customer wants to pay: a tender, and which share of the basket it pays."""

    tender: str
    share_basis_points: int = WHOLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """Lines, who buys, what is claimed, where and when.

    ``at`` is the time on the store's wall: its date and time of day are what offers look at.
    ``paying`` is what offers that name a tender look at; without it they do not apply.
    Raises DomainError ``too-many-lines``; a line id or coupon given twice is a bug.
    """

    lines: tuple[BasketLine, ...]
    at: datetime
    store: StoreId
    till: TillId | None = None
    member: MemberContext | None = None
    claims: tuple[CouponClaim, ...] = ()
    paying: tuple[PlannedTender, ...] = ()
    rewards: tuple[RewardClaim, ...] = ()
    gifts: tuple[tuple[str, str], ...] = ()
    """The article chosen of each gift: offer and SKU; where units are mixed, once for each unit."""
    uses: tuple[OfferUse, ...] = ()
    discount: HandDiscount | None = None
    """On the whole basket, after all offers."""
    points_off: PointsOff | None = None
    """After that."""

    def __post_init__(self) -> None:
        if len(self.lines) > LINES_MAX:
            raise DomainError("too-many-lines", lines=len(self.lines), highest=LINES_MAX)
        assert len({line.id for line in self.lines}) == len(self.lines)
        assert len({claim.instance for claim in self.claims}) == len(self.claims)
