"""Stamps of visit cards: what a sale adds, and what full cards give."""

from dataclasses import dataclass
from datetime import date

from shared.loyalty.engagement import VisitCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """How far a member's card is: stamps on the running card, and the day of the last one.

    Below zero where full cards have cost more stamps than goods were kept for.
    """

    stamps: int = 0
    last_on: date | None = None


NO_STAMPS = Stamps()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A card after a sale: ``filled`` cards each give the card's reward."""

    stamps: Stamps
    added: int
    filled: int


def stamped(card: VisitCard, before: Stamps, units: int, today: date) -> Stamped:
    """A sale with so many units of the card's goods."""
    added = (units if card.per_unit else min(units, 1)) if units > 0 else 0
    if card.once_a_day:
        added = 0 if before.last_on == today else min(added, 1)
    filled = full_cards(before.stamps + added, card.stamps)
    left = before.stamps + added - filled * card.stamps
    after = Stamps(stamps=left, last_on=today if added else before.last_on)
    return Stamped(stamps=after, added=added, filled=filled)


def full_cards(stamps: int, size: int) -> int:
    """How many cards so many stamps fill."""
    return max(0, stamps // size)
