"""The one door from a fact to its paper."""

from shared.receipt.document import Document
from shared.receipt.drawer import cash_slip, enrolment_slip, held_slip, shift_report
from shared.receipt.issue import Issue
from shared.receipt.ticket import return_receipt, sale_receipt
from shared.receipt.value import (
    card_closed_slip,
    card_sold_slip,
    top_up_slip,
    value_closed_slip,
)
from shared.trade.fact import Fact
from shared.trade.ticket import SaleCompleted, SaleReturned
from shared.trade.till import BasketHeld, CashMoved, MemberEnrolled, ShiftClosed
from shared.trade.value import GiftCardClosed, GiftCardSold, ValueClosed, ValueToppedUp


def receipt_of(fact: Fact, issue: Issue) -> Document | None:  # noqa: C901 - one arm a kind
    """The receipt of a fact, or None for facts that leave no paper.

    A function of fact and issue alone: a reprint is built again from the same fact.
    """
    document: Document | None = None
    match fact:
        case SaleCompleted():
            document = sale_receipt(fact, issue)
        case SaleReturned():
            document = return_receipt(fact, issue)
        case BasketHeld():
            document = held_slip(fact, issue)
        case MemberEnrolled():
            document = enrolment_slip(fact, issue)
        case CashMoved():
            document = cash_slip(fact, issue)
        case ValueToppedUp():
            document = top_up_slip(fact, issue)
        case ValueClosed():
            document = value_closed_slip(fact, issue)
        case GiftCardSold():
            document = card_sold_slip(fact, issue)
        case GiftCardClosed():
            document = card_closed_slip(fact, issue)
        case ShiftClosed():
            document = shift_report(fact, issue)
        case _:
            pass
    return document
