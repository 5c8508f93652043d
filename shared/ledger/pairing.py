"""Amounts that the programme gives: each has its other side on an account of the programme."""

from collections.abc import Iterator

from shared.ledger.account import PROGRAMME, Account, AccountKind, Posting, Unit

_OTHER_SIDE = {
    AccountKind.POINTS: AccountKind.POINTS_ISSUED,
    AccountKind.GROWTH: AccountKind.GROWTH_ISSUED,
    AccountKind.SPEND: AccountKind.SPEND_COUNTED,
    AccountKind.COUPON: AccountKind.COUPONS_ISSUED,
    AccountKind.STAMPS: AccountKind.STAMPS_GIVEN,
    AccountKind.REFERRAL: AccountKind.REFERRALS_NOTED,
    AccountKind.FRIENDS: AccountKind.FRIENDS_COUNTED,
    AccountKind.ACTION: AccountKind.ACTIONS_COUNTED,
    AccountKind.DRAW_ENTRY: AccountKind.DRAW_ENTRIES_SOLD,
}


def pair(account: Account, amount: int) -> Iterator[Posting]:
    """An amount to an owner, and the same off the programme's side."""
    other = Account(_OTHER_SIDE[account.kind], PROGRAMME, "", Unit(account.unit))
    yield Posting(account, amount)
    yield Posting(other, -amount)
