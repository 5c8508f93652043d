"""What one offer does to the lines that the offers before it left.

Lines are known by their position in canonical order; amounts are tax-included minor units.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import Final, Protocol

from msgspec import Struct

from shared.ids import CouponId
from shared.loyalty.effects import (
    Addition,
    AmountOff,
    Bundle,
    FixedPrice,
    FreeUnits,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    RoundDown,
    SetPrice,
)
from shared.loyalty.offers import GroupMode, Offer
from shared.money import divide_rounded
from shared.pricing import multi_buy
from shared.pricing.basket import WHOLE
from shared.pricing.gates import OPEN, Gate, shortfall
from shared.pricing.multi_buy import SetsFound, Shelf
from shared.pricing.net import NetPart, net_off, net_sum
from shared.shares import largest_remainder

MoneyOff = Ladder | PercentLadder | FixedPrice | PercentOff | AmountOff | RoundDown
"""What looks at money and uses up no units."""
SetsEffect = NthItem | SetPrice | Bundle | FreeUnits
SETS: Final = (NthItem, SetPrice, Bundle, FreeUnits)
"""What uses up units."""


class OfferLine(Struct, frozen=True, gc=False):
    """What offers see of a line. ``units`` is 0 for weighed goods, ``grams`` for others."""

    sku: str
    units: int
    gross: int
    grams: int = 0

    def priced_at(self, price_minor: int) -> int:
        """What the line costs at a price per piece or kilogram."""
        if self.grams:
            return divide_rounded(price_minor * self.grams, 1000)
        return price_minor * self.units


class Standing(Protocol):
    """What offers look at: money left, units used and what multi-buy offers took, by position."""

    @property
    def remaining(self) -> Sequence[int]: ...

    @property
    def used(self) -> Sequence[int]: ...

    @property
    def multi(self) -> Sequence[int]: ...


class State(Struct, frozen=True):
    """What a sequence of offers has left: one figure per line.

    ``multi`` is what multi-buy offers took off and ``used`` how many units they used, so that the
    price of the units left over stays known.
    """

    remaining: Sequence[int]
    used: Sequence[int]
    multi: Sequence[int]

    @staticmethod
    def untouched(lines: Sequence[OfferLine]) -> "State":
        """Before any offer."""
        nothing = (0,) * len(lines)
        return State(tuple([line.gross for line in lines]), nothing, nothing)

    def less(self, amount: int) -> "State":
        """With an amount off all that is left, shared by what is left of each line."""
        off = min(amount, sum(self.remaining))
        shares = largest_remainder(off, self.remaining)
        left = [one - share for one, share in zip(self.remaining, shares, strict=True)]
        return State(left, self.used, self.multi)


class Candidate(Struct, frozen=True, eq=False):
    """An offer that may apply to this basket: its goods as positions, its thresholds likewise."""

    offer: Offer
    place: tuple[int, int]
    """When it works: its phase, and its rank in it."""
    lines: tuple[int, ...]
    gate: Gate = OPEN
    group: str = ""
    mode: GroupMode = GroupMode.CHAIN
    coupon: CouponId | None = None
    parts: tuple[tuple[int, ...], ...] = ()
    """The goods of each part of a bundle."""
    time: int = 0
    """Which of several claims of a reward this is."""
    nets: tuple[NetPart, ...] = ()
    """Of an offer that is stated without tax: the net part of each of its lines."""

    @property
    def is_claimed(self) -> bool:
        """Whether it is there for a code, or for a reward that was asked for."""
        return bool(self.coupon or self.time)

    @property
    def key(self) -> str:
        """What orders candidates that are alike otherwise."""
        time = f"/{self.time}" if self.time else ""
        return f"{self.offer.id}{self.coupon or ''}{time}"

    @property
    def net_parts(self) -> dict[int, NetPart]:
        """The net parts by position."""
        return dict(zip(self.lines, self.nets, strict=True))


class Taking(Struct, frozen=True, kw_only=True):
    """What a candidate takes off, and how many units it uses, by position.

    ``sets`` is how many sets it makes, or how many units it reduces singly.
    """

    candidate: Candidate
    amounts: Mapping[int, int]
    units: Mapping[int, int]
    sets: int = 0

    @property
    def total(self) -> int:
        """The whole discount."""
        return sum(self.amounts.values())


class Missing(Struct, frozen=True, kw_only=True, gc=False):
    """What would unlock an offer, or its next step. All zero: nothing one could buy."""

    spend: int = 0
    units: int = 0
    gain: int = 0


def take(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> Taking | Missing:
    """What an offer takes off a state, or what is missing for it to take anything."""
    missing = shortfall(candidate.gate, state.remaining)
    if missing is not None:
        return _missing_spend(candidate, missing)
    off, weights, found = _amount(candidate, lines, state)
    return _taking(candidate, off, weights, found) if off > 0 else lacking(candidate, lines, state)


def take_sets(
    candidate: Candidate, lines: Sequence[OfferLine], state: Standing, numbers: Iterable[int]
) -> Iterator[Taking]:
    """What an offer that uses up units and can work takes off with so many sets at most."""
    effect, shelf = candidate.offer.effect, _shelf(candidate, lines, state)
    assert isinstance(effect, SETS)
    for sets in numbers:
        off, weights, found = _amount_of_sets(effect, candidate, shelf, sets)
        if off > 0:
            yield _taking(candidate, off, weights, found)


def _taking(
    candidate: Candidate, off: int, weights: Mapping[int, int], found: SetsFound | None
) -> Taking:
    units, sets = (found.units, found.sets) if found else ({}, 0)
    if candidate.offer.reuses_units:
        units = {}
    return Taking(candidate=candidate, amounts=_share(off, weights), units=units, sets=sets)


def obstacle(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> Missing | None:
    """What is missing for an offer to take anything off a state; None where it can."""
    missing = shortfall(candidate.gate, state.remaining)
    if missing is not None:
        return _missing_spend(candidate, missing)
    return None if amount_off(candidate, lines, state) else lacking(candidate, lines, state)


def amount_off(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> int:
    """How much an offer whose thresholds are reached takes off, without sharing it over lines."""
    off, _, _ = _amount(candidate, lines, state)
    return max(0, off)


Amount = tuple[int, dict[int, int], SetsFound | None]
"""What is taken off, the weights by which lines share it, and the sets that it is for."""


def _amount(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> Amount:
    effect = candidate.offer.effect
    if isinstance(effect, SETS):
        return _amount_of_sets(effect, candidate, _shelf(candidate, lines, state))
    if isinstance(effect, Addition):
        return 0, {}, None
    weights = _weights(effect, candidate, lines, state)
    if candidate.nets:
        weights = _net_off(effect, candidate, weights)
        return sum(weights.values()), weights, None
    return _capped_off(effect, candidate.offer, sum(weights.values())), weights, None


def _amount_of_sets(
    effect: SetsEffect, candidate: Candidate, shelf: Shelf, most_sets: int = 0
) -> Amount:
    """The same for at most so many sets, 0 being as many as can be made."""
    found = _sets(effect, candidate, shelf, most_sets)
    weights = found.weights(shelf)
    off = min(found.off, sum(weights.values()) // shelf.scale)
    return min(off, candidate.offer.at_most_minor or off), weights, found


def _shelf(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> Shelf:
    positions = candidate.lines
    scale = multi_buy.scale_of(lines, positions)
    if candidate.offer.reuses_units:
        nothing = (0,) * len(lines)
        return Shelf(lines, positions, state.remaining, nothing, nothing, scale)
    return Shelf(lines, positions, state.remaining, state.used, state.multi, scale)


def _sets(effect: SetsEffect, candidate: Candidate, shelf: Shelf, most: int) -> SetsFound:
    match effect:
        case NthItem():
            return multi_buy.nth_item(effect, shelf, most)
        case SetPrice():
            return multi_buy.set_price(effect, shelf, most)
        case Bundle():
            return multi_buy.bundle(effect, candidate.parts, shelf, most)
        case FreeUnits():
            return multi_buy.free_units(effect, shelf, most)


def _weights(
    effect: MoneyOff, candidate: Candidate, lines: Sequence[OfferLine], state: Standing
) -> dict[int, int]:
    """What of each line counts for an offer, and is shared by: tax-included amounts."""
    match effect:
        case PercentOff():
            return _percent_base(effect, candidate, lines, state)
        case FixedPrice(price_minor=price):
            return {
                index: max(0, state.remaining[index] - _stated(lines[index].priced_at(price), net))
                for index, net in _with_nets(candidate)
            }
        case AmountOff(each_unit=True, off_minor=off):
            return {
                index: min(state.remaining[index], _stated(off * lines[index].units, net))
                for index, net in _with_nets(candidate)
            }
        case _:
            return {index: state.remaining[index] for index in candidate.lines}


def _with_nets(candidate: Candidate) -> Iterable[tuple[int, NetPart | None]]:
    return zip_longest(candidate.lines, candidate.nets)


def _stated(amount: int, net: NetPart | None) -> int:
    """An amount that an offer states, tax included."""
    return amount if net is None else net.with_tax(amount)


def _off_of(effect: MoneyOff, whole: int) -> int:
    """What is taken off all that counts together."""
    match effect:
        case Ladder():
            return ladder_off(effect, whole)
        case PercentLadder():
            return divide_rounded(whole * percent_of(effect, whole), WHOLE)
        case PercentOff(basis_points_off=points):
            return divide_rounded(whole * points, WHOLE)
        case AmountOff(each_unit=False, off_minor=off):
            return min(whole, off)
        case RoundDown(step_minor=step):
            return whole % step
        case FixedPrice() | AmountOff():
            return whole


def _net_off(effect: MoneyOff, candidate: Candidate, weights: Mapping[int, int]) -> dict[int, int]:
    """The same for an offer that is stated without tax, by line, its cap included."""
    return net_off(weights, candidate.net_parts, partial(_capped_off, effect, candidate.offer))


def _capped_off(effect: MoneyOff, offer: Offer, whole: int) -> int:
    off = _off_of(effect, whole)
    return min(off, offer.at_most_minor or off)


def most_off_net(
    effect: MoneyOff, candidate: Candidate, lines: Sequence[OfferLine], start: Standing
) -> int:
    """What an offer that is stated without tax takes off at most of what was not touched yet.

    Tax classes that earlier offers empty leave their part to others, at worst to the dearest taxed.
    """
    weights = _weights(effect, candidate, lines, start)
    off = _capped_off(effect, candidate.offer, net_sum(weights, candidate.net_parts))
    return max(part.with_tax(off) for part in candidate.nets)


def measured(candidate: Candidate, state: Standing) -> int:
    """What is left of an offer's goods, as its steps and thresholds measure it."""
    left = {index: state.remaining[index] for index in candidate.lines}
    return net_sum(left, candidate.net_parts) if candidate.nets else sum(left.values())


