"""Lines that were rung up together, in the order in which the shop rang them up."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from desktop.past_sales.lines import CANCELLATION, ShopLine


class Invoice(NamedTuple):
    """Lines of one invoice, one member and one day."""

    day: date
    lines: list[ShopLine]

    @property
    def is_cancellation(self) -> bool:
        """Whether goods come back with it."""
        return self.lines[0].invoice.startswith(CANCELLATION)


def invoices_of(lines: Sequence[ShopLine], zone: ZoneInfo) -> list[Invoice]:
    """Invoices in the order of their first line's time, whatever the file's order."""
    together: dict[tuple[str, str, date], list[ShopLine]] = {}
    for line in lines:
        day = line.at.astimezone(zone).date()
        together.setdefault((line.invoice, line.member, day), []).append(line)
    invoices = [Invoice(day, group) for (_, _, day), group in together.items()]
    return sorted(invoices, key=lambda one: min(line.at for line in one.lines))
