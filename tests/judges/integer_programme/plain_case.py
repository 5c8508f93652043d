"""A basket and its offers told in plain figures, which both the engine and the solver are given.

Amounts are minor units in whole steps, so that a fifth of a price, and whole percentages of what is
left then, need no rounding.
"""

from dataclasses import dataclass

STEP = 1_000


@dataclass(frozen=True, slots=True)
class Article:
    """So many units at one price."""

    name: str
    price: int
    units: int


@dataclass(frozen=True, slots=True)
class AnyFor:
    """Any ``size`` units of some goods for one price, so many times (0: as often as one likes)."""

    id: str
    goods: tuple[str, ...]
    size: int
    price: int
    limit: int = 0
    same: bool = False


@dataclass(frozen=True, slots=True)
class NthOff:
    """Of every ``size`` units the cheapest one costs so many percent less."""

    id: str
    goods: tuple[str, ...]
    size: int
    percent: int
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Together:
    """One unit of each part together: for a price, or so much less."""

    id: str
    parts: tuple[tuple[str, ...], ...]
    price: int = 0
    off: int = 0
    limit: int = 0

    @property
    def goods(self) -> tuple[str, ...]:
        """The goods of all parts."""
        return tuple(sorted({name for part in self.parts for name in part}))


Sets = AnyFor | NthOff | Together


@dataclass(frozen=True, slots=True)
class Stepped:
    """满减 on some goods: the highest step that they reach."""

    id: str
    goods: tuple[str, ...]
    steps: tuple[tuple[int, int], ...]
    """Threshold and what is taken off, rising."""


@dataclass(frozen=True, slots=True)
class Percent:
    """A percentage off some goods."""

    id: str
    goods: tuple[str, ...]
    percent: int


@dataclass(frozen=True, slots=True)
class CouponOff:
    """So much off the whole basket, from a minimum on; ``codes`` of it are shown."""

    id: str
    minimum: int
    off: int
    codes: int
    per_sale: int


@dataclass(frozen=True, slots=True)
class PlainCase:
    """Sets first; then at most one of the ``basket`` offers; then coupons, in any order."""

    articles: tuple[Article, ...]
    sets: tuple[Sets, ...] = ()
    basket: tuple[Stepped | Percent, ...] = ()
    coupons: tuple[CouponOff, ...] = ()

    @property
    def listed(self) -> int:
        """What everything costs without offers."""
        return sum(one.price * one.units for one in self.articles)

    def units(self, goods: tuple[str, ...]) -> list[Article]:
        """The articles of the basket among some goods."""
        return [one for one in self.articles if one.name in goods]
