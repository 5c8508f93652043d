"""Undoing the last sale: all of it comes back, with a manager's approval."""

from collections.abc import Callable

from desktop.presenters.approval import ask
from desktop.presenters.refund_told import tell_refund
from desktop.presenters.session import Session
from desktop.presenters.text import say
from desktop.services.checkout import CompletedSale
from desktop.services.returns import ReturnedBy
from shared.errors import DomainError
from shared.returning.lines import Wanted
from shared.trade.fact import Approval


def ask_undo(session: Session, last: CompletedSale, undone: Callable[[], None]) -> None:
    """Ask for the approval, take everything back, then call ``undone``.

    What the customer had handed in stays; DomainError ``nothing-to-return`` where that was all.
    """
    bought = [line for line in last.fact.lines if not line.comes_in]
    if not bought:
        raise DomainError("nothing-to-return")

    def take_back(approval: Approval) -> None:
        _take_back(session, last, approval, undone)

    ask(
        session,
        action="undo-sale",
        what=say("till.sale.undo-what", receipt_no=last.fact.receipt_no),
        amount=sum(line.amount for line in bought),
        then=take_back,
    )


def _take_back(
    session: Session, last: CompletedSale, approval: Approval, undone: Callable[[], None]
) -> None:
    sold = session.till.returns.by_receipt(last.fact.receipt_no)
    wanted = [Wanted(line.line, sold.left(line)) for line in sold.sale.lines if sold.left(line)]
    by = ReturnedBy(
        shift=session.shift,
        operator_id=session.signed_in.operator_id,
        reason="undo",
        approvals=(approval,),
    )
    back = session.till.returns.take_back(session.pricing, sold, wanted, by)
    undone()
    tell_refund(session, "till.sale.undone", back.fact)
