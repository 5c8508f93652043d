"""Booking rules of the other facts, version 1. Frozen."""

from collections.abc import Iterable, Iterator

from shared.ids import EntryId
from shared.ledger.account import (
    PROGRAMME,
    REFERRAL,
    Account,
    AccountKind,
    Posting,
    money_unit,
    points_unit,
)
from shared.ledger.pairing import pair
from shared.trade.fact import Fact
from shared.trade.server import PointsTransferred
from shared.trade.till import CashDirection, CashMoved, MemberEnrolled, ShiftClosed, ShiftOpened


def post_nothing(_entry_id: EntryId, _fact: Fact) -> Iterable[Posting]:
    """For facts that are told, not booked."""
    return ()


def post_member_enrolled(_entry_id: EntryId, enrolled: MemberEnrolled) -> Iterator[Posting]:
    """Whoever brought the member is to be paid once they buy."""
    if enrolled.referred_by is not None:
        account = Account(AccountKind.REFERRAL, enrolled.member_id, enrolled.referred_by, REFERRAL)
        yield from pair(account, 1)


def post_shift_opened(_entry_id: EntryId, shift: ShiftOpened) -> Iterator[Posting]:
    """The float goes from the safe into the drawer."""
    unit = money_unit(shift.currency)
    yield Posting(Account(AccountKind.DRAWER, shift.till_id, "", unit), shift.float_amount)
    yield Posting(Account(AccountKind.SAFE, shift.store_id, "", unit), -shift.float_amount)


def post_cash_moved(_entry_id: EntryId, moved: CashMoved) -> Iterator[Posting]:
    """Into or out of the drawer, against petty cash or the safe."""
    unit = money_unit(moved.currency)
    inward = moved.amount if moved.direction is CashDirection.PAID_IN else -moved.amount
    other = AccountKind.SAFE if moved.direction is CashDirection.DROP else AccountKind.PETTY_CASH
    yield Posting(Account(AccountKind.DRAWER, moved.till_id, "", unit), inward)
    yield Posting(Account(other, moved.store_id, "", unit), -inward)


def post_shift_closed(_entry_id: EntryId, close: ShiftClosed) -> Iterator[Posting]:
    """What was expected leaves the drawer, what was counted reaches the safe."""
    unit = money_unit(close.currency)
    short = close.expected_cash - close.counted_cash
    yield Posting(Account(AccountKind.DRAWER, close.till_id, "", unit), -close.expected_cash)
    yield Posting(Account(AccountKind.SAFE, close.store_id, "", unit), close.counted_cash)
    yield Posting(Account(AccountKind.CASH_DIFFERENCE, close.till_id, "", unit), short)


def post_points_transferred(_entry_id: EntryId, moved: PointsTransferred) -> Iterator[Posting]:
    """Off one member's lots, onto another's or back to the programme."""
    unit = points_unit(moved.decimals)
    issued = Account(AccountKind.POINTS_ISSUED, PROGRAMME, "", unit)
    for member, draws, sign in (
        (moved.from_member, moved.from_lots, -1),
        (moved.to_member, moved.to_lots, 1),
    ):
        for draw in draws:
            if member is not None:
                account = Account(AccountKind.POINTS, member, draw.lot, unit)
                yield Posting(account, sign * draw.points)
                yield Posting(issued, -sign * draw.points)
