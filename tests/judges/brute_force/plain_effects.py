"""What one offer takes off, unit by unit, as the programme page tells it.

Units are laid out one by one instead of counted, and prices are exact: whole numbers on a scale on
which every unit's price is whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lcm

from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    Effect,
    FixedPrice,
    FreeUnits,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    RoundDown,
    SetPrice,
)
from shared.loyalty.offers import Offer
from tests.judges.brute_force.plain_lines import PlainLine, half_up, net_of, parted

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What offers have left so far, by line: money, units used in sets, money that sets took."""

    left: tuple[int, ...]
    used: tuple[int, ...]
    by_sets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What an offer takes off each line, and how many of its units it puts into how many sets."""

    amounts: Mapping[int, int]
    units: Mapping[int, int]
    sets: int = 0

    @property
    def total(self) -> int:
        """In all."""
        return sum(self.amounts.values())


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of a line with its price on the scale."""

    line: int
    price: int


def begin(lines: Sequence[PlainLine]) -> Standing:
    """Before any offer."""
    nothing = (0,) * len(lines)
    return Standing(tuple(line.listed for line in lines), nothing, nothing)


def leave(standing: Standing, taken: Taken) -> Standing:
    """What an offer leaves."""
    left, used, by_sets = list(standing.left), list(standing.used), list(standing.by_sets)
    for line, amount in taken.amounts.items():
        left[line] -= amount
        by_sets[line] += amount if taken.units else 0
    for line, units in taken.units.items():
        used[line] += units
    return Standing(tuple(left), tuple(used), tuple(by_sets))


def spread(off: int, weights: Mapping[int, int]) -> dict[int, int]:
    """An amount over lines by weight, without those that get nothing."""
    if not weights:
        return {}
    shares = parted(off, list(weights.values()))
    return {line: share for line, share in zip(weights, shares, strict=True) if share}


def capped(offer: Offer, off: int) -> int:
    """An amount, no more than the offer may give."""
    return min(off, offer.at_most_minor) if offer.at_most_minor else off


def taking(
    offer: Offer,
    goods: Sequence[int],
    parts: Sequence[Sequence[int]],
    lines: Sequence[PlainLine],
    now: Standing,
    most: int = 10**6,
) -> Taken:
    """What an offer whose conditions hold takes off with so many sets at most.

    ``goods`` and ``parts`` are lines.
    """
    effect = offer.effect
    if isinstance(effect, NthItem | SetPrice | Bundle | FreeUnits):
        if not offer.reuses_units:
            return _Table(lines, now).taking(offer, goods, parts, most)
        # As if nobody had used a unit; and it uses none for others.
        fresh = Standing(now.left, (0,) * len(lines), (0,) * len(lines))
        taken = _Table(lines, fresh).taking(offer, goods, parts, most)
        return Taken(taken.amounts, {}, taken.sets)
    if offer.net:
        return _taking_net(offer, goods, lines, now)
    off, weights = _counted(effect, goods, lines, now)
    return Taken(spread(capped(offer, off), weights), {})


def _counted(
    effect: Effect, goods: Sequence[int], lines: Sequence[PlainLine], now: Standing
) -> tuple[int, dict[int, int]]:
    """What is taken off, and what of each line counts for it."""
    weights = {line: now.left[line] for line in goods}
    whole = sum(weights.values())
    match effect:
        case RoundDown() | Ladder() | PercentLadder():
            off = _of_sum(effect, whole)
        case PercentOff():
            weights = percentage_base(effect, goods, lines, now)
            off = half_up(sum(weights.values()) * effect.basis_points_off, WHOLE)
        case FixedPrice():
            for line in goods:
                sold = lines[line].sold
                price = effect.price_minor
                asked = half_up(price * sold.grams, 1000) if sold.grams else price * sold.units
                weights[line] = max(0, now.left[line] - asked)
            off = sum(weights.values())
        case AmountOff():
            if effect.each_unit:
                for line in goods:
                    weights[line] = min(now.left[line], effect.off_minor * lines[line].units)
            off = sum(weights.values())
            off = off if effect.each_unit else min(off, effect.off_minor)
        case _:
            raise AssertionError(effect)
    return off, weights


