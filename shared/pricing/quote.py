"""What a basket costs, why, and what it earns: the engine's whole answer.

Everything is in minor units of the programme's currency and in smallest units of points.
"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from shared.ids import CouponId, GoodsId


class ComponentShare(Struct, frozen=True, gc=False):
    """An amount of one component of a tax class."""

    component: str
    amount_minor: int


class LineDiscount(Struct, frozen=True, gc=False):
    """A line's share of one offer. ``units`` is how many of its units a multi-buy offer used."""

    offer: str
    version: int
    amount_minor: int
    units: int = 0
    coupon: CouponId | None = None


class LineQuote(Struct, frozen=True, kw_only=True):
    """A line with everything decided about it.

    ``gross_minor`` is tax-included, also where tax is added to the shelf price, and without levies;
    it is before the hand-typed discount ``hand_minor`` and the offers' ``discounts``.
    ``gross − hand − discounts = net + taxes``, and ``pay = net + taxes + levies``.
    """

    line: str
    goods: GoodsId
    quantity: int
    unit_price_minor: int
    gross_minor: int
    hand_minor: int
    discounts: tuple[LineDiscount, ...]
    tax_class: str
    net_minor: int
    taxes: tuple[ComponentShare, ...]
    levies: tuple[ComponentShare, ...]
    pay_minor: int

    @property
    def taxed_minor(self) -> int:
        """What is paid for it without levies, tax included."""
        return self.pay_minor - self.levy_minor if self.levies else self.pay_minor

    @property
    def levy_minor(self) -> int:
        """All its levies."""
        return sum(share.amount_minor for share in self.levies)


class OfferTotal(Struct, frozen=True, gc=False):
    """What one application of an offer takes off the basket, and the points it costs."""

    offer: str
    version: int
    amount_minor: int
    coupon: CouponId | None = None
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedUnits:
    """Units that an offer gives on top, at 0.

    ``goods`` is the article; for a gift that is not chosen yet there are several ``choices``.
    """

    offer: str
    version: int
    goods: str
    units: int
    choices: tuple[str, ...] = ()
    coupon: CouponId | None = None
    points: int = 0
    """What it costs, where it is a reward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCoupons:
    """Codes of a coupon that an offer gives for later sales, and the points they cost."""

    offer: str
    version: int
    coupon: str
    units: int
    points: int = 0
    claimed_by: CouponId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxClassTotal:
    """A class of the tax table: its discounted tax-included sum, split once."""

    tax_class: str
    taxed_minor: int
    net_minor: int
    taxes: tuple[ComponentShare, ...]
    levies: tuple[ComponentShare, ...]


class Reason(StrEnum):
    """Why an offer applied or did not; the words are ``pricing.reason.<value>``."""

    APPLIED = "applied"
    """It took ``amount_minor`` off."""
    MISSING_SPEND = "missing-spend"
    """``missing_minor`` more of its goods would unlock ``gain_minor`` off (more)."""
    MISSING_UNITS = "missing-units"
    """``missing_units`` more of its goods would unlock it."""
    MEMBERS_ONLY = "members-only"
    """It is for members, or for other tiers."""
    MEMBER_NEEDED = "member-needed"
    """The coupon that it issues is for one member alone, and nobody is known to buy."""
    NOT_NOW = "not-now"
    """It is not valid on this day or at this hour."""
    NOT_HERE = "not-here"
    """It is not valid in this store or at this till."""
    NOT_FOR_THIS_MEMBER = "not-for-this-member"
    """It is for other members, or for another day of theirs: birthday, segment, visits."""
    OTHER_TENDER = "other-tender"
    """It is for another way of paying."""
    EXCLUDED = "excluded"
    """Something in the basket, or about it, rules it out."""
    NO_GOODS = "no-goods"
    """Nothing in the basket is among its goods."""
    BETTER_WITHOUT = "better-without"
    """Another combination, with ``instead``, costs the customer less or the same."""
    TOO_MANY = "too-many"
    """More coupons of its kind than one sale may use."""
    UNKNOWN_COUPON = "unknown-coupon"
    """The programme has no such coupon."""
    UNKNOWN_REWARD = "unknown-reward"
    """The programme has no such reward."""
    POINTS_MISSING = "points-missing"
    """``missing_points`` more points are needed for it."""
    USED_UP = "used-up"
    """It was used as often as it may be."""
    CHOICE_OPEN = "choice-open"
    """The customer has yet to choose one of several gifts."""


class Explanation(Struct, frozen=True, kw_only=True, gc=False):
    """Why one offer, or one claimed coupon, did what it did. Figures are 0 where not meant."""

    offer: str
    reason: Reason
    amount_minor: int = 0
    missing_minor: int = 0
    missing_units: int = 0
    missing_points: int = 0
    gain_minor: int = 0
    instead: str = ""
    coupon: CouponId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEarning:
    """Points of one rule, rounded once for the sale, and each line's share of them.

    The exact share of line ``i`` before rounding is ``numerators[i] / denominator``.
    """

    rule: str
    points: int
    line_points: tuple[int, ...]
    numerators: tuple[int, ...]
    denominator: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningQuote:
    """What the sale earns; the tuples follow the quote's lines.

    ``spend`` is the earning base, which moves tiers.
    """

    spend_minor: int
    line_spend: tuple[int, ...]
    points: tuple[RuleEarning, ...]
    growth: tuple[RuleEarning, ...]

    @property
    def points_total(self) -> int:
        """Points of all rules."""
        return sum(rule.points for rule in self.points)

    @property
    def growth_total(self) -> int:
        """Growth of all rules."""
        return sum(rule.points for rule in self.growth)

    @property
    def line_points(self) -> tuple[int, ...]:
        """Each line's points of all rules."""
        return _sum_by_line(self.points, len(self.line_spend))

    @property
    def line_growth(self) -> tuple[int, ...]:
        """Each line's growth of all rules."""
        return _sum_by_line(self.growth, len(self.line_spend))


def _sum_by_line(rules: tuple[RuleEarning, ...], lines: int) -> tuple[int, ...]:
    return tuple(sum(rule.line_points[index] for rule in rules) for index in range(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The engine's answer for one basket.

    ``lines`` keep the basket's order. ``total_minor`` is the sum of their ``pay_minor`` and of the
    tax table alike. ``is_best_price`` is False where more offers interacted than the search looks
    through; the price is then good, but not proved to be the lowest.
    """

    engine: str
    currency: str
    lines: tuple[LineQuote, ...]
    offers: tuple[OfferTotal, ...]
    taxes: tuple[TaxClassTotal, ...]
    total_minor: int
    saved_minor: int
    explanations: tuple[Explanation, ...]
    earning: EarningQuote
    is_best_price: bool
    added: tuple[AddedUnits, ...] = ()
    issued: tuple[IssuedCoupons, ...] = ()

    @property
    def nearest_unlock(self) -> Explanation | None:
        """The offer for which the least money is missing, if one is known."""
        near = [told for told in self.explanations if told.missing_minor]
        return min(near, key=lambda told: (told.missing_minor, told.offer), default=None)

    @property
    def reward_points(self) -> int:
        """What the rewards of this sale cost."""
        given = [one.points for one in self.added] + [one.points for one in self.issued]
        return sum(one.points for one in self.offers) + sum(given)

    @property
    def coupons_used(self) -> tuple[CouponId, ...]:
        """The claimed coupons that this sale spends; all others are given back."""
        used = [one.coupon for one in self.offers]
        used += [one.coupon for one in self.added if one.goods]
        used += [one.claimed_by for one in self.issued]
        return tuple(dict.fromkeys(coupon for coupon in used if coupon is not None))
