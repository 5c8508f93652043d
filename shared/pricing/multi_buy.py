"""Offers that use up units: which units make a set, and what a set saves.

A unit's price is what is left to pay for its line, without what multi-buy offers took off it, per
unit. Prices are exact, in fractions of a minor unit that every line's units divide. What sets save
is rounded once per offer; what single units are reduced by (nth item, free units) once per line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Protocol

from shared.loyalty.effects import Bundle, FreeUnits, NthItem, SetPrice
from shared.money import divide_rounded
from shared.pricing.basket import WHOLE


class UnitLine(Protocol):
    """What is seen of a line; ``units`` is 0 for weighed goods, which take no part."""

    @property
    def sku(self) -> str: ...

    @property
    def units(self) -> int: ...


@dataclass(slots=True)
class Shelf:
    """The lines of an offer at its ``positions`` as earlier offers left them; never changed.

    ``scale`` is how many fractions a minor unit has; see ``scale_of``.
    """

    lines: Sequence[UnitLine]
    positions: Sequence[int]
    remaining: Sequence[int]
    used: Sequence[int]
    multi: Sequence[int]
    scale: int
    falling: list[int] = field(init=False)
    """Positions with open units, dearest unit first."""

    def __post_init__(self) -> None:
        held = [index for index in self.positions if self.open_units(index) > 0]
        self.falling = sorted(held, key=lambda index: (-self.price(index), index))

    def open_units(self, index: int) -> int:
        """Units that no multi-buy offer has used."""
        return self.lines[index].units - self.used[index]

    def price(self, index: int) -> int:
        """Of one unit, in fractions; exact."""
        whole = self.remaining[index] + self.multi[index]
        return whole * (self.scale // self.lines[index].units)


def scale_of(lines: Sequence[UnitLine], positions: Iterable[int]) -> int:
    """The least number of fractions in which every unit on these positions has a whole price."""
    return lcm(*(lines[index].units for index in positions if lines[index].units))


@dataclass(slots=True)
class SetsFound:
    """What all sets of one offer save, and the units they use, by position."""

    off: int = 0
    """Minor units."""
    sets: int = 0
    """How many sets, or units that are reduced singly."""
    units: dict[int, int] = field(default_factory=dict)

    def add(self, one_set: Mapping[int, int]) -> None:
        """Note one more set and its units."""
        self.sets += 1
        for index, count in one_set.items():
            self.use(index, count)

    def use(self, index: int, count: int) -> None:
        """Note used units."""
        if count:
            self.units[index] = self.units.get(index, 0) + count

    def weights(self, shelf: Shelf) -> dict[int, int]:
        """The used units' prices, which the saving is spread by; never more than is left to pay."""
        return {
            index: min(shelf.remaining[index] * shelf.scale, shelf.price(index) * count)
            for index, count in self.units.items()
        }