def _taking_net(
    offer: Offer, goods: Sequence[int], lines: Sequence[PlainLine], now: Standing
) -> Taken:
    """The same for an offer that speaks of net amounts: class by class, exact until it rounds."""
    effect = offer.effect
    counted = {line: now.left[line] for line in goods}
    match effect:
        case PercentOff():
            counted = percentage_base(effect, goods, lines, now)
        case FixedPrice(price_minor=price):
            for line in goods:
                sold = lines[line].sold
                asked = half_up(price * sold.grams, 1000) if sold.grams else price * sold.units
                asked = half_up(*(asked / lines[line].net).as_integer_ratio())
                counted[line] = max(0, now.left[line] - asked)
        case AmountOff(each_unit=True, off_minor=each):
            for line in goods:
                most = half_up(*(each * lines[line].units / lines[line].net).as_integer_ratio())
                counted[line] = min(now.left[line], most)
        case _:
            pass
    whole = net_of(lines, [counted.get(n, 0) for n in range(len(lines))], counted.__contains__)
    match effect:
        case Ladder() | PercentLadder():
            off = _of_sum(effect, whole)
        case PercentOff():
            off = half_up(whole * effect.basis_points_off, WHOLE)
        case AmountOff(each_unit=False):
            off = min(whole, effect.off_minor)
        case _:
            off = whole
    return Taken(net_spread(capped(offer, off), counted, lines), {})


def net_spread(off: int, counted: Mapping[int, int], lines: Sequence[PlainLine]) -> dict[int, int]:
    """A net amount off tax-included ones, first over the tax classes and then over their lines."""
    classes: dict[str, list[int]] = {}
    for line in counted:
        classes.setdefault(lines[line].tax_class.id, []).append(line)
    names = sorted(classes)
    sums = [sum(counted[line] for line in classes[name]) for name in names]
    nets = [
        half_up(*(total * lines[classes[name][0]].net).as_integer_ratio())
        for name, total in zip(names, sums, strict=True)
    ]
    if off == sum(nets):
        return {line: amount for line, amount in counted.items() if amount}
    found: dict[int, int] = {}
    for name, total, part in zip(names, sums, parted(off, nets), strict=True):
        paid = half_up(*(part / lines[classes[name][0]].net).as_integer_ratio())
        found |= spread(min(paid, total), {line: counted[line] for line in classes[name]})
    return found


