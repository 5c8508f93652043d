"""What a sale gives beside what its goods earn: coupons, stamps, a referral."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from desktop.store.members import Member
from shared.ids import CouponId
from shared.loyalty.coupon_code import coupon_instance, issued_coupon_code
from shared.loyalty.engagement import Referral
from shared.loyalty.programme import Programme
from shared.loyalty.referral import paid_for
from shared.pricing.basket import Basket
from shared.pricing.engagement import coupons_of_cards, stamp_cards
from shared.pricing.quote import Quote
from shared.pricing.sale_lines import goods_total, names_by_language
from shared.trade.fact import CardStamped, CouponIssued, ReferralPaid, RuleEarned

REFERRAL_RULE = "referral"
"""What a referral is called among the rules by which points were earned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Ready to be written into the fact of the sale."""

    coupons: tuple[CouponIssued, ...] = ()
    cards: tuple[CardStamped, ...] = ()
    referral: ReferralPaid | None = None
    points: tuple[RuleEarned, ...] = ()
    """Of full cards, and the friend's own of a referral."""


def given_beside(
    priced: tuple[Basket, Quote],
    programme: Programme,
    member: Member | None,
    referrer: Member | None,
    *,
    coupon_key: bytes,
    entry_id: str,
    today: date,
) -> Given:
    """What a sale gives a member, and who brought them, as the books know both at this moment.

    ``coupon_key`` seals the codes of coupons.
    """
    _basket, quote = priced
    cards = stamp_cards(*priced, programme, member.cards, today) if member else ()
    referral = referral_of(priced, programme.referral, referrer)
    full = list(coupons_of_cards(cards, programme))
    wanted = [(one.coupon, one.units) for one in quote.issued]
    wanted += [(coupon, 1) for _card, coupon in full]
    coupons = tuple(issued_coupons(coupon_key, programme, wanted, entry_id=entry_id, today=today))
    own = defaultdict[str, list[CouponId]](list)
    for (card, _coupon), issued in zip(full, coupons[len(coupons) - len(full) :], strict=True):
        own[card.card].append(issued.coupon_id)
    cards = tuple(msgspec.structs.replace(card, coupons=tuple(own[card.card])) for card in cards)
    return Given(
        coupons=coupons,
        cards=cards,
        referral=referral,
        points=tuple(_points(cards, referral, programme)),
    )


def referral_of(
    priced: tuple[Basket, Quote], rule: Referral | None, referrer: Member | None
) -> ReferralPaid | None:
    """What a sale pays for having brought its member, if it counts."""
    if referrer is None:
        return None
    return paid_for(rule, referrer.member_id, goods_total(*priced), friends=referrer.friends)


def _points(
    cards: Iterable[CardStamped], referral: ReferralPaid | None, programme: Programme
) -> Iterator[RuleEarned]:
    for card in cards:
        if card.points_total:
            yield RuleEarned(rule=card.card, names=card.names, points=card.points_total)
    if referral is not None and programme.referral is not None and referral.for_friend:
        names = names_by_language(programme.referral.names)
        yield RuleEarned(rule=REFERRAL_RULE, names=names, points=referral.for_friend)


def issued_coupons(
    key: bytes,
    programme: Programme,
    issued: Iterable[tuple[str, int]],
    *,
    entry_id: str,
    today: date,
) -> Iterator[CouponIssued]:
    """So many of each coupon, for a later sale; codes follow from the entry, hashes are kept."""
    rules = {coupon.id: coupon for coupon in programme.coupons}
    numbers: Counter[str] = Counter()
    for name, units in issued:
        coupon = rules[name]
        first = today + timedelta(days=coupon.from_days)
        last = today + timedelta(days=coupon.valid_days - 1)
        for _ in range(units):
            numbers[coupon.id] += 1
            code = issued_coupon_code(key, coupon.id, entry_id, numbers[coupon.id])
            yield CouponIssued(
                coupon_id=coupon_instance(key, code),
                offer_id=coupon.offer,
                valid_from=first.isoformat(),
                valid_until=last.isoformat(),
            )
