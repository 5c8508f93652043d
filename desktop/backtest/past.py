"""Past sales as a backtest needs them, wherever they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shared.backtest.events import Bought, Event
from shared.catalogue.goods import Goods


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSales:
    """Events in order of time, and what is known about them.

    ``goods`` are all articles by SKU, each at one of its prices.
    """

    source: str
    currency: str
    events: tuple[Event, ...]
    goods: Mapping[str, Goods]
    lines: int
    refused_lines: int = 0
    returned_units: int = 0
    loose_units: int = 0

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day with something on it."""
        days = [
            (event.basket.at if isinstance(event, Bought) else event.at).date()
            for event in self.events
        ]
        return min(days), max(days)

    @property
    def members(self) -> int:
        """How many members bought."""
        bought = (event for event in self.events if isinstance(event, Bought))
        return len({event.member for event in bought} - {""})
