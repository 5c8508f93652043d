"""What a member does beside buying: something that gives points, a part in a prize draw."""

from typing import ClassVar

from shared.trade.fact import BundleRef, MemberOutcome, Tender
from shared.trade.slip import Slip


class ActionCounted(Slip, frozen=True, kw_only=True):
    """A member did something that the programme gives points for; they are a lot of their own."""

    kind: ClassVar[str] = "action_counted"

    programme: BundleRef
    action: str
    names: dict[str, str]
    day: str
    """ISO date on the store's calendar: what its limits count by."""
    member: MemberOutcome


class DrawEntered(Slip, frozen=True, kw_only=True):
    """A member bought entries of a prize draw: ``<entry id>/1`` and so on."""

    kind: ClassVar[str] = "draw_entered"

    programme: BundleRef
    draw: str
    names: dict[str, str]
    entries: int
    tenders: tuple[Tender, ...]
    """Points, for no money."""
    member: MemberOutcome
