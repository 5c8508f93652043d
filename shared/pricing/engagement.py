"""Visit cards and referrals: what a sale gives them."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from shared.loyalty.engagement import VisitCard
from shared.loyalty.programme import Programme
from shared.loyalty.referral import paid_for
from shared.loyalty.stamps import NO_STAMPS, Stamps, stamped
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.quote import LineQuote, Quote
from shared.pricing.rulebook import rulebook
from shared.pricing.sale_lines import goods_total, names_by_language
from shared.trade.fact import CardStamped
from shared.trade.ticket import SaleCompleted


def stamp_cards(
    basket: Basket, quote: Quote, programme: Programme, held: Mapping[str, Stamps], today: date
) -> tuple[CardStamped, ...]:
    """What a sale does to each card that has goods of it; ``held`` are the member's, by card."""
    freeing = rulebook(programme).freeing
    stamps = (
        _stamp(card, basket, quote, held.get(card.id, NO_STAMPS), today, freeing)
        for card in programme.visit_cards
    )
    return tuple(one for one in stamps if one.lines)


def _stamp(
    card: VisitCard,
    basket: Basket,
    quote: Quote,
    held: Stamps,
    today: date,
    freeing: Collection[str],
) -> CardStamped:
    """Only units that something was paid for are worth a stamp; a weighed line counts as one."""
    units = {
        number: _units_paid(line, paid, freeing)
        for number, (line, paid) in enumerate(zip(basket.lines, quote.lines, strict=True), start=1)
        if card.goods.contains(line.goods) and paid.pay_minor > 0
    }
    after = stamped(card, held, sum(units.values()), today)
    return CardStamped(
        card=card.id,
        names=names_by_language(card.names),
        size=card.stamps,
        before=held.stamps,
        added=after.added,
        filled=after.filled,
        lines=tuple(units),
        points=card.points,
    )


def _units_paid(line: BasketLine, paid: LineQuote, freeing: Collection[str]) -> int:
    """Units less those that offers made free, however they were rung up."""
    if not line.units:
        return 1
    off = sum(one.amount_minor for one in paid.discounts if one.offer in freeing)
    return line.units - (off * paid.quantity // paid.gross_minor if off else 0)


def coupons_of_cards(
    cards: Iterable[CardStamped], programme: Programme
) -> Iterator[tuple[CardStamped, str]]:
    """The coupon that each full card gives, and the card."""
    coupons = {card.id: card.coupon for card in programme.visit_cards}
    for card in cards:
        if coupons[card.card]:
            yield from [(card, coupons[card.card])] * card.filled


@dataclass(frozen=True, slots=True, kw_only=True)
class Excess:
    """What a fact gives more than its programme does."""

    points: int = 0
    stamps: int = 0
    coupons: int = 0


def given_too_much(
    sale: SaleCompleted, basket: Basket, quote: Quote, programme: Programme
) -> Excess:
    """Stamps, full cards and the referral of a sale, from what its fact says was there before.

    A card that it does not name was not stamped: tills of earlier releases stamp none.
    """
    today = basket.at.date()
    before = {
        one.card: Stamps(stamps=one.before, last_on=None if one.added else today)
        for one in sale.cards
    }
    right = {one.card: one for one in stamp_cards(basket, quote, programme, before, today)}
    owed = Counter(card.card for card, _coupon in coupons_of_cards(right.values(), programme))
    points = stamps = coupons = 0
    for card in sale.cards:
        due = right.get(card.card)
        points += card.points_total - (due.points_total if due else 0)
        stamps += card.after - (due.after if due else card.before)
        coupons += len(card.coupons) - owed[card.card]
    if (paid := sale.referral) is not None:
        total = goods_total(basket, quote)
        referral = paid_for(programme.referral, paid.referrer_id, total, friends=0)
        points += paid.for_friend + paid.for_referrer
        points -= referral.for_friend + referral.for_referrer if referral else 0
    return Excess(points=points, stamps=stamps, coupons=coupons)


def points_beside(sale: SaleCompleted) -> int:
    """Points that a sale gave its member beside what its lines have earned."""
    of_cards = sum(card.points_total for card in sale.cards)
    return of_cards + (sale.referral.for_friend if sale.referral else 0)
