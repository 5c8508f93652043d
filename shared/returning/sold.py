"""What a return looks at: the fact of a sale, the facts of what came back, who the member is now.

Whoever takes goods back (a till from its journal, the workbench from its own account) makes these,
and everything else follows from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from shared.errors import DomainError
from shared.ids import CouponId, EntryId
from shared.loyalty.lots import Lot
from shared.loyalty.tiers import Spending, TierFloor
from shared.trade.fact import Tender
from shared.trade.ticket import SaleCompleted, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True)
class ReturnableSale:
    """A sale with what has come back of it so far."""

    entry_id: EntryId
    """It names the lot of what the sale has earned."""
    sold_at: datetime
    """On the store's wall."""
    sale: SaleCompleted
    returns: tuple[SaleReturned, ...]
    coupons_used: frozenset[CouponId] = frozenset()
    """Of those that it issued, at least once, by what is known here."""
    coupons_used_up: frozenset[CouponId] = frozenset()
    """Of those that it issued, by what is known here."""
    set_off: tuple[Tender, ...] = ()
    """What of its tenders has paid for other goods on the ticket that took some of it back."""

    @property
    def sold_on(self) -> date:
        """The day of the sale."""
        return self.sold_at.date()

    def returned(self, line: int) -> int:
        """How much of a line has come back."""
        return sum(
            back.quantity for one in self.returns for back in one.lines if back.of_line == line
        )

    def left(self, line: SaleLine) -> int:
        """How much of a line can still come back; nothing of what the customer had handed in.

        Two tills that did not know of each other may have taken more back than there was.
        """
        return 0 if line.comes_in else max(0, line.quantity - self.returned(line.line))

    def line(self, number: int) -> SaleLine:
        """One line as sold; DomainError ``no-such-line``."""
        for line in self.sale.lines:
            if line.line == number:
                return line
        raise DomainError("no-such-line")


class MemberNow(Protocol):
    """A member as whoever takes the goods back knows them at this moment."""

    @property
    def member_id(self) -> str:
        """The random id."""

    @property
    def person(self) -> str:
        """Who it is: the other's id where two enrolments were merged."""

    @property
    def lots(self) -> Sequence[Lot]:
        """Of points; one named ``debt`` is what the member owes."""

    @property
    def spending(self) -> Sequence[Spending]:
        """What each sale counts towards tiers."""

    @property
    def floors(self) -> Sequence[TierFloor]:
        """Tiers set by hand."""

    @property
    def balance_as_of(self) -> str:
        """RFC 3339: since when the points are true."""
