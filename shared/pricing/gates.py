"""Thresholds on money, as positions: they open and close as offers take something off."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from shared.loyalty.conditions import AllOf, AnyOf, Condition, Measured, Not, Spend
from shared.loyalty.document import GoodsSet
from shared.pricing.basket import Basket
from shared.pricing.conditions import hindrance, is_about_money
from shared.pricing.net import NetPart, net_sum

Positions = tuple[int, ...]
PositionsOf = Callable[[GoodsSet], Positions]


@dataclass(frozen=True, slots=True)
class Threshold:
    """At least ``minimum`` minor units on these positions, tax-included or net."""

    minimum: int
    positions: Positions
    nets: tuple[NetPart, ...] = ()
    """By position in ``positions``; empty for tax-included amounts."""

    def missing(self, remaining: Sequence[int]) -> int:
        """How much more, in its own terms, would open it; 0 or less where it is open."""
        if not self.nets:
            return self.minimum - sum(remaining[index] for index in self.positions)
        nets = dict(zip(self.positions, self.nets, strict=True))
        return self.minimum - net_sum({index: remaining[index] for index in nets}, nets)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Nothing that offers do can change it: None where it is open, else what is missing to it."""

    missing: int | None


@dataclass(frozen=True, slots=True)
class Every:
    """Open where all of them are."""

    gates: tuple["Gate", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Open where one of them is."""

    gates: tuple["Gate", ...]


@dataclass(frozen=True, slots=True)
class Neither:
    """Open where none of them is."""

    gates: tuple["Gate", ...]


Gate = Threshold | Fixed | Every | Either | Neither

OPEN = Every(())
CLOSED_FOR_GOOD = 0
"""No purchase opens it."""


def shortfall(gate: Gate, remaining: Sequence[int]) -> int | None:
    """None where a gate is open; else how much more would open it, 0 where buying does not help."""
    if gate is OPEN:
        return None
    match gate:
        case Threshold():
            missing = gate.missing(remaining)
            return missing if missing > 0 else None
        case Fixed(missing):
            return missing
        case Every(gates):
            found = [one for one in (shortfall(g, remaining) for g in gates) if one is not None]
            if not found:
                return None
            return CLOSED_FOR_GOOD if CLOSED_FOR_GOOD in found else found[0]
        case Either(gates):
            ways = [shortfall(g, remaining) for g in gates]
            if None in ways or not ways:
                return None
            return min((way for way in ways if way), default=CLOSED_FOR_GOOD)
        case Neither(gates):
            is_shut = any(shortfall(g, remaining) is None for g in gates)
            return CLOSED_FOR_GOOD if is_shut else None


def positions_in(gate: Gate) -> set[int]:
    """Every position that a gate looks at."""
    match gate:
        case Threshold():
            return set(gate.positions)
        case Fixed():
            return set()
        case Every(gates) | Either(gates) | Neither(gates):
            return {index for one in gates for index in positions_in(one)}


def moved(gate: Gate, placed: Callable[[Positions], Positions]) -> Gate:
    """The same gate in another numbering of positions."""
    match gate:
        case Threshold():
            return replace(gate, positions=placed(gate.positions))
        case Fixed():
            return gate
        case Every(gates) if not gates:
            return gate
        case Every(gates) | Either(gates) | Neither(gates):
            return type(gate)(tuple(moved(one, placed) for one in gates))


def gate_of(
    conditions: Iterable[Condition],
    basket: Basket,
    own: GoodsSet,
    *,
    own_positions: Positions,
    positions_of: PositionsOf,
    listed: Sequence[int],
    nets: Sequence[NetPart],
) -> Gate:
    """The thresholds of a rule whose other conditions hold.

    ``own_positions`` is where its own goods are, ``positions_of`` finds others. ``listed`` are the
    amounts before any offer, ``nets`` the net part of each position.
    """

    asked = [one for one in conditions if is_about_money(one)]
    if not asked:
        return OPEN
    compiler = _Compiler(basket, own, own_positions, positions_of, listed, nets)
    return Every(tuple(map(compiler.gate, asked)))


@dataclass(frozen=True, slots=True)
class _Compiler:
    """One rule's thresholds, as ``gate_of`` has them."""

    basket: Basket
    own: GoodsSet
    own_positions: Positions
    positions_of: PositionsOf
    listed: Sequence[int]
    nets: Sequence[NetPart]

    def gate(self, condition: Condition) -> Gate:
        """A condition that is about money, or stands beside one that is."""
        match condition:
            case Spend():
                return self.threshold(condition)
            case AllOf(of=of) if is_about_money(condition):
                return Every(tuple(map(self.gate, of)))
            case AnyOf(of=of) if is_about_money(condition):
                return Either(tuple(map(self.gate, of)))
            case Not(of=of) if is_about_money(condition):
                return Neither(tuple(map(self.gate, of)))
            case _:
                is_open = hindrance((condition,), self.basket, self.own) is None
                return Fixed(None if is_open else CLOSED_FOR_GOOD)

    def threshold(self, spend: Spend) -> Gate:
        """What was measured on list prices is known at once."""
        goods = spend.goods
        positions = self.own_positions if goods is None else self.positions_of(goods)
        parts = tuple(self.nets[index] for index in positions) if spend.net else ()
        made = Threshold(spend.minimum_minor, positions, parts)
        if spend.measured is Measured.LISTED:
            return Fixed(shortfall(made, self.listed))
        return made
