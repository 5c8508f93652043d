"""What was taken for the running basket is there until the sale is complete or given up."""

from datetime import date

from shared.errors import DomainError
from shared.loyalty.lots import less, spendable
from shared.pricing.card_tax import covers_cards
from shared.pricing.quote import Quote
from shared.pricing.redemption import THIS_SALE
from shared.workbench.shop import Shop


def check_covered(shop: Shop) -> None:
    """DomainError ``tenders-first`` where a step took away what the basket is paid with.

    So it does where the basket costs less now than was paid, as by another offer or at another
    hour: too much would have been taken.
    """
    if not shop.tenders:
        return
    quote = shop.quote()
    is_there = _is_money_there(shop) and _are_points_there(shop, quote)
    if not (_is_due(shop, quote) and is_there and covers_cards(quote, shop.given())):
        raise DomainError("tenders-first")


def _is_due(shop: Shop, quote: Quote) -> bool:
    return shop.handed.fits(max(0, quote.total_minor - shop.credit), shop.programme)


def _is_money_there(shop: Shop) -> bool:
    if shop.account is not None and shop.tendered("stored-value") > shop.account.wallet.total:
        return False
    today = shop.at.date()
    for code in {one.code for one in shop.tenders if one.tender == "gift-card"}:
        card = shop.card(code)
        if _is_over(card.last_day, today) or shop.tendered("gift-card", code) > card.left:
            return False
    return True


def _are_points_there(shop: Shop, quote: Quote) -> bool:
    if shop.account is None or shop.payment is None:
        return True
    today = shop.at.date()
    drawn = [one for one in shop.payment.draws if one.lot != THIS_SALE]
    held = {lot.lot: lot for lot in less(shop.account.usable(shop.programme), drawn)}
    if any(one.lot not in held for one in drawn):
        return False
    if any(held[one.lot].points < 0 or _is_over(held[one.lot].last_day, today) for one in drawn):
        return False
    return spendable(held.values(), today) >= quote.reward_points


def _is_over(last_day: date | None, today: date) -> bool:
    return last_day is not None and today > last_day
