"""What a member does beside buying: something that gives points, a part in a prize draw."""

from typing import ClassVar

from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.trade.fact import BundleRef, Fact, MemberOutcome, Tender


class ActionCounted(Fact, frozen=True, kw_only=True):
    """A member did something that the programme gives points for; they are a lot of their own."""

    kind: ClassVar[str] = "action_counted"

    receipt_no: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
    programme: BundleRef
    action: str
    names: dict[str, str]
    day: str
    """ISO date on the store's calendar: what its limits count by."""
    member: MemberOutcome


class DrawEntered(Fact, frozen=True, kw_only=True):
    """A member bought entries of a prize draw: ``<entry id>/1`` and so on."""

    kind: ClassVar[str] = "draw_entered"

    receipt_no: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
    programme: BundleRef
    draw: str
    names: dict[str, str]
    entries: int
    tenders: tuple[Tender, ...]
    """Points, for no money."""
    member: MemberOutcome
