"""Goods that come back without a receipt: nobody knows what was paid for them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from msgspec.structs import replace as replace_in

from shared.errors import DomainError
from shared.ids import StoreId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.engine import price
from shared.pricing.quote import Quote


def price_without_receipt(
    lines: Sequence[BasketLine],
    programme: Programme,
    *,
    at: datetime,
    store: StoreId,
    given_today: int = 0,
) -> tuple[Basket, Quote]:
    """Today's list price, without offers and for nobody.

    ``given_today`` is what this till has given back so on this day. Raises DomainError
    ``return-needs-receipt`` above what the programme allows in one return,
    ``returns-without-receipt-today`` above what it allows in a day, and what ``price`` raises.
    """
    coming = tuple(replace(line, comes_in=False) for line in lines)
    basket = Basket(lines=coming, at=at, store=store)
    quote = price(basket, replace_in(programme, offers=(), coupons=()))
    limit = programme.returns.without_receipt_minor
    if quote.total_minor > limit:
        raise DomainError("return-needs-receipt", limit=limit)
    daily = programme.returns.without_receipt_per_day_minor
    if daily and given_today + quote.total_minor > daily:
        left = max(0, daily - given_today)
        raise DomainError("returns-without-receipt-today", limit=daily, left=left)
    return basket, quote