def nth_item(effect: NthItem, shelf: Shelf, most: int = 0) -> SetsFound:
    """Of each full set in falling price the cheapest are reduced; ``most`` sets, 0 for all."""
    found = SetsFound()
    sets_left = _most_sets(effect.sets_limit, most, shelf)
    for pool in _pools(shelf, apart=effect.same_goods):
        open_units = [shelf.open_units(index) for index in pool]
        sets = min(sum(open_units) // effect.nth, sets_left)
        sets_left -= sets
        found.sets += sets
        first, in_sets = 0, sets * effect.nth
        for index, count in zip(pool, open_units, strict=True):
            if first == in_sets:
                break
            last = min(first + count, in_sets)
            found.use(index, last - first)
            if reduced := _reduced(last, effect) - _reduced(first, effect):
                whole = (shelf.remaining[index] + shelf.multi[index]) * reduced
                units = shelf.lines[index].units
                off = divide_rounded(whole * effect.basis_points_off, units * WHOLE)
                found.off += min(off, shelf.remaining[index])
            first = last
    return found


def _most_sets(limit: int, most: int, shelf: Shelf) -> int:
    """The lower of two limits, 0 being none."""
    given = [one for one in (limit, most) if one]
    return min(given) if given else sum([shelf.open_units(index) for index in shelf.falling])


def _reduced(units: int, effect: NthItem) -> int:
    """How many of the first units, in falling price, are among the cheapest of their sets."""
    sets, begun = divmod(units, effect.nth)
    return sets * effect.cheaper + max(0, begun - (effect.nth - effect.cheaper))


def set_price(effect: SetPrice, shelf: Shelf, most: int = 0) -> SetsFound:
    """Sets by falling price, as long as the set is cheaper than its units; at most ``most``."""
    found, saved = SetsFound(), 0
    sets_left = _most_sets(effect.sets_limit, most, shelf)
    for pool in _pools(shelf, apart=effect.same_goods):
        for one_set in _sets_of(pool, effect.units, shelf):
            worth = sum(shelf.price(index) * count for index, count in one_set.items())
            gain = worth - effect.price_minor * shelf.scale
            if gain <= 0 or not sets_left:
                break
            saved, sets_left = saved + gain, sets_left - 1
            found.add(one_set)
    found.off = divide_rounded(saved, shelf.scale)
    return found


def bundle(
    effect: Bundle, parts: Sequence[Sequence[int]], shelf: Shelf, most: int = 0
) -> SetsFound:
    """Sets of one choice per part, dearest first, as long as they are cheaper; at most ``most``."""
    found, saved = SetsFound(), 0
    sets_left = _most_sets(effect.sets_limit, most, shelf)
    slots = [
        frozenset(part)
        for wanted, part in zip(effect.parts, parts, strict=True)
        for _ in range(wanted.units)
    ]
    while sets_left:
        one_set = _dearest_filling(slots, shelf, found.units)
        worth = sum(shelf.price(index) * count for index, count in one_set.items())
        gain = _bundle_gain(effect, worth, shelf.scale)
        if gain <= 0:
            break
        saved, sets_left = saved + gain, sets_left - 1
        found.add(one_set)
    found.off = divide_rounded(saved, shelf.scale * WHOLE)
    return found


def _dearest_filling(
    slots: Sequence[frozenset[int]], shelf: Shelf, taken: Mapping[int, int]
) -> dict[int, int]:
    """The dearest units with which every slot can be filled; empty where that cannot be.

    Units are offered by falling price, and each is kept if the slots can be rearranged to hold it
    (augmenting paths): what can be held together is a matroid, so this greedy is the best there is.
    """
    held: list[int | None] = [None] * len(slots)

    def place(index: int, tried: set[int]) -> bool:
        for slot, wanted in enumerate(slots):
            if index in wanted and slot not in tried:
                tried.add(slot)
                other = held[slot]
                if other is None or place(other, tried):
                    held[slot] = index
                    return True
        return False

    missing = len(slots)
    for index in shelf.falling:
        left = shelf.open_units(index) - taken.get(index, 0)
        while missing and left and place(index, set()):
            left, missing = left - 1, missing - 1
    if missing:
        return {}
    counts: dict[int, int] = {}
    for holder in held:
        assert holder is not None
        counts[holder] = counts.get(holder, 0) + 1
    return {index: counts[index] for index in shelf.falling if index in counts}


def _bundle_gain(effect: Bundle, worth: int, scale: int) -> int:
    """What one set saves, in basis points of a fraction."""
    if effect.basis_points_off:
        return worth * effect.basis_points_off
    if effect.off_minor:
        return min(worth, effect.off_minor * scale) * WHOLE
    return (worth - effect.price_minor * scale) * WHOLE


def free_units(effect: FreeUnits, shelf: Shelf, most: int = 0) -> SetsFound:
    """The cheapest open units, one by one; at most ``most``."""
    found, wanted = SetsFound(), min(effect.units, most or effect.units)
    for index in reversed(shelf.falling):
        count = min(wanted, shelf.open_units(index))
        wanted -= count
        whole = (shelf.remaining[index] + shelf.multi[index]) * count
        off = divide_rounded(whole * effect.basis_points_off, shelf.lines[index].units * WHOLE)
        found.off += min(off, shelf.remaining[index])
        found.sets += count
        found.use(index, count)
    return found


def _pools(shelf: Shelf, *, apart: bool) -> list[list[int]]:
    """Positions whose units go together: all of them, or each article apart."""
    pools: dict[str, list[int]] = {}
    for index in shelf.falling:
        pools.setdefault(shelf.lines[index].sku if apart else "", []).append(index)
    return list(pools.values())


def _sets_of(pool: Sequence[int], size: int, shelf: Shelf) -> Iterator[dict[int, int]]:
    """Full sets in the pool's order."""
    one_set: dict[int, int] = {}
    missing = size
    for index in pool:
        left = shelf.open_units(index)
        while left:
            count = min(left, missing)
            one_set[index] = one_set.get(index, 0) + count
            left, missing = left - count, missing - count
            if not missing:
                yield one_set
                one_set, missing = {}, size
