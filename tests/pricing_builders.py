"""Small programmes, goods and baskets for tests of price and loyalty."""

from datetime import UTC, datetime

import msgspec

from shared.catalogue.goods import Goods, SoldBy
from shared.ids import CouponId, GoodsId, StoreId
from shared.loyalty.bundle import template
from shared.loyalty.document import EVERYTHING, GoodsSet, Names
from shared.loyalty.effects import Effect
from shared.loyalty.offers import Coupon, Offer
from shared.loyalty.programme import Earning, EarningRule, Programme, Rate, TaxClass
from shared.pricing.basket import Basket, BasketLine, CouponClaim, MemberContext

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def names(text: str) -> Names:
    return Names(zh=text, en=text)


def goods(sku: str = "A", price: int = 10_00, tax: str = "standard", **more: object) -> Goods:
    values = {"sku": GoodsId(sku), "name_zh": sku, "name_en": sku, "tax_class": tax}
    return Goods(**{**values, "list_price_minor": price, **more})


def weighed(sku: str, price_per_kg: int, **more: object) -> Goods:
    return goods(sku, price_per_kg, sold_by=SoldBy.WEIGHT, **more)


def line(article: Goods, units: int = 1, **more: object) -> BasketLine:
    quantity = {} if "grams" in more else {"units": units}
    return BasketLine(**{"id": article.sku, "goods": article, **quantity, **more})


def basket(
    *lines: BasketLine, member: str | None = "member", coupons: tuple[str, ...] = (), **more
):
    claims = tuple(
        CouponClaim(coupon, CouponId(f"{coupon}/{n}")) for n, coupon in enumerate(coupons)
    )
    context = MemberContext(tier=member) if member else None
    values = {"at": NOON, "store": StoreId("s1"), "member": context, "claims": claims}
    return Basket(lines=lines, **{**values, **more})


def offer(key: str, effect: Effect, only: GoodsSet | None = None, **more: object) -> Offer:
    values = {"id": key, "version": 1, "names": names(key), "effect": effect}
    return Offer(**{**values, "goods": only or EVERYTHING, **more})


def only(*skus: str) -> GoodsSet:
    return GoodsSet(skus=skus)


def rate(ppm: int, *, included: bool, key: str = "vat", **more: object) -> Rate:
    return Rate(id=key, names=names(key), rate_ppm=ppm, included=included, **more)


def tax_class(key: str, *components: object) -> TaxClass:
    return TaxClass(id=key, names=names(key), components=components)


def earning(points: int = 1, per_minor: int = 100, **more: object) -> Earning:
    rule = EarningRule(id="spend", names=names("spend"), points=points, per_minor=per_minor)
    return Earning(rules=(rule,), **more)


def programme(*offers: Offer, **more: object) -> Programme:
    """The default programme's taxes, tiers and points, with these offers and a coupon for each."""
    coupons = tuple(
        Coupon(id=o.id, version=1, names=o.names, offer=o.id, valid_days=30, per_sale=9)
        for o in offers
        if o.claimed
    )
    changes = {"offers": offers, "coupons": coupons, **more}
    return msgspec.structs.replace(template("default"), **changes)
