"""What members do at partners: businesses that give and take our points."""

from typing import ClassVar

from shared.ids import MemberId
from shared.trade.fact import BundleRef, Fact, LotDraw


class PartnerSold(Fact, frozen=True, kw_only=True):
    """A member bought at a partner: earned points are a lot of their own, spent ones leave theirs.

    It is no turnover of ours; what each side owes is told by statements.
    """

    kind: ClassVar[str] = "partner_sold"

    programme: BundleRef
    partner: str
    names: dict[str, str]
    reference: str
    """The partner's own number of the sale: one is booked once."""
    day: str
    """ISO date at the partner."""
    currency: str
    member_id: MemberId
    spend: int
    """Minor units, without what points paid."""
    points_decimals: int = 0
    points: int
    """Earned."""
    points_expire_on: str | None = None
    paid: int = 0
    """Minor units that points paid."""
    points_spent: int = 0
    lots: tuple[LotDraw, ...] = ()
    """They came out of."""


class PartnerReturned(Fact, frozen=True, kw_only=True):
    """A part of a sale at a partner was given back: what it earned is taken back with it.

    What had been paid with points comes back to their lots.
    """

    kind: ClassVar[str] = "partner_returned"

    programme: BundleRef
    """The sale's: its rates settle the return."""
    partner: str
    names: dict[str, str]
    reference: str
    """The partner's own number of the return: one is booked once."""
    of_reference: str
    """That of the sale."""
    day: str
    """ISO date at the partner."""
    currency: str
    member_id: MemberId
    spend: int
    """Minor units, without what points had paid."""
    points_decimals: int = 0
    points: int
    """Earned by it: what the partner owes no more."""
    paid: int = 0
    """Minor units that points had paid."""
    points_spent: int = 0
    """Points that come back."""
    lots: tuple[LotDraw, ...] = ()
    """They come back to."""
    points_taken: tuple[LotDraw, ...] = ()
    """From which lots earned points were taken back; lot ``debt`` for what was already spent."""
