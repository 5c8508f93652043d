"""A plain case as the engine is given it."""

from shared.loyalty.conditions import Spend
from shared.loyalty.effects import (
    AmountOff,
    Bundle,
    BundlePart,
    Effect,
    Ladder,
    NthItem,
    PercentOff,
    SetPrice,
    Step,
)
from shared.loyalty.offers import Coupon, Group, GroupMode, Offer, Phase
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, CouponClaim
from tests.judges.integer_programme.plain_case import (
    AnyFor,
    NthOff,
    PlainCase,
    Sets,
    Stepped,
    Together,
)
from tests.pricing_builders import basket, goods, line, names, offer, only, programme, tax_class


def as_programme(case: PlainCase) -> Programme:
    """The offers of a case."""
    sets = [offer(one.id, _of_sets(one), only(*one.goods)) for one in case.sets]
    group = Group(id="basket", mode=GroupMode.ONE)
    one_of = [
        offer(one.id, _of_basket(one), only(*one.goods), group="basket", phase=int(Phase.BASKET))
        for one in case.basket
    ]
    claimed = [
        offer(
            one.id,
            AmountOff(off_minor=one.off),
            conditions=(Spend(minimum_minor=one.minimum),),
            claimed=True,
        )
        for one in case.coupons
    ]
    coupons = tuple(
        Coupon(
            id=one.id,
            version=1,
            names=names(one.id),
            offer=one.id,
            valid_days=1,
            per_sale=one.per_sale,
        )
        for one in case.coupons
    )
    offers: list[Offer] = [*sets, *one_of, *claimed]
    return programme(*offers, groups=(group,), coupons=coupons, tax_classes=(tax_class("none"),))


def as_basket(case: PlainCase) -> Basket:
    """The goods and codes of a case."""
    lines = [line(goods(one.name, one.price, "none"), one.units) for one in case.articles]
    claims = tuple(
        CouponClaim(one.id, f"{one.id}-{n}") for one in case.coupons for n in range(one.codes)
    )
    return basket(*lines, claims=claims)


def _of_sets(told: Sets) -> Effect:
    match told:
        case AnyFor():
            return SetPrice(
                units=told.size,
                price_minor=told.price,
                sets_limit=told.limit,
                same_goods=told.same,
            )
        case NthOff():
            points = told.percent * 100
            return NthItem(nth=told.size, basis_points_off=points, sets_limit=told.limit)
        case Together():
            parts = tuple(BundlePart(goods=only(*part)) for part in told.parts)
            return Bundle(
                parts=parts,
                price_minor=told.price,
                off_minor=told.off,
                sets_limit=told.limit,
            )


def _of_basket(told: object) -> Effect:
    if isinstance(told, Stepped):
        steps = (Step(threshold_minor=least, off_minor=off) for least, off in told.steps)
        return Ladder(steps=tuple(steps))
    return PercentOff(basis_points_off=told.percent * 100)
