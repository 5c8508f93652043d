"""Visit cards and referrals when goods come back.

A return counts again what the goods that are kept would have given. A card that they would not
have filled gives its reward back and has its stamps again; where the reward cannot be taken back,
because its coupon was used, the stamps stay spent, and the next card has to make up for them.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.ids import CouponId
from shared.loyalty.referral import counts
from shared.loyalty.stamps import full_cards
from shared.returning.history import is_nothing_kept, money_back, units_back, worth
from shared.trade.fact import CardStamped, CardTakenBack, Measure, ReferralPaid
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True)
class CardsBack:
    """What goods that come back take off cards, and which of the cards' coupons are void."""

    cards: tuple[CardTakenBack, ...] = ()
    coupons: tuple[CouponId, ...] = ()

    @property
    def points(self) -> int:
        """Points of cards that are not full any more."""
        return sum(card.points for card in self.cards)


def _take_back(
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


def _units_worth(line: SaleLine, quantity: int) -> int:
    """What so much of a line counts for on a card; nothing where more came back than was sold."""
    return max(0, min(1, quantity) if line.measure is Measure.GRAM else quantity)


def cards_taken_back(
    sale: SaleCompleted,
    returns: Sequence[SaleReturned],
    lines: Sequence[ReturnLine],
    voidable: Collection[CouponId],
) -> CardsBack:
    """What these ``lines`` of a sale take off its cards, after its earlier ``returns``."""
    back, kept = units_back(returns, lines), dict[int, int]()
    if not is_nothing_kept(sale, returns, lines):
        kept = {one.line: _units_worth(one, one.quantity - back[one.line]) for one in sale.lines}
    before = [card for one in returns for card in one.cards]
    return _take_back(sale.cards, kept, before, voidable)


def referral_lost(
    sale: SaleCompleted, returns: Sequence[SaleReturned], lines: Sequence[ReturnLine]
) -> ReferralPaid | None:
    """The referral that a sale paid, where these ``lines`` leave too little of it."""
    paid = sale.referral
    if paid is None or any(one.referral for one in returns):
        return None
    kept = worth(sale) - money_back(returns, lines)
    return None if counts(kept, paid.minimum) else paid
