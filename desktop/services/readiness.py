"""What must hold of a basket before any money is asked for."""

from datetime import date

import msgspec

from desktop.services import ticket
from desktop.services.articles import Articles
from desktop.services.basket import OpenBasket
from desktop.services.ticket import Settled, TicketPlace
from shared.errors import DomainError
from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.journal.entry import ENTRY_BYTES_MAX
from shared.money import AMOUNT_MINOR_MAX

ENVELOPE_AND_TENDERS_BYTES = 8 * 1024
"""Kept free of 64 KiB for the envelope and for tenders that are not known yet."""


_DRAFT_PLACE = TicketPlace(
    receipt_no="0" * 20,
    ticket_id="0" * 36,
    entry_id="0" * 36,
    store_id=StoreId("0" * 36),
    till_id=TillId("0" * 36),
    shift_id=ShiftId("0" * 36),
    operator_id=OperatorId("0" * 36),
    today=date.min,
    as_of="0" * 32,
    offline=False,
)


def check_ready(basket: OpenBasket, articles: Articles) -> None:
    """Raise where the basket cannot become a sale.

    Raises DomainError ``basket-empty``, ``basket-too-large`` (the sale's entry would not fit
    64 KiB: finish it in two) or ``amount-too-large``.
    """
    quote = basket.quote
    if not quote.lines:
        raise DomainError("basket-empty")
    if quote.total_minor > AMOUNT_MINOR_MAX:
        raise DomainError("amount-too-large")
    if _draft_bytes(basket, articles) > ENTRY_BYTES_MAX - ENVELOPE_AND_TENDERS_BYTES:
        raise DomainError("basket-too-large", lines=len(quote.lines))


def _draft_bytes(basket: OpenBasket, articles: Articles) -> int:
    """How large the sale would be, without envelope and tenders."""
    fact = ticket.sale_fact(
        _DRAFT_PLACE,
        basket.pricing,
        basket.state,
        basket.priced(),
        Settled(tenders=(), rounding=0, articles=articles.given()),
        basket.state.member,
    )
    return len(msgspec.json.encode(fact))
