"""What must hold of a basket before any money is asked for."""

from collections.abc import Callable, Mapping
from datetime import date

import msgspec

from desktop.services import ticket
from desktop.services.articles import Articles
from desktop.services.basket import OpenBasket
from desktop.services.ticket import Settled, TicketPlace
from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.journal.entry import ENTRY_BYTES_MAX
from shared.money import AMOUNT_MINOR_MAX, Currency, Money
from shared.pricing.basket import Basket
from shared.pricing.quote import Quote

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


class Readiness:
    """Whether the open basket can become a sale; asked before each tender and at the end."""

    def __init__(
        self, basket: OpenBasket, articles: Articles, is_offline: Callable[[], bool]
    ) -> None:
        self._basket = basket
        self._articles = articles
        self._is_offline = is_offline
        self._measured: tuple[tuple[Basket, Quote], Mapping[str, Goods], int] | None = None
        """The basket as it was priced, what offers give with it, and the sale's bytes."""

    def check(self) -> None:
        """Raise where the basket cannot become a sale.

        Raises DomainError ``basket-empty``, ``basket-too-large`` (the sale's entry would not fit
        64 KiB: finish it in two) or ``amount-too-large``.
        """
        quote = self._basket.quote
        if not quote.lines:
            raise DomainError("basket-empty")
        if quote.total_minor > AMOUNT_MINOR_MAX:
            raise DomainError("amount-too-large")
        if self._draft_bytes() > ENTRY_BYTES_MAX - ENVELOPE_AND_TENDERS_BYTES:
            raise DomainError("basket-too-large", lines=len(quote.lines))

    def check_coupons(self) -> None:
        """Whether a coupon was used elsewhere only the server could tell; see ``Leases``.

        Raises DomainError ``coupons-beyond-offline``.
        """
        programme = self._basket.pricing.programme
        most = programme.leases.coupons_offline_minor
        if most is None or not self._is_offline():
            return
        quote, given = self._basket.quote, self._articles.given()
        worth = sum(one.amount_minor for one in quote.offers if one.coupon)
        worth += sum(
            given[one.goods].list_price_minor * one.units
            for one in quote.added
            if one.coupon and one.goods
        )
        if worth > most:
            currency = Currency(programme.currency)
            told = {"wanted": str(Money(worth, currency)), "here": str(Money(most, currency))}
            raise DomainError("coupons-beyond-offline", **told)

    def _draft_bytes(self) -> int:
        """How large the sale would be, without envelope and tenders; measured once per change."""
        priced, given = self._basket.priced(), self._articles.given()
        known = self._measured
        # Every change of a basket makes another quote; articles are looked up apart from it.
        if known is None or known[0][1] is not priced[1] or known[1] != given:
            known = self._measured = (priced, given, self._measure(given))
        return known[2]

    def _measure(self, given: Mapping[str, Goods]) -> int:
        basket = self._basket
        fact = ticket.sale_fact(
            _DRAFT_PLACE,
            basket.pricing,
            basket.state,
            basket.priced(),
            Settled(tenders=(), rounding=0, articles=given),
            basket.state.member,
        )
        return len(msgspec.json.encode(fact))
