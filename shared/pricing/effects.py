"""What one offer does to the lines that the offers before it left.

Lines are known by their position in canonical order; amounts are tax-included minor units.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from shared.ids import CouponId
from shared.loyalty.effects import AmountOff, Ladder, NthItem, PercentOff
from shared.loyalty.offers import GroupMode, Offer
from shared.money import divide_rounded
from shared.pricing.basket import WHOLE
from shared.shares import largest_remainder


@dataclass(frozen=True, slots=True)
class OfferLine:
    """What offers see of a line. ``units`` is 0 for weighed goods."""

    sku: str
    units: int
    gross: int


@dataclass(frozen=True, slots=True)
class State:
    """What a sequence of offers has left: one figure per line, and the groups that are closed.

    ``multi`` is what multi-buy offers took off and ``used`` how many units they used, so that the
    price of the units left over stays known.
    """

    remaining: tuple[int, ...]
    used: tuple[int, ...]
    multi: tuple[int, ...]
    closed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An offer that may apply to this basket: its goods as positions, its thresholds likewise."""

    offer: Offer
    lines: tuple[int, ...]
    spends: tuple[tuple[int, tuple[int, ...]], ...] = ()
    group: str = ""
    mode: GroupMode = GroupMode.CHAIN
    coupon: CouponId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a candidate takes off, and how many units it uses, by position."""

    candidate: Candidate
    amounts: Mapping[int, int]
    units: Mapping[int, int]

    @property
    def total(self) -> int:
        """The whole discount."""
        return sum(self.amounts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What would unlock an offer, or its next step. All zero: nothing one could buy."""

    spend: int = 0
    units: int = 0
    gain: int = 0


def take(candidate: Candidate, lines: Sequence[OfferLine], state: State) -> Taking | Missing:
    """What an offer takes off a state, or what is missing for it to take anything."""
    missing = _missing_spend(candidate, state)
    if missing is not None:
        return missing
    units: dict[int, int] = {}
    effect = candidate.offer.effect
    match effect:
        case Ladder():
            weights = {index: state.remaining[index] for index in candidate.lines}
            off = ladder_off(effect, sum(weights.values()))
        case PercentOff():
            weights = {index: state.remaining[index] for index in candidate.lines}
            off = divide_rounded(sum(weights.values()) * effect.basis_points_off, WHOLE)
        case AmountOff():
            weights = _amount_weights(effect, candidate, lines, state)
            off = sum(weights.values())
            off = off if effect.each_unit else min(off, effect.off_minor)
        case NthItem():
            weights, units = _nth_item(effect, candidate, lines, state)
            off = sum(weights.values())
        case _:
            assert_never(effect)
    off = min(off, candidate.offer.at_most_minor or off)
    if not off:
        return lacking(candidate, lines, state)
    return Taking(candidate=candidate, amounts=_share(off, weights), units=units)


def take_added(members: Sequence[Candidate], state: State) -> list[Taking]:
    """Percentages of one group, summed on the same amounts, at most 100% on any line.

    The sum is rounded once, shared over the lines, and on each line over the offers.
    """
    points: dict[int, list[int]] = {}
    for member in members:
        for index in member.lines:
            given = points.setdefault(index, [0] * len(members))
            assert isinstance(member.offer.effect, PercentOff)
            percent = member.offer.effect.basis_points_off
            given[members.index(member)] = min(percent, WHOLE - sum(given))
    weights = {index: state.remaining[index] * sum(points[index]) for index in sorted(points)}
    shares = _share(divide_rounded(sum(weights.values()), WHOLE), weights)
    by_member: list[dict[int, int]] = [{} for _ in members]
    for index, share in shares.items():
        parts = largest_remainder(min(share, state.remaining[index]), points[index])
        for amounts, part in zip(by_member, parts, strict=True):
            amounts[index] = part
    return [
        Taking(candidate=member, amounts=_capped(member.offer, amounts), units={})
        for member, amounts in zip(members, by_member, strict=True)
    ]


def _capped(offer: Offer, amounts: dict[int, int]) -> dict[int, int]:
    total = sum(amounts.values())
    return _share(min(total, offer.at_most_minor or total), amounts)


def after(state: State, takings: Sequence[Taking], closes: str) -> State:
    """The state that takings leave behind."""
    remaining, used, multi = list(state.remaining), list(state.used), list(state.multi)
    for taking in takings:
        for index, amount in taking.amounts.items():
            remaining[index] -= amount
            if taking.units:
                multi[index] += amount
        for index, units in taking.units.items():
            used[index] += units
    closed = state.closed | {closes} if closes else state.closed
    return State(tuple(remaining), tuple(used), tuple(multi), closed)


