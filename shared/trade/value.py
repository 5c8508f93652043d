"""Stored value and gift cards: money that is paid in before anything is bought, and paid out."""

from typing import ClassVar

from shared.ids import CardId, MemberId
from shared.trade.fact import Approval, BundleRef, CouponIssued, TaxTotal, Tender, Value
from shared.trade.slip import Slip


class ValueBalance(Value, frozen=True, kw_only=True):
    """Stored value as the paper shows it, minor units."""

    principal: int
    bonus: int
    as_of: str
    """RFC 3339: the time the balance before is true for."""
    offline: bool = False


class ValueToppedUp(Slip, frozen=True, kw_only=True):
    """A member paid stored value in; the top-up offer that applied gave a bonus, points, coupons.

    It is no turnover and earns nothing.
    """

    kind: ClassVar[str] = "value_topped_up"

    programme: BundleRef
    member_id: MemberId
    amount: int
    """Paid in: the tenders sum to it."""
    bonus: int = 0
    offer_id: str = ""
    names: dict[str, str] | None = None
    """Of the offer."""
    points: int = 0
    """A lot of its own, named by the entry."""
    points_decimals: int = 0
    points_expire_on: str | None = None
    coupons_issued: tuple[CouponIssued, ...] = ()
    tenders: tuple[Tender, ...]
    after: ValueBalance
    training: bool = False


class ValueClosed(Slip, frozen=True, kw_only=True):
    """A member's principal was paid out in cash, the bonus is forfeited."""

    kind: ClassVar[str] = "value_closed"

    member_id: MemberId
    principal: int
    forfeited: int = 0
    """Bonus."""
    lease_id: str | None = None
    """The right that both are taken by."""
    approvals: tuple[Approval, ...] = ()


class GiftCardSold(Slip, frozen=True, kw_only=True):
    """A gift card was sold. It is no turnover and earns nothing."""

    kind: ClassVar[str] = "gift_card_sold"

    programme: BundleRef
    card_id: CardId
    amount: int
    last_day: str | None = None
    """The last day on which it pays; null: it does not lapse."""
    tenders: tuple[Tender, ...]
    taxes: tuple[TaxTotal, ...] = ()
    """Of a card for goods of one tax class, taxed now: its tax table, in all ``amount``."""


class GiftCardClosed(Slip, frozen=True, kw_only=True):
    """What was left on a card was paid out in cash."""

    kind: ClassVar[str] = "gift_card_closed"

    card_id: CardId
    amount: int
    lease_id: str | None = None
    approvals: tuple[Approval, ...] = ()
    taxes: tuple[TaxTotal, ...] = ()
    """The tax in it, of a card that was taxed when it was sold: it is due no more."""