def _percent_base(
    effect: PercentOff, candidate: Candidate, lines: Sequence[OfferLine], state: Standing
) -> dict[int, int]:
    """What a percentage is taken of: where it spares them, without the units of multi-buy offers.

    The units left out of those offers cost what all did before them.
    """
    base = {index: state.remaining[index] for index in candidate.lines}
    if effect.spares_multi_buy:
        for index, left in base.items():
            units, used = lines[index].units, state.used[index]
            if used:
                spare = (left + state.multi[index]) * (units - used) // units
                base[index] = min(left, spare)
    return base


def percent_of(ladder: PercentLadder, amount: int) -> int:
    """The basis points of the highest step that an amount reaches."""
    reached = (step.basis_points_off for step in ladder.steps if step.threshold_minor <= amount)
    return max(reached, default=0)


def take_added(
    members: Sequence[Candidate], lines: Sequence[OfferLine], state: Standing
) -> list[Taking]:
    """Percentages of one group, summed on the same amounts, at most 100% on any line.

    The sum is rounded once, shared over the lines, and on each line over the offers.
    """
    parts = _added_parts(members, lines, state)
    weights = {index: sum(parts[index]) for index in sorted(parts)}
    shares = _share(divide_rounded(sum(weights.values()), WHOLE), weights)
    by_member: list[dict[int, int]] = [{} for _ in members]
    for index, share in shares.items():
        divided = largest_remainder(min(share, state.remaining[index]), parts[index])
        for amounts, part in zip(by_member, divided, strict=True):
            amounts[index] = part
    return [
        Taking(candidate=member, amounts=_capped(member, amounts), units={})
        for member, amounts in zip(members, by_member, strict=True)
    ]