def ladder_off(ladder: Ladder, amount: int) -> int:
    """What a 满减 ladder takes off an amount: its top step as often as allowed, then the rest."""
    top = ladder.steps[-1]
    times = amount // top.threshold_minor
    if not ladder.repeats:
        times = min(times, 1)
    elif ladder.repeat_limit:
        times = min(times, ladder.repeat_limit)
    off = times * top.off_minor
    if times == 0 or (ladder.repeats and times != ladder.repeat_limit):
        rest = amount - times * top.threshold_minor
        off += max((s.off_minor for s in ladder.steps if s.threshold_minor <= rest), default=0)
    return off


def lacking(candidate: Candidate, lines: Sequence[OfferLine], state: State) -> Missing:
    """What more would make the offer take off more than it does now."""
    missing = _missing_spend(candidate, state)
    if missing is not None:
        return missing
    effect = candidate.offer.effect
    if isinstance(effect, Ladder):
        return _next_step(effect, sum(state.remaining[index] for index in candidate.lines))
    if isinstance(effect, NthItem):
        open_units = sum(lines[index].units - state.used[index] for index in candidate.lines)
        if open_units % effect.nth == effect.nth - 1 and not effect.sets_limit:
            return Missing(units=1)
    return Missing()


def _next_step(ladder: Ladder, amount: int) -> Missing:
    now = ladder_off(ladder, amount)
    top = ladder.steps[-1].threshold_minor
    whole = amount // top * top if ladder.repeats else 0
    for step in ladder.steps:
        reached = whole + step.threshold_minor
        gain = ladder_off(ladder, reached) - now
        if reached > amount and gain > 0:
            return Missing(spend=reached - amount, gain=gain)
    return Missing()


def _missing_spend(candidate: Candidate, state: State) -> Missing | None:
    for minimum, positions in candidate.spends:
        missing = minimum - sum(state.remaining[index] for index in positions)
        if missing > 0:
            effect = candidate.offer.effect
            gain = effect.off_minor if isinstance(effect, AmountOff) else 0
            return Missing(spend=missing, gain=gain)
    return None


def _share(off: int, weights: Mapping[int, int]) -> dict[int, int]:
    if not weights:
        return {}
    shares = largest_remainder(off, list(weights.values()))
    return {index: share for index, share in zip(weights, shares, strict=True) if share}


def _amount_weights(
    effect: AmountOff, candidate: Candidate, lines: Sequence[OfferLine], state: State
) -> dict[int, int]:
    if not effect.each_unit:
        return {index: state.remaining[index] for index in candidate.lines}
    return {
        index: min(state.remaining[index], effect.off_minor * lines[index].units)
        for index in candidate.lines
    }


def _nth_item(
    effect: NthItem, candidate: Candidate, lines: Sequence[OfferLine], state: State
) -> tuple[dict[int, int], dict[int, int]]:
    """Discounts and used units: units in falling price, every nth of a full set is cheaper."""

    def falling_price(index: int) -> tuple[int, int]:
        value = (state.remaining[index] + state.multi[index]) * 10**9 // lines[index].units
        return -value, index

    open_lines = [i for i in candidate.lines if lines[i].units > state.used[i]]
    pools: dict[str, list[int]] = {}
    for index in sorted(open_lines, key=falling_price):
        pools.setdefault(lines[index].sku if effect.same_goods else "", []).append(index)
    amounts: dict[int, int] = {}
    units: dict[int, int] = {}
    sets_left = effect.sets_limit or sum(lines[i].units for i in open_lines)
    for pool in pools.values():
        open_units = [lines[i].units - state.used[i] for i in pool]
        sets = min(sum(open_units) // effect.nth, sets_left)
        sets_left -= sets
        start = 0
        for index, count in zip(pool, open_units, strict=True):
            first, last = (min(at, sets * effect.nth) for at in (start, start + count))
            cheaper = last // effect.nth - first // effect.nth
            value = (state.remaining[index] + state.multi[index]) * cheaper
            off = divide_rounded(value * effect.basis_points_off, lines[index].units * WHOLE)
            if last > first:
                units[index] = last - first
                amounts[index] = min(off, state.remaining[index])
            start += count
    return amounts, units
