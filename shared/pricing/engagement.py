"""Visit cards and referrals: what a sale gives them, and what goes when goods come back.

A return counts again what the goods that are kept would have given. A card that they would not
have filled gives its reward back and has its stamps again; where the reward cannot be taken back,
because its coupon was used, the stamps stay spent, and the next card has to make up for them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.ids import CouponId
from shared.loyalty.engagement import VisitCard
from shared.loyalty.programme import Programme
from shared.loyalty.referral import counts, paid_for
from shared.loyalty.stamps import NO_STAMPS, Stamps, full_cards, stamped
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.quote import LineQuote, Quote
from shared.pricing.rulebook import rulebook
from shared.pricing.sale_lines import goods_total, names_by_language
from shared.trade.fact import CardStamped, CardTakenBack, Measure, ReferralPaid
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


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


@dataclass(frozen=True, slots=True)
class CardsBack:
    """What goods that come back take off cards, and which of the cards' coupons are void."""

    cards: tuple[CardTakenBack, ...] = ()
    coupons: tuple[CouponId, ...] = ()

    @property
    def points(self) -> int:
        """Points of cards that are not full any more."""
        return sum(card.points for card in self.cards)


def take_back(
    cards: Sequence[CardStamped],
    kept: Mapping[int, int],
    before: Iterable[CardTakenBack],
    voidable: Collection[CouponId],
) -> CardsBack:
    """Count a sale's ``cards`` again with what is ``kept`` of it.

    ``kept`` is what each line is worth in units, ``before`` what earlier returns of the sale took,
    ``voidable`` the coupons that are still good and may be taken away.
    """
    taken, reopened = Counter[str](), Counter[str]()
    for one in before:
        taken[one.card] += one.taken
        reopened[one.card] += one.reopened
    found: list[CardTakenBack] = []
    coupons: list[CouponId] = []
    for card in cards:
        left = min(card.added, sum(kept.get(line, 0) for line in card.lines))
        full = full_cards(card.before + left, card.size)
        excess = card.filled - full - reopened[card.card]
        if card.coupons:
            goes = [one for one in card.coupons[::-1] if one in voidable][:excess]
            excess = len(goes)
            coupons += goes
        back = CardTakenBack(
            card=card.card,
            names=card.names,
            size=card.size,
            taken=card.added - left - taken[card.card],
            reopened=excess,
            points=excess * card.points,
        )
        if back.taken or back.reopened:
            found.append(back)
    return CardsBack(tuple(found), tuple(coupons))


def units_worth(line: SaleLine, quantity: int) -> int:
    """What so much of a line counts for on a card; nothing where more came back than was sold."""
    return max(0, min(1, quantity) if line.measure is Measure.GRAM else quantity)


def cards_taken_back(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    lines: Sequence[ReturnLine],
    voidable: Collection[CouponId],
) -> CardsBack:
    """What these ``lines`` of a sale take off its cards, after its earlier ``returns``."""
    back: Counter[int] = Counter()
    for line in (*(line for one in returns for line in one.lines), *lines):
        back[line.of_line] += line.quantity
    kept = {one.line: units_worth(one, one.quantity - back[one.line]) for one in sale.lines}
    before = [card for one in returns for card in one.cards]
    return take_back(sale.cards, kept, before, voidable)


def referral_lost(
    sale: SaleCompleted, returns: Sequence[SaleReturned], lines: Sequence[ReturnLine]
) -> ReferralPaid | None:
    """The referral that a sale paid, where these ``lines`` leave too little of it."""
    paid = sale.referral
    if paid is None or any(one.referral for one in returns):
        return None
    back = sum(line.amount for line in (*(line for one in returns for line in one.lines), *lines))
    bought = sum(line.amount for line in sale.lines if not line.comes_in)
    return None if counts(bought - back, paid.minimum) else paid


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
