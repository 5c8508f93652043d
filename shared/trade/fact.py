"""What all facts have in common, and the small values several of them use."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from shared.ids import CouponId, LotId, OperatorId


class Fact(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """The body of a journal entry.

    A released shape never changes: a new field with meaning is a new ``version`` in a new class.
    Amounts are minor units of the fact's currency, points the programme's smallest unit, weights
    grams. Fields at their default are not written.
    """

    kind: ClassVar[str]
    version: ClassVar[int] = 1
    post_version: ClassVar[int] = 1


class Value(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """A part of a fact."""


class Measure(StrEnum):
    """What a quantity counts."""

    PIECE = "piece"
    GRAM = "gram"
    """Weighed goods: the price is per kilogram."""


class PriceSource(StrEnum):
    """Where a line's unit price comes from."""

    LIST = "list"
    """The catalogue's price."""
    MANUAL = "manual"
    """Typed by hand, with an approval."""
    CODED = "coded"
    """Read from an in-store label."""
    OPEN = "open"
    """An open item: not in the catalogue."""


class TenderKind(StrEnum):
    """A means of payment."""

    CASH = "cash"
    CARD = "card"
    """A bank card on a terminal; recorded."""
    WALLET = "wallet"
    """A customer's phone, scanned."""
    POINTS = "points"
    STORED_VALUE = "stored-value"
    GIFT_CARD = "gift-card"
    VOUCHER = "voucher"
    """Third-party paper: meal voucher and the like."""


class BundleRef(Value, frozen=True, kw_only=True):
    """The programme a sale was priced with."""

    version: int
    sha256: str


class LotDraw(Value, frozen=True, kw_only=True):
    """Points moved out of or into one lot. Lot ``debt`` is what a member owes."""

    lot: LotId
    points: int
    last_day: str = ""
    """ISO date until which they could be spent, where points pay or come back to a lot that had
    lapsed; empty: without end, not asked, or told by a release that did not know this."""


class TaxTotal(Value, frozen=True, kw_only=True):
    """One row of a tax table: a class's component over a ticket, a card or a shift."""

    tax_class: str
    component: str
    rate_ppm: int
    """Parts per million; 130,000 is 13%."""
    net: int
    tax: int


class Tender(Value, frozen=True, kw_only=True):
    """One payment. ``amount`` is what it settles.

    Cash, and what else gives change, also keeps what was given and the change, which is cash.
    """

    tender: TenderKind
    amount: int
    given: int = 0
    change: int = 0
    provider: str = ""
    """Bank, wallet or voucher scheme."""
    attempt_id: str = ""
    """The external payment attempt that was approved."""
    reference: str = ""
    """What the provider answers to; at most the last digits of an account. Of cash that an exchange
    sets off: the number of its other paper."""
    points: int = 0
    lots: tuple[LotDraw, ...] = ()
    lease_id: str | None = None
    """The right this spends against; null where none was needed."""
    bonus: int = 0
    """Of stored value: the part of ``amount`` that its bonus pays."""
    left: int | None = None
    """Of stored value and gift cards: what is left after it, as far as this till knows."""
    prepaid: tuple[TaxTotal, ...] = ()
    """Of a gift card that was taxed when it was sold: the tax table of what it pays, or gets back.

    That tax was due when the card was sold; it is taken out of what is due by the goods.
    """

    @property
    def is_set_off(self) -> bool:
        """Whether it is cash that nobody held in the hand: what comes back pays for other goods."""
        return self.tender is TenderKind.CASH and bool(self.reference)


class Approval(Value, frozen=True, kw_only=True):
    """One manager action that allowed one thing."""

    approval_id: str
    action: str
    approver_id: OperatorId
    amount: int = 0


class LineTax(Value, frozen=True, kw_only=True):
    """A line's share of one tax component."""

    component: str
    tax: int


class LineDiscount(Value, frozen=True, kw_only=True):
    """A line's share of one offer (or of a hand discount, offer ``manual``)."""

    offer_id: str
    amount: int
    units: int = 0
    """How many units the offer used as condition or benefit; 0 where it does not count units."""
    coupon_id: CouponId | None = None


class BasketDiscount(Value, frozen=True, kw_only=True):
    """A discount typed by hand on the whole basket, after all offers."""

    basis_points: int = 0
    amount: int = 0
    taken: int
    """What it took off; its shares stand among the lines' discounts as offer ``manual-basket``."""
    approval_id: str = ""


class OfferApplied(Value, frozen=True, kw_only=True):
    """One offer's effect on the whole ticket, with the names the customer reads."""

    offer_id: str
    version: int
    names: dict[str, str]
    amount: int
    coupon_id: CouponId | None = None
    lease_id: str | None = None


