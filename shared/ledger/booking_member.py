"""Booking rules of facts about members, version 1. Frozen."""

from collections.abc import Iterable, Iterator

from shared.errors import ProtocolError
from shared.ids import EntryId, MemberId
from shared.ledger.account import PROGRAMME, Account, AccountKind, Posting, Unit, tier_unit
from shared.trade.member import BalanceMoved, MembersMerged, MembersUnmerged, TierSet

MERGED = (
    AccountKind.POINTS,
    AccountKind.GROWTH,
    AccountKind.SPEND,
    AccountKind.STAMPS,
    AccountKind.FRIENDS,
    AccountKind.ACTION,
    AccountKind.DRAW_ENTRY,
    AccountKind.STORED_VALUE,
    AccountKind.STORED_BONUS,
    AccountKind.TIER_FLOOR,
)
"""What joins when two enrolments become one; of stored value only what is refunded later, for an
alias had none when it became one.

Not that somebody is to be paid for having brought the alias: one person is paid for once.
"""


def post_members_merged(_entry_id: EntryId, merged: MembersMerged) -> Iterator[Posting]:
    """From the alias to the other, lot by lot."""
    return _moves(merged.from_member, merged.into_member, merged.moved)


def post_members_unmerged(_entry_id: EntryId, undone: MembersUnmerged) -> Iterator[Posting]:
    """The same way back."""
    return _moves(undone.into_member, undone.from_member, undone.moved)


def _moves(giver: MemberId, taker: MemberId, moved: Iterable[BalanceMoved]) -> Iterator[Posting]:
    for one in moved:
        if one.account not in MERGED:
            raise ProtocolError("bad-fact", kind=MembersMerged.kind, reason=one.account)
        kind, unit = AccountKind(one.account), Unit(one.unit)
        yield Posting(Account(kind, giver, one.lot, unit), -one.amount)
        yield Posting(Account(kind, taker, one.lot, unit), one.amount)


def post_tier_set(_entry_id: EntryId, told: TierSet) -> Iterator[Posting]:
    """The tier under the name of its last day; what was set before goes."""
    for one in told.ended:
        yield from _floor(told.member_id, one.last_day, one.tier, -1)
    if told.tier:
        yield from _floor(told.member_id, told.last_day, told.tier, 1)


def _floor(member: MemberId, last_day: str, tier: str, amount: int) -> Iterator[Posting]:
    unit = tier_unit(tier)
    yield Posting(Account(AccountKind.TIER_FLOOR, member, last_day, unit), amount)
    yield Posting(Account(AccountKind.TIERS_SET, PROGRAMME, "", unit), -amount)
