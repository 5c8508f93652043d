"""From what two players counted to the result."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.backtest.figures import DayTally, MemberTally, OfferTally, Played
from shared.backtest.result import (
    Assumed,
    FundingRow,
    Had,
    MemberRow,
    OfferRow,
    PeriodRow,
    PeriodUnit,
    Result,
    Side,
    TierMovement,
    TierName,
)
from shared.backtest.winning import members_outcome
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.offers import Offer
from shared.loyalty.programme import Programme
from shared.money import Rounding, divide_rounded
from shared.pricing.basket import WHOLE

WEEKS_MAX: Final = 30
"""Longer times are told by month: a chart shows no more points well."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result, and every member, who wins most first."""

    result: Result
    members: tuple[MemberRow, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """A programme and what it brought."""

    programme: Programme
    played: Played


def compare(old: Trial, new: Trial, assumed: Assumed) -> Comparison:
    """Put two trials of the same events side by side."""
    members = _member_rows(old, new)
    unit = _unit(assumed)
    result = Result(
        currency=new.programme.currency,
        assumed=assumed,
        old=_side(old),
        new=_side(new),
        period_unit=unit,
        periods=_periods(old.played.days, new.played.days, unit),
        tiers=_tier_movement(old.programme, new.programme, members),
        members=members_outcome(members),
    )
    return Comparison(result, members)


def points_value(points: int, programme: Programme) -> int:
    """What points can pay in money, cut down, in the way that pays most; 0 where there is none."""
    ways = [
        divide_rounded(points * rule.value_per_block_minor, rule.points_per_block, Rounding.DOWN)
        for rule in programme.redemptions
    ]
    return max(ways, default=0)


def share_of(part: int, total: int) -> int:
    """A share in basis points; 0 of nothing."""
    return divide_rounded(part * WHOLE, total) if total > 0 else 0


def _side(trial: Trial) -> Side:
    programme, figures = trial.programme, trial.played.figures
    liability = points_value(figures.points_live, programme)
    offers = _offer_rows(programme, trial.played.offers)
    margin = figures.costed_net_minor - figures.cost_minor - figures.added_cost_minor
    return Side(
        programme=programme.id,
        names=programme.names,
        sha256=hashlib.sha256(programme_bytes(programme)).hexdigest(),
        point_names=programme.points.names,
        point_decimals=programme.points.decimals,
        figures=figures,
        discount_basis_points=share_of(figures.discount_minor, figures.gross_minor),
        liability_minor=liability,
        points_cost_minor=figures.points_paid_minor + liability,
        breakage_basis_points=share_of(figures.points_expired, figures.points_issued),
        margin_minor=margin,
        offers=offers,
        funding=_funding(offers),
    )


def _offer_rows(programme: Programme, tallies: Mapping[str, OfferTally]) -> tuple[OfferRow, ...]:
    """The programme's offers, those that took most off first."""
    total = sum(tally.discount_minor for tally in tallies.values())
    rows = [
        _offer_row(offer, tallies.get(offer.id, OfferTally()), total) for offer in programme.offers
    ]
    return tuple(sorted(rows, key=lambda row: (-row.discount_minor, -row.times, row.offer)))


def _offer_row(offer: Offer, tally: OfferTally, total: int) -> OfferRow:
    return OfferRow(
        offer=offer.id,
        version=offer.version,
        names=offer.names,
        funded_by=offer.funded_by,
        times=tally.times,
        baskets=tally.baskets,
        members=tally.members,
        discount_minor=tally.discount_minor,
        share_basis_points=share_of(tally.discount_minor, total),
        points=tally.points,
        added_units=tally.added_units,
        added_value_minor=tally.added_value_minor,
        added_cost_minor=tally.added_cost_minor,
    )


def _funding(offers: Sequence[OfferRow]) -> tuple[FundingRow, ...]:
    borne: Counter[str] = Counter()
    for offer in offers:
        borne[offer.funded_by] += offer.discount_minor
    total = sum(borne.values())
    rows = (
        FundingRow(
            funded_by=funder, discount_minor=minor, share_basis_points=share_of(minor, total)
        )
        for funder, minor in borne.items()
        if minor
    )
    return tuple(sorted(rows, key=lambda row: (-row.discount_minor, row.funded_by)))


def _unit(assumed: Assumed) -> PeriodUnit:
    days = (assumed.last_day - assumed.first_day).days
    return PeriodUnit.WEEK if days < 7 * WEEKS_MAX else PeriodUnit.MONTH


def _periods(
    old: Mapping[date, DayTally], new: Mapping[date, DayTally], unit: PeriodUnit
) -> tuple[PeriodRow, ...]:
    """Every period from the first day to the last with something in it."""
    sides = [_by_period(days, unit) for days in (old, new)]
    none = DayTally()
    rows = []
    for first in sorted(sides[0].keys() | sides[1].keys()):
        before, after = (side.get(first, none) for side in sides)
        rows.append(
            PeriodRow(
                first=first,
                baskets=after.baskets,
                old_revenue_minor=before.revenue_minor,
                new_revenue_minor=after.revenue_minor,
                old_discount_minor=before.discount_minor,
                new_discount_minor=after.discount_minor,
            )
        )
    return tuple(rows)


def _by_period(days: Mapping[date, DayTally], unit: PeriodUnit) -> dict[date, DayTally]:
    periods: dict[date, DayTally] = {}
    for day, tally in days.items():
        is_week = unit is PeriodUnit.WEEK
        first = day - timedelta(days=day.weekday()) if is_week else day.replace(day=1)
        periods.setdefault(first, DayTally()).add(tally)
    return periods


def _tier_movement(old: Programme, new: Programme, members: Sequence[MemberRow]) -> TierMovement:
    moved = Counter((row.old.tier, row.new.tier) for row in members)
    before, after = _ladder(old), _ladder(new)
    return TierMovement(
        old=before,
        new=after,
        members=tuple(tuple(moved[row.tier, column.tier] for column in after) for row in before),
    )


def _ladder(programme: Programme) -> tuple[TierName, ...]:
    return tuple(TierName(tier=tier.id, names=tier.names) for tier in programme.tiers.ladder)


def _member_rows(old: Trial, new: Trial) -> tuple[MemberRow, ...]:
    """Every member, who wins most first; equal changes in the order of their ids."""
    before = {tally.member: tally for tally in old.played.members}
    after = {tally.member: tally for tally in new.played.members}
    assert before.keys() == after.keys()
    rows = []
    for member, tally in after.items():
        had, has = _had(before[member], old.programme), _had(tally, new.programme)
        rows.append(
            MemberRow(
                member=member,
                baskets=tally.baskets,
                old=had,
                new=has,
                change_minor=has.benefit_minor - had.benefit_minor,
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.change_minor, row.member)))


def _had(tally: MemberTally, programme: Programme) -> Had:
    value = points_value(tally.points_kept, programme)
    return Had(
        revenue_minor=tally.revenue_minor,
        discount_minor=tally.discount_minor,
        added_value_minor=tally.added_value_minor,
        points_kept=tally.points_kept,
        points_value_minor=value,
        benefit_minor=tally.discount_minor + tally.added_value_minor + value,
        tier=tally.tier,
    )
