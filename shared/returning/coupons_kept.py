"""Coupons that a sale issued and that what is kept of it would not have issued."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.errors import DomainError
from shared.ids import CouponId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.engine import price
from shared.returning.history import (
    is_last,
    is_nothing_kept,
    money_back,
    units_back,
    without_goods,
)
from shared.returning.kept import kept_basket
from shared.returning.lines import SoldBy
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleReturned


def coupons_kept(
    basket: Basket, programme: Programme, returned: Mapping[str, int], *, refunded_minor: int = 0
) -> Counter[str]:
    """How many coupons what is kept of a sale would have issued, by the offer that they claim.

    ``returned`` are units or grams by line, ``refunded_minor`` is money given back without goods.
    Raises what ``price`` raises.
    """
    kept: Counter[str] = Counter()
    left = kept_basket(basket, returned)
    if not left.lines:
        return kept
    claimed = {coupon.id: coupon.offer for coupon in programme.coupons}
    for one in price(left, programme, refunded_minor=refunded_minor).issued:
        kept[claimed[one.coupon]] += one.units
    return kept


def first_to_go(
    issued: Iterable[tuple[str, str]], kept: Counter[str], used: Collection[str]
) -> list[str]:
    """The codes of ``issued`` (code and offer) that are void when so many are ``kept`` of an offer.

    Those that were not used go first, the last issued before the others. A used one among them has
    done its work: what it took off is not taken back.
    """
    by_offer: dict[str, list[str]] = {}
    for code, offer in issued:
        by_offer.setdefault(offer, []).append(code)
    gone: list[str] = []
    for offer, codes in by_offer.items():
        in_turn = [code for code in codes[::-1] if code not in used]
        in_turn += [code for code in codes[::-1] if code in used]
        gone += in_turn[: max(0, len(codes) - kept[offer])]
    return gone


def coupons_voided(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    lines: Sequence[ReturnLine],
    sold_by: SoldBy | None,
    used: Collection[CouponId] = (),
) -> tuple[CouponId, ...]:
    """The coupons of a sale that go with these ``lines``, as the programme it was sold by says.

    Where the sale cannot be priced again they go when all of it is back; those of full visit cards
    go with their stamps instead. ``used`` are those that are known to be used up.
    """
    of_cards = {coupon for card in sale.cards for coupon in card.coupons}
    issued = [one for one in voidable(sale, returns, sold_by) if one[0] not in of_cards]
    if not issued:
        return ()
    kept = _kept(sale, returns, lines, sold_by)
    if kept is None:
        return ()
    return tuple(CouponId(code) for code in first_to_go(issued, kept, used))


def voidable(
    sale: SaleCompleted, returns: Sequence[SaleReturned], sold_by: SoldBy | None
) -> list[tuple[CouponId, str]]:
    """Coupons of a sale that are good and may be taken away, with the offer that they claim."""
    voided = {coupon for one in returns for coupon in one.coupons_voided}
    stays = {one.offer for one in sold_by.programme.coupons if not one.is_voided} if sold_by else ()
    return [
        (one.coupon_id, one.offer_id)
        for one in sale.coupons_issued
        if one.coupon_id not in voided and one.offer_id not in stays
    ]


def coupons_given_back(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    lines: Sequence[ReturnLine],
    programme: Programme,
) -> tuple[CouponId, ...]:
    """Coupons that the sale used, once all of it is back, as they say."""
    if not is_last(sale, returns, lines):
        return ()
    stays = {one.offer for one in programme.coupons if not one.goes_back}
    used = (
        one.coupon_id
        for one in sale.offers
        if one.coupon_id is not None and one.offer_id not in stays
    )
    return tuple(dict.fromkeys(used))


def _kept(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    lines: Sequence[ReturnLine],
    sold_by: SoldBy | None,
) -> Counter[str] | None:
    """None where it is not known."""
    if is_nothing_kept(sale, returns, lines):
        return Counter()
    if sold_by is None or not sold_by.knows_what_it_saw(sale):
        return None
    basket = sold_by.basket_again(sale)
    if basket is None:
        return None
    returned = {str(line): units for line, units in units_back(returns, lines).items()}
    refunded = without_goods(returns)
    if not any(line.quantity for line in lines):
        refunded += money_back((), lines)
    try:
        return coupons_kept(basket, sold_by.programme, returned, refunded_minor=refunded)
    except DomainError:
        return None
