"""Finding the sale a cancellation takes back: same member, code and price, the latest first."""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where a sold line stands."""

    till: int
    receipt_no: str
    line: int


@dataclass(slots=True)
class Sold:
    """Units of one line that have not come back yet."""

    place: Place
    left: int


class Match(NamedTuple):
    """Units of a cancellation that belong to one sold line."""

    place: Place
    units: int


class Ledger:
    """Every member's sold lines, latest last."""

    def __init__(self) -> None:
        self._sold: dict[tuple[str, str, int], list[Sold]] = defaultdict(list)

    def sell(self, member: str, code: str, price: int, sold: Sold) -> None:
        """Note a line; without a member nothing can be matched later."""
        if member:
            self._sold[member, code, price].append(sold)

    def take_back(self, member: str, code: str, price: int, units: int) -> list[Match]:
        """Matches for up to ``units``, the latest sale first; fewer where less was sold."""
        found: list[Match] = []
        lines = self._sold.get((member, code, price), []) if member else []
        while units and lines:
            latest = lines[-1]
            part = min(units, latest.left)
            found.append(Match(latest.place, part))
            latest.left -= part
            units -= part
            if not latest.left:
                lines.pop()
        return found
