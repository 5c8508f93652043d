"""An exchange: goods that come back pay for what is in the basket, on one paper (decision 0063).

What goes back in cash is set off in the hand: the return pays it out, the sale takes it in, and
only the rest moves. What was paid otherwise goes back the way it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from shared.returning.lines import Wanted
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Tender, TenderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What comes back with the basket on the screen; nothing is written before the sale is."""

    sold: ReturnableSale
    wanted: Sequence[Wanted]
    reason: str
    cash: int
    """What of it goes back in cash, and so pays for the basket."""

    def pays(self, due_in_cash: int) -> Tender:
        """The cash that the customer would be handed and hands back; what is over is change."""
        amount = min(self.cash, due_in_cash)
        return Tender(
            tender=TenderKind.CASH,
            amount=amount,
            given=self.cash,
            change=self.cash - amount,
            reference=self.sold.sale.receipt_no,
        )


def set_off_with(receipt_no: str, tender: Tender) -> Tender:
    """The cash of the one paper, naming the other; other tenders as they are."""
    if tender.tender is not TenderKind.CASH:
        return tender
    return msgspec.structs.replace(tender, reference=receipt_no)


def in_cash(refunds: Sequence[Tender]) -> int:
    """What of a return goes back in cash."""
    return sum(one.amount for one in refunds if one.tender is TenderKind.CASH)