class OfferUsed(Value, frozen=True, kw_only=True):
    """How often an offer had been used before a sale, as far as its limits ask for it."""

    offer_id: str
    by_member: int = 0
    by_member_today: int = 0
    in_store: int = 0
    in_total: int = 0


class KnownBefore(Value, frozen=True, kw_only=True):
    """What a price depended on that neither the programme nor the catalogue tells.

    Only what the programme asks for is filled in; a sale whose programme asks for nothing of it has
    none of this, as sales of releases that did not write it down.
    """

    sales: int = 0
    """The member's sales that count, before this one."""
    visits: int = 0
    """Days with such a sale."""
    was_here_today: bool = False
    birthday: tuple[str, ...] = ()
    """How near it was (``day``, ``week``, ``month``); never the day itself."""
    segments: tuple[str, ...] = ()
    """Those of the member that the programme names."""
    uses: tuple[OfferUsed, ...] = ()
    """Of limited offers that were looked at; those never used before are left out."""


class CouponIssued(Value, frozen=True, kw_only=True):
    """A coupon this sale gave the member; usable from the next sale on."""

    coupon_id: CouponId
    offer_id: str
    valid_from: str
    valid_until: str


class CardStamped(Value, frozen=True, kw_only=True):
    """What a sale did to one of the member's visit cards.

    ``before`` + ``added`` - ``filled`` × ``size`` is what the running card holds after it.
    """

    card: str
    names: dict[str, str]
    size: int
    """Stamps of a full card."""
    before: int
    """As far as the till knew; below zero where full cards have cost more than was kept."""
    added: int
    filled: int = 0
    """Cards that are full by it; each gives the card's reward."""
    lines: tuple[int, ...] = ()
    """The lines that were worth a stamp."""
    points: int = 0
    """What each full card gives; together a part of the points earned."""
    coupons: tuple[CouponId, ...] = ()
    """Of those that the sale issued: the full cards' own, one each."""

    @property
    def after(self) -> int:
        """Stamps on the running card."""
        return self.before + self.added - self.filled * self.size

    @property
    def points_total(self) -> int:
        """What its full cards give."""
        return self.filled * self.points


class CardTakenBack(Value, frozen=True, kw_only=True):
    """What a return takes off a visit card."""

    card: str
    names: dict[str, str]
    size: int
    taken: int = 0
    """Stamps of goods that came back."""
    reopened: int = 0
    """Cards that are not full any more: their stamps count again, their reward is taken back."""
    points: int = 0
    """The rewards' points."""


class ReferralPaid(Value, frozen=True, kw_only=True):
    """A member's first sale that counts for who referred them: both sides get points.

    Those of the friend are a part of the points earned; the referrer's are a lot of their own.
    """

    referrer_id: str
    for_friend: int
    for_referrer: int
    minimum: int
    """What has to be kept of the sale, minor units."""


class ReferralTakenBack(Value, frozen=True, kw_only=True):
    """Too little is kept of the sale that a referral was paid for: another one may pay it."""

    referrer_id: str
    from_friend: int
    """A part of the points taken back."""
    lots: tuple[LotDraw, ...] = ()
    """From where the referrer's are taken."""


class RuleEarned(Value, frozen=True, kw_only=True):
    """Points by one earning rule."""

    rule: str
    names: dict[str, str]
    points: int


class PointsOutcome(Value, frozen=True, kw_only=True):
    """A member's points as the paper shows them: opening + earned - spent + adjusted = closing.

    On a return ``earned`` is negative (taken back) and so is ``spent`` (given back).
    """

    decimals: int = 0
    opening: int
    earned: int = 0
    spent: int = 0
    adjusted: int = 0
    closing: int
    as_of: str
    """RFC 3339: the time the opening balance is true for."""
    offline: bool = False
    expires_on: str | None = None
    """Last day on which the points earned here can be spent; the lot is named by the entry."""
    by_rule: tuple[RuleEarned, ...] = ()


class MemberOutcome(Value, frozen=True, kw_only=True):
    """The member of a ticket, by random id, and what the ticket did to them."""

    member_id: str
    tier: str
    """Tier the ticket was priced with."""
    tier_after: str
    growth: int = 0
    spend: int = 0
    """Earning base that counts towards tiers, minor units."""
    points: PointsOutcome


class FiscalOutcome(Value, frozen=True, kw_only=True):
    """What a fiscal device answered, or how it failed."""

    signature: str = ""
    failure: str = ""


class CashCount(Value, frozen=True, kw_only=True):
    """How many pieces of one denomination (minor units) were counted."""

    denomination: int
    pieces: int
