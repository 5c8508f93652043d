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


class TenderState(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was taken."""

    tender: str
    amount_minor: int
    change_minor: int
    points: int


class LotState(msgspec.Struct, frozen=True, kw_only=True):
    """Points left of one earning."""

    lot: str
    points: int
    earned_on: str
    last_day: str | None


class MemberState(msgspec.Struct, frozen=True, kw_only=True):
    """A member's balances."""

    member: str
    tier: str
    points: int
    spendable: int
    lots: tuple[LotState, ...]
    spend_minor: int
    growth: int
    next_tier: str
    missing_to_next_minor: int | None


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
    points_earned: int
    growth_earned: int
    reward_points: int
    points_offered: int
    is_best_price: bool
    members: tuple[MemberState, ...]
    drawer_minor: int
    """Cash taken less change."""
    sales: int
