"""What the cashier hands out after a return, and what goes back another way."""

from collections import Counter

from desktop.presenters.open_payments import ask_about_payments, payer
from desktop.presenters.session import Session
from desktop.presenters.text import Amount, Join, Text, Tone, say
from shared.trade.fact import TenderKind
from shared.trade.ticket import SaleReturned


def tell_refund(session: Session, key: str, returned: SaleReturned) -> None:
    """Say what to hand out in cash and what goes back another way; the drawer for cash only.

    A wallet and a terminal that listens are asked by the till, another terminal by the cashier.
    """
    refunded = Counter[TenderKind]()
    for refund in returned.refunds:
        if not refund.is_set_off:
            refunded[refund.tender] += refund.amount
    if refunded[TenderKind.CASH]:
        session.open_drawer()
    session.written()
    session.counter.checkout.basket.look_again()
    ways: list[Text] = [say(key)]
    if refunded[TenderKind.CASH]:
        ways.append(say("till.return.in-cash", amount=Amount(refunded[TenderKind.CASH])))
    providers: dict[TenderKind, set[str]] = {}
    for refund in returned.refunds:
        if refund.attempt_id:
            providers.setdefault(refund.tender, set()).add(refund.provider)
    for kind, by_hand in ((TenderKind.CARD, "on-card"), (TenderKind.WALLET, "no-wallet")):
        if refunded[kind]:
            asked = providers.get(kind, set())
            is_asked = bool(asked) and all(map(session.counter.payments.reaches, asked))
            way = "by-payer" if is_asked else by_hand
            ways.append(say(f"till.return.{way}", amount=Amount(refunded[kind]), who=payer(kind)))
    if providers:
        ask_about_payments(session)
    session.tell(Join(tuple(ways)), Tone.GOOD)
