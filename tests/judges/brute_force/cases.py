"""Random programmes and baskets, small enough to look at every combination; the seed says all."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from random import Random
from typing import Any

from msgspec.structs import replace as replace_fields

from shared.catalogue.goods import Goods, SoldBy
from shared.ids import CouponId, StoreId, TillId
from shared.loyalty import conditions as when
from shared.loyalty import effects as does
from shared.loyalty.document import EVERYTHING, GoodsSet
from shared.loyalty.offers import Coupon, Group, GroupMode, Limits, Offer
from shared.loyalty.programme import (
    Earning,
    EarningRule,
    InTotal,
    Levy,
    Points,
    PriceList,
    Programme,
    TaxBase,
    Tier,
    Tiers,
)
from shared.pricing.basket import (
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    MemberContext,
    OfferUse,
    PlannedTender,
    RewardClaim,
)
from tests.judges.brute_force.drawn_effects import (
    BRANDS,
    CATEGORIES,
    MARKS,
    SKUS,
    EffectDrawer,
)
from tests.pricing_builders import goods, names, rate, tax_class

AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)  # a Sunday
STORE, TILL = StoreId("north"), TillId("north-1")
CLASSES = (
    tax_class("none"),
    tax_class("inside", rate(130_000, included=True)),
    tax_class("on-top", rate(88_750, included=False)),
    tax_class(
        "mixed",
        rate(50_000, included=True, key="gst"),
        rate(99_750, included=False, key="qst", base=TaxBase.NET_AND_EARLIER),
        Levy(id="deposit", names=names("deposit"), amount_minor=25),
    ),
    tax_class("bottle", Levy(id="eco", names=names("eco"), amount_minor=15, included=True)),
)
GROUPS = (
    Group(id="one", mode=GroupMode.ONE),
    Group(id="two", mode=GroupMode.ONE),
    Group(id="chain", mode=GroupMode.CHAIN),
    Group(id="add", mode=GroupMode.ADD),
)
TRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Case:
    """A programme and a basket."""

    seed: int
    programme: Programme
    basket: Basket


def case_of(seed: int) -> Case:
    """The case of a seed, always the same."""
    return _Maker(Random(seed)).case(seed)


class _Maker(EffectDrawer):
    """Draws one case."""

    # The whole

    def case(self, seed: int) -> Case:
        articles = {sku: self.article(sku) for sku in SKUS}
        lines = tuple(
            self.line(number, articles) for number in range(1, self.random.randint(1, 5) + 2)
        )
        count = self.random.choice((1, 2, 3, 4, 4, 5, 5))
        offers = tuple(self.offer(f"o{n}") for n in range(count))
        coupons = tuple(
            Coupon(
                id=f"c-{offer.id}",
                version=1,
                names=names(offer.id),
                offer=offer.id,
                valid_days=30,
                per_sale=self.random.choice((1, 1, 2)),
            )
            for offer in offers
            if offer.claimed
        )
        programme = self.programme(offers, coupons)
        drawn = Case(seed, programme, self.basket(lines, programme))
        return self.with_few_points(drawn) if self.one_in(4) else drawn

    def with_few_points(self, drawn: Case) -> Case:
        """Most of its offers as rewards, for points that do not pay for all of them."""
        offers = tuple(
            replace_fields(one, costs_points=self.random.choice((30, 50, 50, 80, 120)))
            if one.costs_points or (not one.claimed and not self.one_in(4))
            else one
            for one in drawn.programme.offers
        )
        claims, tries = [], len(offers) + sum(1 for _ in drawn.basket.claims)
        for one in offers:
            if one.costs_points:
                times = 2 if tries < TRIES_MAX and self.one_in(2) else 1
                tries += times - 1
                claims.append(RewardClaim(one.id, times))
        member = drawn.basket.member or MemberContext(tier="member")
        points = self.random.choice((50, 80, 100, 110, 130, 160))
        basket = replace(drawn.basket, member=replace(member, points=points), rewards=tuple(claims))
        return Case(drawn.seed, replace_fields(drawn.programme, offers=offers), basket)

    def programme(self, offers: tuple[Offer, ...], coupons: tuple[Coupon, ...]) -> Programme:
        spend = EarningRule(id="spend", names=names("spend"), points=1, per_minor=100)
        night = PriceList(
            id="night",
            names=names("night"),
            prices={sku: self.amount(0, 3_000) for sku in self.some(SKUS, 2)},
            conditions=(self.circumstance(),),
        )
        return Programme(
            format=1,
            id="case",
            names=names("case"),
            currency="CNY",
            points=Points(names=names("points")),
            tax_classes=CLASSES,
            tiers=Tiers(
                ladder=(
                    Tier(id="member", names=names("member")),
                    Tier(
                        id="gold",
                        names=names("gold"),
                        reached_by=(InTotal(spend_minor=100_000),),
                    ),
                )
            ),
            earning=Earning(rules=(spend,)),
            price_lists=(night,) if self.one_in(6) else (),
            groups=GROUPS,
            offers=offers,
            coupons=coupons,
        )

    # Goods and lines

    def article(self, sku: str) -> Goods:
        by_weight = self.one_in(6)
        known = self.random.choice([known.id for known in CLASSES]) if self.one_in(2) else "none"
        return goods(
            sku,
            self.amount(0, 4_000),
            known,
            category=self.random.choice(CATEGORIES),
            brand=self.random.choice(BRANDS),
            marks=(self.random.choice(MARKS),) if self.one_in(2) else (),
            supplier=self.random.choice(("s1", "s2")),
            sold_by=SoldBy.WEIGHT if by_weight else SoldBy.UNIT,
            no_discount=self.one_in(12),
            no_points=self.one_in(8),
        )

    def line(self, number: int, articles: dict[str, Goods]) -> BasketLine:
        article = articles[self.random.choice(SKUS)]
        by_weight = article.sold_by is SoldBy.WEIGHT
        more: dict[str, Any] = (
            {"grams": self.random.randint(1, 3_000)}
            if by_weight
            else {"units": self.random.randint(1, 4)}
        )
        if self.one_in(12):
            more["price_minor"] = self.amount(0, 3_000)
        elif self.one_in(14):
            more["label_minor"] = self.amount(0, 3_000)
        if self.one_in(14):
            more["discount"] = self.random.choice(
                (HandDiscount(basis_points=1_234), HandDiscount(amount_minor=150))
            )
        return BasketLine(id=str(number), goods=article, **more)

    # Offers

    def offer(self, key: str) -> Offer:
        effect = self.effect()
        group = self.random.choice(self.groups)
        if group == "add" and not isinstance(effect, does.PercentOff):
            group = self.random.choice(("", "chain"))
        claimed = self.one_in(4)
        return Offer(
            id=key,
            version=self.random.randint(1, 3),
            names=names(key),
            effect=effect,
            goods=EVERYTHING if isinstance(effect, does.Bundle) else self.goods_set(),
            conditions=self.conditions(effect),
            phase=self.random.choice(self.phases),
            rank=self.random.choice((0, 0, 0, 1)),
            group=group,
            claimed=claimed,
            priority=self.random.choice((0, 0, 1)),
            at_most_minor=self.amount(50, 1_000) if self.one_in(6) else 0,
            on_manual_prices=self.one_in(4),
            limits=Limits(per_member=1, in_total=5) if self.one_in(8) else Limits(),
            costs_points=100 if not claimed and self.one_in(8) else 0,
            net=isinstance(effect, does.NET) and self.one_in(5),
            reuses_units=isinstance(effect, does.MULTI_BUY) and self.one_in(6),
        )

    # Conditions

    def conditions(self, effect: does.Effect) -> tuple[when.Condition, ...]:
        count = self.random.choice((0, 0, 0, 0, 1, 1, 2))
        return tuple(self.condition(effect, depth=2) for _ in range(count))

    def condition(self, effect: does.Effect, depth: int) -> when.Condition:
        kind = self.random.randrange(12)
        if kind < 6 or depth == 0:
            return self.spend()
        if kind == 6:
            # Units of a bundle's own goods are not asked for: it has none of its own.
            named = self.one_in(2) or isinstance(effect, does.Bundle)
            meant = GoodsSet(skus=self.some(SKUS)) if named else None
            return when.Quantity(minimum=self.random.randint(1, 5), goods=meant)
        if kind == 7:
            return self.circumstance()
        of = tuple(self.condition(effect, depth - 1) for _ in range(self.random.randint(1, 2)))
        if kind == 8:
            return when.AllOf(of=of)
        return when.AnyOf(of=of) if kind == 9 else when.Not(of=of)

    def spend(self) -> when.Condition:
        return when.Spend(
            minimum_minor=self.amount(0, self.random.choice((3_000, 9_000))),
            goods=self.goods_set() if self.one_in(3) else None,
            net=self.one_in(4),
            measured=self.random.choice(
                (when.Measured.LEFT, when.Measured.LEFT, when.Measured.LISTED)
            ),
        )

    def circumstance(self) -> when.Condition:
        return self.random.choice(
            (
                when.Dates(first=date(2026, 11, 1), last=date(2026, 11, 22)),
                when.Dates(first=date(2026, 11, 23), last=date(2026, 12, 22)),
                when.Weekly(weekdays=(6, 7)),
                when.Weekly(start=time(12, 31)),
                when.Weekly(end=time(12, 31)),
                when.Weekly(weekdays=(6,), start=time(22), end=time(13)),
                when.Weekly(weekdays=(7,), start=time(22), end=time(13)),
                when.MonthDays(days=(1, 22)),
                when.Stores(stores=("north",)),
                when.Stores(stores=("south",)),
                when.Tills(tills=("north-1", "north-2")),
                when.Members(),
                when.Members(tiers=("gold",)),
                when.Segments(segments=("staff", "students")),
                when.Weekly(),
                when.Dates(first=date(2026, 1, 1), last=date(2026, 12, 31)),
                when.FirstSale(),
                when.NthVisit(minimum=1, every=2),
                when.Paying(tenders=("wallet",)),
            )
        )

    # The basket

    def basket(self, lines: tuple[BasketLine, ...], programme: Programme) -> Basket:
        member = None
        if not self.one_in(4):
            member = MemberContext(
                tier=self.random.choice(("member", "gold")),
                segments=("staff",) if self.one_in(2) else (),
                points=self.random.choice((0, 100, 250)),
            )
        gifts = tuple(
            (offer.id, offer.effect.choices[-1])
            for offer in programme.offers
            if isinstance(offer.effect, does.Gift) and self.one_in(2)
        )
        rewards = tuple(
            RewardClaim(offer.id, self.random.choice((1, 1, 2)))
            for offer in programme.offers
            if offer.costs_points and not self.one_in(4)
        )
        uses = tuple(
            OfferUse(offer=offer.id, by_member=self.random.randint(0, 1))
            for offer in programme.offers
            if offer.limits != Limits()
        )
        tries = len(programme.offers) + sum(one.times - 1 for one in rewards)
        claims = []
        for coupon in programme.coupons:
            count = self.random.choice((0, 1, 1, 1, 1, 2))
            if count == 2 and tries + 1 > TRIES_MAX:
                count = 1
            tries += max(0, count - 1)
            claims += [CouponClaim(coupon.id, CouponId(f"{coupon.id}-{n}")) for n in range(count)]
        return Basket(
            lines=lines,
            at=AT,
            store=STORE,
            till=TILL,
            member=member,
            claims=tuple(claims),
            paying=(PlannedTender(tender="wallet"),) if self.one_in(3) else (),
            rewards=rewards,
            gifts=gifts,
            uses=uses,
        )
