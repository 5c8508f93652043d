"""What a price depends on beside goods and programme, from a basket into its fact and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from shared.loyalty.conditions import Around, Birthday, Condition, FirstSale, NthVisit, Segments
from shared.loyalty.conditions import every as every_condition
from shared.loyalty.offers import Limits, Offer
from shared.loyalty.programme import Basis, Programme
from shared.pricing.basket import Basket, MemberContext, OfferUse
from shared.pricing.rulebook import SameProgramme, rulebook
from shared.trade.fact import KnownBefore, OfferUsed
from shared.trade.ticket import SaleCompleted

NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a programme asks for that only who was there can tell."""

    sales: bool
    visits: bool
    today: bool
    birthday: frozenset[Around]
    segments: frozenset[str]
    limited: tuple[Offer, ...]

    @property
    def is_about_members(self) -> bool:
        """Whether a member's price may depend on it."""
        asks = self.sales or self.visits or self.today or self.birthday or self.segments
        return bool(asks or self.limited)

    @property
    def is_about_anybody(self) -> bool:
        """Whether the price of a sale without a member may depend on it."""
        return any(one.limits.per_store or one.limits.in_total for one in self.limited)

    def concerns(self, *, has_member: bool) -> bool:
        """Whether the price of a sale with or without a member may depend on it."""
        return self.is_about_members if has_member else self.is_about_anybody


def asked_by(programme: Programme) -> Asked:
    """What a programme asks for; found once for those that are in use."""
    return _asked(SameProgramme(programme))


@lru_cache(maxsize=8)
def _asked(same: SameProgramme) -> Asked:
    programme = same.programme
    conditions = list(every_condition(_conditions(programme)))
    is_by_visit = any(
        rule.basis is Basis.VISIT for rule in (*programme.earning.rules, *programme.earning.growth)
    )
    visits = any(isinstance(one, NthVisit) for one in conditions)
    return Asked(
        sales=any(isinstance(one, FirstSale) for one in conditions),
        visits=visits,
        today=visits or is_by_visit,
        birthday=frozenset(one.within for one in conditions if isinstance(one, Birthday)),
        segments=frozenset(
            name for one in conditions if isinstance(one, Segments) for name in one.segments
        ),
        limited=tuple(one for one in programme.offers if one.limits != NO_LIMITS),
    )


def _conditions(programme: Programme) -> Iterator[Condition]:
    """Of everything that lowers a price or earns."""
    for offer in programme.offers:
        yield from offer.conditions
    for prices in programme.price_lists:
        yield from prices.conditions
    for rule in (*programme.earning.rules, *programme.earning.growth):
        yield from rule.conditions
    for times in programme.earning.multipliers:
        yield from times.conditions


def known_before(basket: Basket, programme: Programme) -> KnownBefore | None:
    """What the fact of a priced basket has to say; None where its programme asks for nothing."""
    asked = asked_by(programme)
    if not asked.concerns(has_member=basket.member is not None):
        return None
    member = basket.member or MemberContext(tier="")
    return KnownBefore(
        sales=member.sales if asked.sales else 0,
        visits=member.visits if asked.visits else 0,
        was_here_today=member.was_here_today and asked.today,
        birthday=tuple(one.value for one in member.birthday if one in asked.birthday),
        segments=tuple(sorted(asked.segments.intersection(member.segments))),
        uses=tuple(_uses(basket, programme, asked)),
    )


def _uses(basket: Basket, programme: Programme, asked: Asked) -> Iterator[OfferUsed]:
    looked_at = _looked_at(basket, programme) if asked.limited else frozenset()
    uses = {one.offer: one for one in basket.uses}
    for offer in asked.limited:
        if offer.id in looked_at and offer.id in uses:
            used, limits = uses[offer.id], offer.limits
            told = OfferUsed(
                offer_id=offer.id,
                by_member=used.by_member if limits.per_member else 0,
                by_member_today=used.by_member_today if limits.per_member_and_day else 0,
                in_store=used.in_store if limits.per_store else 0,
                in_total=used.in_total if limits.in_total else 0,
            )
            if told != OfferUsed(offer_id=offer.id):
                yield told


def _looked_at(basket: Basket, programme: Programme) -> frozenset[str]:
    """Offers that this basket has goods or claims for; all others could not apply anyway."""
    rules = rulebook(programme)
    met = rules.met_by(line.goods for line in basket.lines)
    offers = {coupon.id: coupon.offer for coupon in programme.coupons}
    claimed = {offers[claim.coupon] for claim in basket.claims if claim.coupon in offers}
    claimed.update(reward.offer for reward in basket.rewards)
    return frozenset({rules.offers[index].id for index in met} | claimed)


def is_told(sale: SaleCompleted, programme: Programme) -> bool:
    """Whether a sale's fact says what its programme asks for; older releases did not write it."""
    has_member = sale.member is not None
    return sale.known is not None or not asked_by(programme).concerns(has_member=has_member)


def member_of(sale: SaleCompleted) -> MemberContext | None:
    """The member of a sale as the price saw them.

    The points they could spend on rewards are those that rewards took: one that could not be paid
    stands in no fact.
    """
    member, known = sale.member, sale.known or KnownBefore()
    if member is None:
        return None
    paid = sum(one.points for one in sale.tenders if one.amount)
    return MemberContext(
        tier=member.tier,
        birthday=tuple(one for one in Around if one.value in known.birthday),
        segments=known.segments,
        sales=known.sales,
        visits=known.visits,
        was_here_today=known.was_here_today,
        points=max(0, member.points.spent - paid),
    )


def uses_before(sale: SaleCompleted) -> tuple[OfferUse, ...]:
    """How often offers had been used before a sale, as its fact says."""
    return tuple(
        OfferUse(
            offer=one.offer_id,
            by_member=one.by_member,
            by_member_today=one.by_member_today,
            in_store=one.in_store,
            in_total=one.in_total,
        )
        for one in (sale.known or KnownBefore()).uses
    )