def _added_parts(
    members: Sequence[Candidate], lines: Sequence[OfferLine], state: Standing
) -> dict[int, list[int]]:
    """By line what each member takes, in basis points of a minor unit."""
    parts: dict[int, list[int]] = {}
    given: dict[int, int] = {}
    for number, member in enumerate(members):
        effect = member.offer.effect
        assert isinstance(effect, PercentOff)
        for index, base in _percent_base(effect, member, lines, state).items():
            percent = min(effect.basis_points_off, WHOLE - given.get(index, 0))
            given[index] = given.get(index, 0) + percent
            parts.setdefault(index, [0] * len(members))[number] = base * percent
    return parts


def _capped(candidate: Candidate, amounts: dict[int, int]) -> dict[int, int]:
    cap, total = candidate.offer.at_most_minor, sum(amounts.values())
    if candidate.nets and cap:
        own = {index: amount for index, amount in amounts.items() if amount}
        return net_off(own, candidate.net_parts, lambda whole: min(whole, cap))
    return _share(min(total, cap or total), amounts)


def after(state: State, taking: Taking) -> State:
    """The state that a taking leaves behind."""
    remaining = [*state.remaining]
    if not taking.units:
        for index, amount in taking.amounts.items():
            remaining[index] -= amount
        return State(remaining, state.used, state.multi)
    used, multi = [*state.used], [*state.multi]
    take_off(taking, remaining, used, multi)
    return State(remaining, used, multi)


