"""Accounts and units of the ledger.

An amount is positive where the named owner has it (cash in the drawer, points of a member) and
negative on the side it came from (sales, points issued); the postings of a fact sum to zero in each
unit.
"""

from enum import StrEnum
from functools import cache
from typing import NamedTuple, NewType

from shared.money import Currency

Unit = NewType("Unit", str)
"""``<code>/<exponent>``: ``CNY/2``, ``points/0``. The exponent is part of the name, so amounts of
different scale never meet."""

COUPON = Unit("coupon/0")
GROWTH = Unit("growth/0")
STAMP = Unit("stamps/0")
"""Of any visit card; balances keep each card's in a unit of its own."""
REFERRAL = Unit("referral/0")
FRIEND = Unit("friend/0")
DRAW_ENTRY = Unit("draw-entry/0")
FULL_LOT = "full"
"""The lot of stamps that full cards have cost: negative."""
DEBT_LOT = "debt"
"""The lot of points that a member owes: negative, paid first by later earnings."""


class AccountKind(StrEnum):
    """What an account stands for; the owner is named per kind."""

    DRAWER = "drawer"
    """Cash in a till's drawer. Owner: till."""
    SAFE = "safe"
    """Cash in a store's safe. Owner: store."""
    PETTY_CASH = "petty-cash"
    """The other side of cash paid in and out. Owner: store."""
    CASH_DIFFERENCE = "cash-difference"
    """Counted less than booked (positive) or more (negative). Owner: till."""
    CARD = "card"
    """Owed by a card acquirer. Owner: provider."""
    WALLET = "wallet"
    """Owed by a wallet. Owner: provider."""
    VOUCHER = "voucher"
    """Owed by a voucher scheme. Owner: provider."""
    STORED_VALUE = "stored-value"
    """(Negative) what is left of what a member has paid in beforehand. Owner: member."""
    STORED_BONUS = "stored-bonus"
    """(Negative) what is left of what came on top of it. Owner: member."""
    BONUS_GIVEN = "bonus-given"
    """What top-ups gave on top and members did not forfeit. Owner: store."""
    GIFT_CARD = "gift-card"
    """(Negative) what is left on a gift card. Owner: the card's id."""
    POINTS_TENDER = "points-tender"
    """Money that points paid. Owner: store."""
    SALES = "sales"
    """Turnover without tax and levies. Owner: store."""
    TAX = "tax"
    """Tax taken. Owner: store; lot: class and component."""
    PREPAID_TAX = "prepaid-tax"
    """Tax that was due when a gift card was sold and that its payments have not used up. Owner: the
    card's id; lot: class and component."""
    LEVY = "levy"
    """Levies and deposits taken. Owner: store."""
    ROUNDING = "rounding"
    """Cash rounding. Owner: store."""
    POINTS = "points"
    """A member's points. Owner: member; lot: the entry that earned them."""
    POINTS_ISSUED = "points-issued"
    """The programme's side of points. Owner: ``programme``."""
    GROWTH = "growth"
    """A member's growth. Owner: member; lot: the sale."""
    GROWTH_ISSUED = "growth-issued"
    """The programme's side of growth. Owner: ``programme``."""
    SPEND = "spend"
    """A member's earning base towards tiers. Owner: member; lot: the sale."""
    SPEND_COUNTED = "spend-counted"
    """The programme's side of spend. Owner: ``programme``."""
    COUPON = "coupon"
    """Uses left of a coupon. Owner: the coupon."""
    COUPONS_ISSUED = "coupons-issued"
    """The programme's side of coupons. Owner: ``programme``."""
    STAMPS = "stamps"
    """A member's stamps of a visit card. Owner: member; lot: the sale, or ``full`` for what full
    cards have cost."""
    STAMPS_GIVEN = "stamps-given"
    """The programme's side of stamps. Owner: ``programme``."""
    REFERRAL = "referral"
    """That somebody is to be paid for having brought a member. Owner: member; lot: who did."""
    REFERRALS_NOTED = "referrals-noted"
    """The programme's side of referrals. Owner: ``programme``."""
    FRIENDS = "friends"
    """Friends that a member was paid for. Owner: member; lot: the friend."""
    FRIENDS_COUNTED = "friends-counted"
    """The programme's side of friends. Owner: ``programme``."""
    ACTION = "action"
    """How often an action of a member has counted. Owner: member; lot: the day."""
    ACTIONS_COUNTED = "actions-counted"
    """The programme's side of actions. Owner: ``programme``."""
    DRAW_ENTRY = "draw-entry"
    """A member's entries of a prize draw. Owner: member; lot: the draw."""
    DRAW_ENTRIES_SOLD = "draw-entries-sold"
    """The programme's side of entries. Owner: ``programme``."""
    TIER_FLOOR = "tier-floor"
    """A tier set by hand. Owner: member; lot: its last day."""
    TIERS_SET = "tiers-set"
    """The programme's side of tiers set by hand. Owner: ``programme``."""


MEMBER_ACCOUNTS = (
    AccountKind.POINTS,
    AccountKind.GROWTH,
    AccountKind.SPEND,
    AccountKind.STORED_VALUE,
    AccountKind.STORED_BONUS,
    AccountKind.STAMPS,
    AccountKind.REFERRAL,
    AccountKind.FRIENDS,
    AccountKind.ACTION,
    AccountKind.DRAW_ENTRY,
    AccountKind.TIER_FLOOR,
)
"""Those whose owner is a member."""

PROGRAMME = "programme"


class Account(NamedTuple):
    """One account; also the key of a balance."""

    kind: AccountKind
    owner: str
    lot: str
    unit: Unit


class Posting(NamedTuple):
    """One signed amount on one account."""

    account: Account
    amount: int


@cache
def money_unit(currency: str) -> Unit:
    """The ledger's unit of a currency."""
    return Unit(f"{currency}/{Currency(currency).exponent}")


def tax_lot(tax_class: str, component: str) -> str:
    """The lot of one tax."""
    return f"{tax_class}/{component}"


def tax_of_lot(lot: str) -> tuple[str, str]:
    """Class and component of a lot of tax."""
    tax_class, _, component = lot.partition("/")
    return tax_class, component


@cache
def spend_unit(currency: str) -> Unit:
    """Earning base of a currency: not money, so a unit of its own."""
    return Unit(f"spend:{currency}/{Currency(currency).exponent}")


_STAMPS = "stamps:"


def stamps_unit(card: str) -> Unit:
    """Stamps of one visit card."""
    return Unit(f"{_STAMPS}{card}/0")


def card_of(unit: str) -> str:
    """The visit card of a unit of stamps."""
    return unit.removeprefix(_STAMPS).removesuffix("/0")


_ACTION = "action:"


def action_unit(action: str) -> Unit:
    """How often one action has counted."""
    return Unit(f"{_ACTION}{action}/0")


def action_of(unit: str) -> str:
    """The action of a unit that counts it."""
    return unit.removeprefix(_ACTION).removesuffix("/0")


_TIER = "tier:"


def tier_unit(tier: str) -> Unit:
    """That a tier was set by hand."""
    return Unit(f"{_TIER}{tier}/0")


def tier_of(unit: str) -> str:
    """The tier of a unit of tiers set by hand."""
    return unit.removeprefix(_TIER).removesuffix("/0")


def points_unit(decimals: int) -> Unit:
    """Points with a programme's decimals."""
    return Unit(f"points/{decimals}")


def exponent_of(unit: Unit) -> int:
    """How many decimals amounts in a unit have."""
    return int(unit.rpartition("/")[2])
