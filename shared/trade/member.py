"""Facts about members that head office writes: one person enrolled twice, a tier set by hand."""

from typing import ClassVar

from shared.ids import MemberId
from shared.trade.fact import Fact, Value


class BalanceMoved(Value, frozen=True, kw_only=True):
    """What one member's account gives to the same account of another; below zero, what is owed."""

    account: str
    """Points and whatever else stands in lots; stored value is never moved by a merge."""
    lot: str
    unit: str
    amount: int


class MembersMerged(Fact, frozen=True, kw_only=True):
    """One enrolment became an alias of another, or something of an alias came in later.

    A merge is one fact, or several with the same ``merge_id`` where many lots move.
    """

    kind: ClassVar[str] = "members_merged"

    merge_id: str
    from_member: MemberId
    """The alias from now on."""
    into_member: MemberId
    verified_by: str
    """How it is known that both are one person: ``phone`` or ``office``."""
    moved: tuple[BalanceMoved, ...]


class MembersUnmerged(Fact, frozen=True, kw_only=True):
    """A merge was undone: all that it moved goes back, to the point."""

    kind: ClassVar[str] = "members_unmerged"

    merge_id: str
    from_member: MemberId
    """The alias until now; ``moved`` is given back to it."""
    into_member: MemberId
    moved: tuple[BalanceMoved, ...]


class FloorEnded(Value, frozen=True, kw_only=True):
    """A tier set by hand that is over before its day."""

    tier: str
    last_day: str


class TierSet(Fact, frozen=True, kw_only=True):
    """A member has a tier, or a higher one, until the end of a day, whatever they buy.

    It takes the place of what was set before; without a tier it only ends that.
    """

    kind: ClassVar[str] = "tier_set"

    member_id: MemberId
    tier: str = ""
    last_day: str = ""
    """ISO date on the calendar of the store where it is looked at; empty without a tier."""
    ended: tuple[FloorEnded, ...] = ()
