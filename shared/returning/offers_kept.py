"""Of which offers of a sale the customer still has something, after some returns."""

from collections import Counter
from collections.abc import Sequence

from shared.returning.history import lines_of, units_back
from shared.trade.ticket import SaleCompleted, SaleLine, SaleReturned


def offers_kept(sale: SaleCompleted, returns: Sequence[SaleReturned]) -> Counter[str]:
    """How often the sale used each offer that still gives something: off a line, on top, a coupon.

    What a limit allows is used up by these alone.
    """
    kept = _kept(sale, returns)
    return Counter(one.offer_id for one in sale.offers if one.offer_id in kept)


def _kept(sale: SaleCompleted, returns: Sequence[SaleReturned]) -> set[str]:
    units = units_back(returns)
    money: Counter[int] = Counter()
    for line in lines_of(returns):
        money[line.of_line] += line.amount
    kept = [
        line for line in sale.lines if _is_kept(line, units[line.line], charged=-money[line.line])
    ]
    found = {share.offer_id for line in kept for share in line.discounts}
    voided = {coupon for one in returns for coupon in one.coupons_voided}
    of_cards = {coupon for card in sale.cards for coupon in card.coupons}
    if {one.coupon_id for one in sale.coupons_issued} - of_cards - voided:
        # What took nothing off any line has issued coupons.
        of_lines = {share.offer_id for line in sale.lines for share in line.discounts}
        found |= {one.offer_id for one in sale.offers} - of_lines
    return found


def _is_kept(line: SaleLine, back: int, *, charged: int) -> bool:
    """Whether units stay that the offer gave: a gift that was charged is none any more."""
    left = line.quantity - back
    return left > 0 and not (line.given_by and 0 < left * line.list_price <= charged)