def take_off(taking: Taking, remaining: list[int], used: list[int], multi: list[int]) -> None:
    """Change a state's figures by what a taking does to them."""
    for index, amount in taking.amounts.items():
        remaining[index] -= amount
        if taking.units:
            multi[index] += amount
    for index, units in taking.units.items():
        used[index] += units


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


def lacking(candidate: Candidate, lines: Sequence[OfferLine], state: Standing) -> Missing:
    """What more would make the offer take off more than it does now."""
    missing = shortfall(candidate.gate, state.remaining)
    if missing is not None:
        return _missing_spend(candidate, missing)
    effect = candidate.offer.effect
    match effect:
        case Ladder():
            return _next_step(effect, measured(candidate, state))
        case PercentLadder():
            return _next_percent(effect, measured(candidate, state))
        case NthItem(nth=size) | SetPrice(units=size):
            open_units = sum(lines[i].units - state.used[i] for i in candidate.lines)
            begun = open_units % size
            if not effect.sets_limit and begun and begun == size - 1:
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


def _next_percent(ladder: PercentLadder, amount: int) -> Missing:
    now = percent_of(ladder, amount)
    for step in ladder.steps:
        if step.threshold_minor > amount and step.basis_points_off > now:
            return Missing(spend=step.threshold_minor - amount)
    return Missing()


def _missing_spend(candidate: Candidate, missing: int) -> Missing:
    effect = candidate.offer.effect
    gain = effect.off_minor if missing and isinstance(effect, AmountOff) else 0
    return Missing(spend=missing, gain=gain)


def _share(off: int, weights: Mapping[int, int]) -> dict[int, int]:
    if len(weights) < 2:
        # One line, or the sum of all of them, takes it whole.
        return dict.fromkeys(weights, off) if off else {}
    shares = largest_remainder(off, list(weights.values()))
    return {index: share for index, share in zip(weights, shares, strict=True) if share}
