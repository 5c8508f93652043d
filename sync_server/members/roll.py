"""The members' rows: who there is, their tier, and that something about them changed."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, assert_never

from shared.ids import MemberId
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact, MemberOutcome
from shared.trade.member import MembersMerged, MembersUnmerged, TierSet
from shared.trade.partner import PartnerReturned, PartnerSold
from shared.trade.profile_change import MemberChanged
from shared.trade.server import DrawRun, ExceptionRaised, MemberErased, PointsTransferred
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import MemberEnrolled
from shared.trade.value import ValueClosed, ValueToppedUp
from sync_server.database.schema import members
from sync_server.database.transaction import Work
from sync_server.ledger.kept import Reading

_Personal = (
    MemberEnrolled
    | MemberChanged
    | SaleCompleted
    | SaleReturned
    | PointsTransferred
    | MembersMerged
    | MembersUnmerged
    | TierSet
    | MemberErased
    | ExceptionRaised
    | ValueToppedUp
    | ValueClosed
    | ActionCounted
    | DrawEntered
    | DrawRun
    | PartnerSold
    | PartnerReturned
)


def concerns(fact: Fact) -> tuple[MemberId, ...]:
    """The members whose ledger shows the fact."""
    if not isinstance(fact, _Personal):
        return ()
    found: tuple[MemberId | None, ...]
    match fact:
        case (
            MemberEnrolled()
            | MemberChanged()
            | MemberErased()
            | ValueToppedUp()
            | ValueClosed()
            | PartnerSold()
            | PartnerReturned()
            | TierSet()
        ):
            found = (fact.member_id,)
        case DrawRun():
            found = tuple(win.member_id for win in fact.wins)
        case ActionCounted() | DrawEntered():
            found = (MemberId(fact.member.member_id),)
        case SaleCompleted() | SaleReturned():
            member = _member_of(fact)
            referral = fact.referral if member else None
            found = (
                MemberId(member.member_id) if member else None,
                MemberId(referral.referrer_id) if referral else None,
            )
        case PointsTransferred():
            found = (fact.from_member, fact.to_member)
        case MembersMerged() | MembersUnmerged():
            found = (fact.from_member, fact.into_member)
        case ExceptionRaised():
            found = (fact.member_id,)
        case _:
            assert_never(fact)
    return tuple(dict.fromkeys(member for member in found if member))


def note_standing(work: Work, readings: Sequence[Reading], others: Iterable[MemberId] = ()) -> None:
    """Make rows for members heard of first, keep each one's newest tier, mark all as changed.

    ``others`` are told otherwise from now on, too, though no fact names them.
    """
    concerned = [member for reading in readings for member in concerns(reading.fact)]
    touched = dict.fromkeys([*concerned, *others])
    # The entry's id decides between equal times, so that the order of arrival does not.
    newest: dict[MemberId, tuple[str, str]] = {}
    for reading in readings:
        standing = _standing(reading.fact)
        if standing is not None:
            member, tier = standing
            stamp = (f"{reading.envelope.hlc}:{reading.id}", tier)
            newest[member] = max(newest.get(member, stamp), stamp)
    rows = []
    for row in _changed(work, touched):
        stamp_of, tier_of = newest.get(row["member_id"], ("", ""))
        rows.append({**row, "tier_hlc": stamp_of, "tier": tier_of})
    is_newer = "CASE WHEN excluded.tier_hlc > members.tier_hlc THEN excluded"
    work.put(
        members,
        rows,
        f"{_CHANGED}, tier = {is_newer}.tier ELSE members.tier END,"
        f" tier_hlc = {is_newer}.tier_hlc ELSE members.tier_hlc END",
    )


def touch(work: Work, member_ids: Iterable[MemberId]) -> None:
    """Give members a new place in the change feed; one heard of first gets a row."""
    work.put(members, _changed(work, list(dict.fromkeys(member_ids))), _CHANGED)


_CHANGED: Final = "change_seq = excluded.change_seq"


def _changed(work: Work, ids: Collection[MemberId]) -> list[dict[str, Any]]:
    if not ids:
        return []
    numbers = work.take(len(ids))
    return [
        {"member_id": member, "gone": False, "change_seq": number}
        for member, number in zip(ids, numbers, strict=True)
    ]


def _standing(fact: Fact) -> tuple[MemberId, str] | None:
    if isinstance(fact, MemberEnrolled):
        return fact.member_id, fact.tier
    if isinstance(fact, ActionCounted | DrawEntered):
        return MemberId(fact.member.member_id), fact.member.tier_after
    if isinstance(fact, SaleCompleted | SaleReturned):
        member = _member_of(fact)
        return (MemberId(member.member_id), member.tier_after) if member else None
    return None


def _member_of(ticket: SaleCompleted | SaleReturned) -> MemberOutcome | None:
    """The member a ticket did something to; training touches nobody."""
    is_training = isinstance(ticket, SaleCompleted) and ticket.training
    return None if is_training else ticket.member
