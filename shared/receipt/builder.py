"""The one door from a fact to its paper."""

from collections.abc import Callable
from typing import Any, Final

from shared.receipt.benefit import action_slip, draw_slip
from shared.receipt.document import Document
from shared.receipt.drawer import cash_slip, enrolment_slip, held_slip
from shared.receipt.issue import Issue
from shared.receipt.shift import day_report, shift_report
from shared.receipt.ticket import return_receipt, sale_receipt
from shared.receipt.value import (
    card_closed_slip,
    card_sold_slip,
    top_up_slip,
    value_closed_slip,
)
from shared.trade.benefit import ActionCounted, DrawEntered
from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import BasketHeld, CashMoved, DayClosed, MemberEnrolled, ShiftClosed
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp

_PAPERS: Final[dict[type[Fact], Callable[[Any, Issue], Document]]] = {
    SaleCompleted: sale_receipt,
    SaleReturned: return_receipt,
    BasketHeld: held_slip,
    MemberEnrolled: enrolment_slip,
    CashMoved: cash_slip,
    ValueToppedUp: top_up_slip,
    ValueClosed: value_closed_slip,
    GiftCardSold: card_sold_slip,
    GiftCardClosed: card_closed_slip,
    ActionCounted: action_slip,
    DrawEntered: draw_slip,
    ShiftClosed: shift_report,
    DayClosed: day_report,
}


def receipt_of(fact: Fact, issue: Issue) -> Document | None:
    """The receipt of a fact, or None for facts that leave no paper.

    A function of fact and issue alone: a reprint is built again from the same fact.
    """
    paper = _PAPERS.get(type(fact))
    return paper(fact, issue) if paper is not None else None
