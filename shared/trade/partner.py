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
