"""What happened at the counter, told without any programme: what was bought, what came back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.pricing.basket import Basket, BasketLine

PART_LINES: Final = 1_000
"""Lines in a part, about: some hundred parts of a year of a shop, each played within a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A basket that was paid.

    ``basket`` says nothing about the member, whose tier and points depend on the programme, and
    goods may lack a tax class; ``basket.at`` is the store's wall clock. ``member`` is empty where
    nobody was known.
    """

    sale: str
    member: str
    basket: Basket

    @property
    def weight(self) -> int:
        """How many lines have to be played."""
        return len(self.basket.lines)


@dataclass(frozen=True, slots=True)
class Back:
    """Units, or grams, of a line that came back; lines are counted from 0 as in the basket."""

    sale: str
    line: int
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtBack:
    """Goods that came back: ``matched`` to the sales they were bought in, or ``loose``.

    Loose goods are paid out at their own price without offers, and take no points. All matched
    goods belong to one member, or to one sale of nobody.
    """

    at: datetime
    matched: tuple[Back, ...] = ()
    loose: tuple[BasketLine, ...] = ()

    @property
    def weight(self) -> int:
        """How many lines have to be played."""
        return len(self.matched) + len(self.loose)


Event = Bought | BroughtBack


@dataclass(frozen=True, slots=True)
class Part:
    """Events that can be played without knowing any others, in order of time for each member."""

    events: tuple[Event, ...]

    @property
    def weight(self) -> int:
        """How many lines have to be played."""
        return sum(event.weight for event in self.events)


def in_parts(events: Iterable[Event], lines: int = PART_LINES) -> list[Part]:
    """Split events, given in order of time, so that no part needs another.

    Where the cuts are depends on the events alone, never on how many processes play them.
    """
    parts: list[Part] = []
    begun: list[Event] = []
    weight = 0
    for together in _by_owner(events):
        begun += together
        weight += sum(event.weight for event in together)
        if weight >= lines:
            parts.append(Part(tuple(begun)))
            begun, weight = [], 0
    return [*parts, Part(tuple(begun))] if begun else parts


def whole(events: Sequence[Event]) -> Part:
    """All events as one part, for programmes whose members depend on each other."""
    return Part(tuple(events))


def _by_owner(events: Iterable[Event]) -> Iterable[list[Event]]:
    """Events of one member together, and sales of nobody with what came back of them."""
    owners: dict[str, str] = {}
    together: dict[str, list[Event]] = {}
    for number, event in enumerate(events):
        if isinstance(event, Bought):
            owner = f"member {event.member}" if event.member else f"sale {event.sale}"
            owners[event.sale] = owner
        else:
            found = {owners[back.sale] for back in event.matched}
            assert len(found) <= 1
            owner = next(iter(found), f"loose {number}")
        together.setdefault(owner, []).append(event)
    return together.values()
