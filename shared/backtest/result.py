"""The outcome of a backtest as plain values: JSON, tables, CSV and pages are made of it.

Amounts are minor units of ``currency``, points each programme's smallest units, shares basis
points.
"""

from datetime import date
from enum import StrEnum
from typing import Literal

import msgspec

from shared.backtest.figures import Figures
from shared.loyalty.document import Names


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the result."""


class OfferRow(Outcome, frozen=True, kw_only=True):
    """What an offer did; offers that never applied have zeros."""

    offer: str
    version: int
    names: Names
    funded_by: str
    times: int
    baskets: int
    members: int
    """Members who had it at least once."""
    discount_minor: int
    share_basis_points: int
    """Of what all offers took off."""
    points: int
    """What it cost members as a reward."""
    added_units: int
    added_value_minor: int
    added_cost_minor: int


class FundingRow(Outcome, frozen=True, kw_only=True):
    """What somebody bears of the discounts."""

    funded_by: str
    discount_minor: int
    share_basis_points: int


class Side(Outcome, frozen=True, kw_only=True):
    """What one programme would have brought."""

    programme: str
    names: Names
    sha256: str
    point_names: Names
    point_decimals: int
    figures: Figures
    discount_basis_points: int
    """Discounts of offers in the gross."""
    liability_minor: int
    """What the points that live at the end can pay."""
    points_cost_minor: int
    """What was paid with points, and the liability."""
    breakage_basis_points: int
    """Expired points in the issued ones."""
    margin_minor: int
    """Net of the goods with a known cost, less that cost and the cost of what was given on top."""
    offers: tuple[OfferRow, ...]
    funding: tuple[FundingRow, ...]


class PeriodUnit(StrEnum):
    """How long a period of the series is."""

    WEEK = "week"
    """From Monday."""
    MONTH = "month"


class PeriodRow(Outcome, frozen=True, kw_only=True):
    """A period under both programmes, named by its first day."""

    first: date
    baskets: int
    old_revenue_minor: int
    new_revenue_minor: int
    old_discount_minor: int
    new_discount_minor: int


class TierName(Outcome, frozen=True, kw_only=True):
    """A step of a ladder."""

    tier: str
    names: Names


class TierMovement(Outcome, frozen=True, kw_only=True):
    """Members by their tier at the end: a row per old tier, in it a figure per new tier."""

    old: tuple[TierName, ...]
    new: tuple[TierName, ...]
    members: tuple[tuple[int, ...], ...]


class Had(Outcome, frozen=True, kw_only=True):
    """What a member had of one programme."""

    revenue_minor: int
    discount_minor: int
    added_value_minor: int
    points_kept: int
    points_value_minor: int
    benefit_minor: int
    """Discount, value of what was given on top, and value of the points kept."""
    tier: str


class MemberRow(Outcome, frozen=True, kw_only=True):
    """A member, by id alone, under both programmes."""

    member: str
    baskets: int
    old: Had
    new: Had
    change_minor: int
    """Of the benefit."""


class Bin(Outcome, frozen=True, kw_only=True):
    """Members whose benefit changes by more than the nearer bound to 0, up to the farther one.

    None is an open end; both bounds 0 are members for whom nothing changes.
    """

    low_minor: int | None
    high_minor: int | None
    members: int


class Percentile(Outcome, frozen=True, kw_only=True):
    """So many of a hundred members have at most this change."""

    percent: int
    change_minor: int


class MembersOutcome(Outcome, frozen=True, kw_only=True):
    """Winners and losers among members."""

    members: int
    winners: int
    losers: int
    unchanged: int
    gain_minor: int
    """Of all winners together."""
    loss_minor: int
    """Of all losers together, as a positive figure."""
    percentiles: tuple[Percentile, ...]
    distribution: tuple[Bin, ...]
    most: tuple[MemberRow, ...]
    """Who wins most, first."""
    least: tuple[MemberRow, ...]
    """Who loses most, first."""


class Assumed(Outcome, frozen=True, kw_only=True):
    """Where the sales come from, and what was assumed about them."""

    source: str
    first_day: date
    last_day: date
    lines: int
    refused_lines: int
    members: int
    spenders_percent: int
    returned_units: int
    loose_units: int
    """Units that came back and match no sale."""
    against_same_without_offers: bool = False


class Result(Outcome, frozen=True, kw_only=True):
    """Everything but the members one by one."""

    format: Literal[1] = 1
    currency: str
    assumed: Assumed
    old: Side
    new: Side
    period_unit: PeriodUnit
    periods: tuple[PeriodRow, ...]
    tiers: TierMovement
    members: MembersOutcome