def percentage_base(
    effect: PercentOff, goods: Sequence[int], lines: Sequence[PlainLine], now: Standing
) -> dict[int, int]:
    """What a percentage is taken of, by line; without the units in sets where it spares them."""
    base = {line: now.left[line] for line in goods}
    for line in goods if effect.spares_multi_buy else ():
        units, used = lines[line].units, now.used[line]
        if units and used:
            each = now.left[line] + now.by_sets[line]
            base[line] = min(now.left[line], each * (units - used) // units)
    return base


def _of_sum(effect: Ladder | PercentLadder | RoundDown, whole: int) -> int:
    """What depends on the sum of the goods alone."""
    match effect:
        case RoundDown(step_minor=step):
            return whole - whole // step * step
        case Ladder():
            return _steps(effect, whole)
        case PercentLadder(steps=steps):
            reached = [step.basis_points_off for step in steps if step.threshold_minor <= whole]
            return half_up(whole * max(reached, default=0), WHOLE)


def _steps(ladder: Ladder, amount: int) -> int:
    """A ladder, counted down step by step."""
    *_, top = ladder.steps
    off, times = 0, 0
    most = (ladder.repeat_limit or amount) if ladder.repeats else 1
    while times < most and amount >= top.threshold_minor:
        amount, off, times = amount - top.threshold_minor, off + top.off_minor, times + 1
    if times == 0 or (ladder.repeats and times < most):
        off += max((s.off_minor for s in ladder.steps if s.threshold_minor <= amount), default=0)
    return off


class _Table:
    """The units that no set has used, laid out."""

    def __init__(self, lines: Sequence[PlainLine], now: Standing) -> None:
        self.lines, self.now = lines, now
        self.scale = lcm(*(line.units for line in lines if line.units))

    def price(self, line: int) -> int:
        """Of one unit of a line: what is left without what sets took off, evenly."""
        whole = (self.now.left[line] + self.now.by_sets[line]) * self.scale
        return whole // self.lines[line].units

    def units(self, goods: Sequence[int]) -> list[Unit]:
        """Open units, the dearest first."""
        laid = [
            Unit(line, self.price(line))
            for line in goods
            for _ in range(self.lines[line].units - self.now.used[line])
        ]
        return sorted(laid, key=lambda unit: (-unit.price, unit.line))

    def heaps(self, goods: Sequence[int], *, is_apart: bool) -> list[list[Unit]]:
        """Units that may go together: all, or each article for itself, the dearest heap first."""
        heaps: dict[str, list[Unit]] = {}
        for unit in self.units(goods):
            name = self.lines[unit.line].goods.sku if is_apart else ""
            heaps.setdefault(name, []).append(unit)
        return list(heaps.values())

    def taking(
        self, offer: Offer, goods: Sequence[int], parts: Sequence[Sequence[int]], most: int
    ) -> Taken:
        """What an offer on sets takes off with so many sets at most."""
        effect = offer.effect
        most = min(most, getattr(effect, "sets_limit", 0) or most)
        match effect:
            case NthItem():
                off, used = self._nth(effect, goods, most)
                sets = len(used) // effect.nth
            case SetPrice():
                off, used = self._for_one_price(effect, goods, most)
                sets = len(used) // effect.units
            case Bundle():
                off, used = self._bundles(effect, parts, most)
                sets = len(used) // sum(part.units for part in effect.parts)
            case FreeUnits():
                cheapest = self.units(goods)
                cheapest.sort(key=lambda unit: (unit.price, -unit.line))
                used = cheapest[: min(effect.units, most)]
                off = self._reduced(used, effect.basis_points_off)
                sets = len(used)
            case _:
                raise AssertionError(effect)
        weights: dict[int, int] = {}
        counts: dict[int, int] = {}
        for unit in used:
            counts[unit.line] = counts.get(unit.line, 0) + 1
            most = self.now.left[unit.line] * self.scale
            weights[unit.line] = min(most, unit.price * counts[unit.line])
        off = capped(offer, min(off, sum(weights.values()) // self.scale))
        return Taken(spread(off, weights), counts if off else {}, sets)

    def _reduced(self, units: Sequence[Unit], basis_points: int) -> int:
        """A percentage off units, rounded once for each line."""
        off = 0
        for line in {unit.line for unit in units}:
            worth = sum(unit.price for unit in units if unit.line == line)
            off += min(half_up(worth * basis_points, self.scale * WHOLE), self.now.left[line])
        return off

    def _nth(self, effect: NthItem, goods: Sequence[int], most: int) -> tuple[int, list[Unit]]:
        used: list[Unit] = []
        cheap: list[Unit] = []
        sets = 0
        for heap in self.heaps(goods, is_apart=effect.same_goods):
            for one_set in _full(heap, effect.nth):
                if sets == most:
                    break
                sets += 1
                used += one_set
                cheap += one_set[-effect.cheaper :]
        return self._reduced(cheap, effect.basis_points_off), used

    def _for_one_price(
        self, effect: SetPrice, goods: Sequence[int], most: int
    ) -> tuple[int, list[Unit]]:
        used: list[Unit] = []
        saved, sets = 0, 0
        for heap in self.heaps(goods, is_apart=effect.same_goods):
            for one_set in _full(heap, effect.units):
                gain = sum(unit.price for unit in one_set) - effect.price_minor * self.scale
                if gain <= 0 or sets == most:
                    break
                saved, sets, used = saved + gain, sets + 1, used + one_set
        return half_up(saved, self.scale), used

    def _bundles(
        self, effect: Bundle, parts: Sequence[Sequence[int]], most: int
    ) -> tuple[int, list[Unit]]:
        used: list[Unit] = []
        saved, sets = 0, 0  # ``saved`` in basis points of the scale
        laid = self.units(sorted({line for part in parts for line in part}))
        wanted = [
            lines
            for part, lines in zip(effect.parts, parts, strict=True)
            for _ in range(part.units)
        ]
        while sets < most:
            one_set = _first_that_fills(wanted, laid)
            gain = self._bundle_gain(effect, sum(unit.price for unit in one_set))
            if gain <= 0:
                break
            saved, sets, used = saved + gain, sets + 1, used + one_set
            laid = list(laid)
            for unit in one_set:
                laid.remove(unit)
        return half_up(saved, self.scale * WHOLE), used

    def _bundle_gain(self, effect: Bundle, worth: int) -> int:
        if effect.basis_points_off:
            return worth * effect.basis_points_off
        if effect.off_minor:
            return min(worth, effect.off_minor * self.scale) * WHOLE
        return (worth - effect.price_minor * self.scale) * WHOLE


def _first_that_fills(wanted: Sequence[Sequence[int]], laid: Sequence[Unit]) -> list[Unit]:
    """The first of all choices of units, dearest units first, that has one for each place."""
    if not _can_fill(wanted, laid):
        return []
    for choice in combinations(laid, len(wanted)):
        if _can_fill(wanted, choice):
            return list(choice)
    return []


def _can_fill(wanted: Sequence[Sequence[int]], units: Sequence[Unit]) -> bool:
    """Tries every unit in every place."""
    if not wanted:
        return True
    place, *others = wanted
    for number, unit in enumerate(units):
        is_new = all(other.line != unit.line for other in units[:number])
        rest = [*units[:number], *units[number + 1 :]]
        if is_new and unit.line in place and _can_fill(others, rest):
            return True
    return False


def _full(heap: Sequence[Unit], size: int) -> Iterator[list[Unit]]:
    """Full sets in the order of a heap."""
    for start in range(0, len(heap) - size + 1, size):
        yield list(heap[start : start + size])
