"""Booking rules of what members do beside buying, version 1. Frozen."""

from collections.abc import Iterator

from shared.ids import EntryId
from shared.ledger.account import (
    DRAW_ENTRY,
    Account,
    AccountKind,
    Posting,
    action_unit,
    points_unit,
)
from shared.ledger.pairing import pair
from shared.trade.benefit import ActionCounted, DrawEntered


def post_action_counted(entry_id: EntryId, fact: ActionCounted) -> Iterator[Posting]:
    """Points of a lot of their own, and that it was counted on a day."""
    member = fact.member
    points = points_unit(member.points.decimals)
    own = Account(AccountKind.POINTS, member.member_id, entry_id, points)
    yield from pair(own, member.points.earned)
    counted = Account(AccountKind.ACTION, member.member_id, fact.day, action_unit(fact.action))
    yield from pair(counted, 1)


def post_draw_entered(_entry_id: EntryId, fact: DrawEntered) -> Iterator[Posting]:
    """Points out of lots, entries to the member."""
    member = fact.member
    points = points_unit(member.points.decimals)
    for draw in (draw for tender in fact.tenders for draw in tender.lots):
        yield from pair(
            Account(AccountKind.POINTS, member.member_id, draw.lot, points), -draw.points
        )
    entries = Account(AccountKind.DRAW_ENTRY, member.member_id, fact.draw, DRAW_ENTRY)
    yield from pair(entries, fact.entries)
