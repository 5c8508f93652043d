"""How things stand after a step, as plain values that JSON and tables are made of."""

from typing import Any

import msgspec


class LineState(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the basket."""

    line: str
    goods: str
    quantity: int
    gross_minor: int
    """Tax-included, before discounts, without levies."""
    hand_minor: int
    discounts: tuple[dict[str, Any], ...]
    """``offer``, ``version``, ``amount_minor``, ``units`` and ``coupon``."""
    net_minor: int
    tax_minor: int
    levy_minor: int
    pay_minor: int
    points: int
    growth: int


class TaxState(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the tax table."""

    tax_class: str
    net_minor: int
    tax_minor: int
    levy_minor: int
    taxed_minor: int


class OfferState(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that applied, or did not, and why: as data and as words."""

    offer: str
    reason: str
    amount_minor: int
    missing_minor: int
    missing_units: int
    missing_points: int
    gain_minor: int
    coupon: str | None
    zh: str
    en: str


class AddedState(msgspec.Struct, frozen=True, kw_only=True):
    """Units on top at 0; several ``choices`` and no ``goods`` where one is to be chosen."""

    offer: str
    goods: str
    units: int
    choices: tuple[str, ...]


class EarnedState(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one rule."""

    rule: str
    points: int


class StampedState(msgspec.Struct, frozen=True, kw_only=True):
    """What completing the sale does to a visit card."""

    card: str
    before: int
    added: int
    filled: int
    """Cards that are full by it."""
    points: int
    """What these give."""


class TenderState(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was taken."""

    tender: str
    amount_minor: int
    change_minor: int
    points: int
    given_minor: int = 0
    """What was handed over, where it was more than is due and no cash."""
    code: str = ""
    """Of a gift card."""


class LotState(msgspec.Struct, frozen=True, kw_only=True):
    """Points left of one earning."""

    lot: str
    points: int
    earned_on: str
    last_day: str | None
    usable_from: str | None = None


class LapsingState(msgspec.Struct, frozen=True, kw_only=True):
    """Points that lapse after a day the member is reminded of."""

    last_day: str
    points: int
    days_left: int


class MemberState(msgspec.Struct, frozen=True, kw_only=True):
    """A member's balances."""

    member: str
    tier: str
    points: int
    """What has not lapsed, less what is owed; a part may be pending."""
    spendable: int
    lots: tuple[LotState, ...]
    spend_minor: int
    growth: int
    next_tier: str
    missing_to_next_minor: int | None
    principal_minor: int = 0
    bonus_minor: int = 0
    stamps: dict[str, int] = msgspec.field(default_factory=dict)
    lapsing: tuple[LapsingState, ...] = ()
    lapsed: int = 0
    """Points of lots that have lapsed unused."""


class IssuedState(msgspec.Struct, frozen=True, kw_only=True):
    """Codes that completing the sale will give."""

    offer: str
    coupon: str
    units: int


class CouponState(msgspec.Struct, frozen=True, kw_only=True):
    """A code and what is left of it."""

    code: str
    coupon: str
    member: str
    uses_left: int
    from_day: str | None
    last_day: str | None


class CardState(msgspec.Struct, frozen=True, kw_only=True):
    """A gift card."""

    code: str
    left_minor: int
    last_day: str | None
    tax_minor: int = 0
    """What is in it of the tax that was paid when it was sold."""


class RewardState(msgspec.Struct, frozen=True, kw_only=True):
    """A reward that can be claimed now: how often the points are enough for it."""

    offer: str
    points: int
    times: int


class DemandState(msgspec.Struct, frozen=True, kw_only=True):
    """What the cashier has to see before these goods are sold."""

    restriction: str
    demand: str
    years: int


class RefundState(msgspec.Struct, frozen=True, kw_only=True):
    """What the last return gave back and took back."""

    sale: str
    amount_minor: int
    """Money and what points had paid together."""
    tax_minor: int
    tenders: tuple[TenderState, ...]
    points_taken_back: int
    points_given_back: int
    coupons_given_back: tuple[str, ...] = ()
    coupons_voided: tuple[str, ...] = ()
    gifts_charged_minor: int = 0
    """For gifts that the kept goods do not give any more; it was kept back from the money."""
    points_forgiven: int = 0
    """Of all returns of this sale: what it had earned and was not there to be taken back."""


class DrawerState(msgspec.Struct, frozen=True, kw_only=True):
    """The last count of the drawer."""

    expected_minor: int
    counted_minor: int
    difference_minor: int


class LotOwed(msgspec.Struct, frozen=True, kw_only=True):
    """A lot on a day: what could still be spent of it, or what had lapsed."""

    member: str
    lot: str
    outstanding: int
    lapsed: int


class LiabilityState(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop owed for points at the end of a day."""

    on: str
    outstanding: int
    breakage: int
    """Points that had lapsed unused."""
    value_minor: int
    """What the outstanding points could pay at best, rounded up for each member."""
    lots: tuple[LotOwed, ...]


class DayState(msgspec.Struct, frozen=True, kw_only=True):
    """The totals of a day that was closed."""

    sales: int
    turnover_minor: int
    """Of sales, before refunds."""
    tax_minor: dict[str, int]
    """Of sales less that of refunds, by tax class."""
    refunded_tax_minor: dict[str, int]
    """What refunds took out of it."""
    tenders_minor: dict[str, int]
    refunds: int
    refunded_minor: int
    paid_in_minor: int
    paid_out_minor: int
    points_earned: int
    points_spent: int
    points_taken_back: int
    expected_minor: int


class PartnerState(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner owes so far."""

    partner: str
    sales: int
    returns: int = 0
    spend_minor: int
    points: int
    owed_minor: int
    points_spent: int = 0
    """Of our points that it took."""
    settlement_minor: int = 0
    """What it pays; below zero what is paid to it."""


class WinState(msgspec.Struct, frozen=True, kw_only=True):
    """Who won what in a draw."""

    draw: str
    prize: str
    entry: str
    member: str
    """Whose entry it is now."""


class RefusedState(msgspec.Struct, frozen=True, kw_only=True):
    """A step that could not be done, and why; it changed nothing."""

    step: int
    do: str
    code: str
    """Of the reason; stable."""
    zh: str
    en: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything after a step."""

    step: int
    """Counted from 1; the last step's is the end."""
    title: str
    at: str
    currency: str
    member: str | None
    lines: tuple[LineState, ...]
    offers: tuple[OfferState, ...]
    added: tuple[AddedState, ...]
    taxes: tuple[TaxState, ...]
    total_minor: int
    net_minor: int
    saved_minor: int
    due_minor: int
    due_in_cash_minor: int
    tenders: tuple[TenderState, ...]
    earned: tuple[EarnedState, ...]
    """By earning rule; then by visit card, and ``referral`` for what a friend gets."""
    points_earned: int
    cards: tuple[StampedState, ...]
    growth_earned: int
    reward_points: int
    points_offered: int
    is_best_price: bool
    members: tuple[MemberState, ...]
    drawer_minor: int
    """Cash taken less change."""
    sales: int
    repeats: int = 0
    """Sales that were completed again, which moved nothing."""
    credit_minor: int = 0
    """What goods that come back with this ticket are worth."""
    issued: tuple[IssuedState, ...] = ()
    coupons: tuple[CouponState, ...] = ()
    gift_cards: tuple[CardState, ...] = ()
    rewards: tuple[RewardState, ...] = ()
    demands: tuple[DemandState, ...] = ()
    refund: RefundState | None = None
    expected_minor: int = 0
    """Cash that should be in the drawer, the float included."""
    drawer_count: DrawerState | None = None
    days: tuple[DayState, ...] = ()
    liability: LiabilityState | None = None
    """The last one that was asked for."""
    partners: tuple[PartnerState, ...] = ()
    wins: tuple[WinState, ...] = ()
    refused: tuple[RefusedState, ...] = ()
    """All steps up to here that could not be done."""
    point_decimals: int = 0
    """How many digits of points are decimals."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What ``evertill quote --json`` prints of a scenario that could be played."""

    states: tuple[State, ...]
    """After each ``show`` and after the last step."""
    differences: tuple[str, ...]
    """Where what was expected did not come out."""
    refused: tuple[RefusedState, ...]
    """All steps that could not be done."""


def result_schema() -> dict[str, Any]:
    """The JSON Schema of what is told, for programs."""
    return msgspec.json.schema(Told)
