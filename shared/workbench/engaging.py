"""What a sale gives a member beside what its goods earn: stamps, and the points of a friend."""

from dataclasses import dataclass

from msgspec import structs

from shared.ids import CouponId
from shared.loyalty.referral import paid_for
from shared.pricing.basket import Basket
from shared.pricing.engagement import coupons_of_cards, stamp_cards
from shared.pricing.quote import Quote
from shared.pricing.sale_lines import goods_total
from shared.trade.fact import CardStamped, ReferralPaid
from shared.workbench.shop import Shop


def cards_of(shop: Shop, basket: Basket, quote: Quote) -> tuple[CardStamped, ...]:
    """What completing the basket does to its member's cards."""
    if shop.account is None:
        return ()
    return stamp_cards(basket, quote, shop.programme, shop.account.cards, shop.at.date())


def referral_of(shop: Shop, basket: Basket, quote: Quote) -> ReferralPaid | None:
    """What completing the basket pays its member, as a friend, and who brought them."""
    friend = shop.account
    if friend is None or friend.is_referral_paid:
        return None
    referrer = shop.accounts.get(friend.person.referred_by)
    if referrer is None or referrer is friend:
        return None
    total, name = goods_total(basket, quote), referrer.person.id
    return paid_for(shop.programme.referral, name, total, friends=referrer.friends)


@dataclass(frozen=True, slots=True)
class Given:
    """What a sale gives its member, and who brought them."""

    cards: tuple[CardStamped, ...] = ()
    referral: ReferralPaid | None = None


def engage(shop: Shop, basket: Basket, quote: Quote, sale: str) -> Given:
    """Book it, but for the member's own points: they are among those that the sale earns."""
    account, today = shop.account, shop.at.date()
    if account is None:
        return Given()
    account.touch(shop.programme, today)
    cards = cards_of(shop, basket, quote)
    for card in cards:
        account.stamp(card.card, card.added, today, filled=card.filled, size=card.size)
    codes = {card.card: list[CouponId]() for card in cards}
    for card, coupon in coupons_of_cards(cards, shop.programme):
        given = shop.new_codes(coupon, 1, sale, account.person.id)
        codes[card.card] += map(CouponId, given)
    cards = tuple(structs.replace(card, coupons=tuple(codes[card.card])) for card in cards)
    paid = referral_of(shop, basket, quote)
    if paid is not None:
        account.is_referral_paid = True
        referrer = shop.accounts[paid.referrer_id]
        referrer.friends += 1
        referrer.earn(sale, paid.for_referrer, shop.programme, today)
        shop.day.points_earned += paid.for_referrer
    return Given(cards, paid)
