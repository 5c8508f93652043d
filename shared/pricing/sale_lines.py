"""From a quote to the lines, offers and tax table of the fact that records it."""

from collections.abc import Sequence
from typing import Final

from shared.catalogue.goods import Goods, SoldBy
from shared.ids import CouponId
from shared.loyalty.document import Names
from shared.loyalty.programme import Programme
from shared.pricing.after_offers import BY_HAND
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.quote import EarningQuote, LineQuote, Quote
from shared.pricing.redemption import PointsPayment
from shared.trade.fact import (
    LineDiscount,
    LineTax,
    Measure,
    OfferApplied,
    PriceSource,
    RuleEarned,
    TaxTotal,
)
from shared.trade.ticket import SaleLine

HAND_DISCOUNT: Final = BY_HAND
"""The offer id under which a hand-typed discount stands in a fact."""


def sale_lines(
    basket: Basket,
    quote: Quote,
    *,
    payment: PointsPayment | None = None,
    barcodes: Sequence[str] = (),
) -> tuple[SaleLine, ...]:
    """Every line with everything decided about it, numbered as in the basket."""
    earning = quote.earning if payment is None else payment.earning
    codes = barcodes or [""] * len(basket.lines)
    return tuple(
        _sale_line(number, basket.lines[number], line, earning, payment, codes[number])
        for number, line in enumerate(quote.lines)
    )


def _sale_line(
    number: int,
    sold: BasketLine,
    line: LineQuote,
    earning: EarningQuote,
    payment: PointsPayment | None,
    barcode: str,
) -> SaleLine:
    by_weight = sold.goods.sold_by is SoldBy.WEIGHT
    return SaleLine(
        line=number + 1,
        goods_id=sold.goods.sku,
        names=goods_names(sold.goods),
        barcode=barcode,
        quantity=line.quantity,
        measure=Measure.GRAM if by_weight else Measure.PIECE,
        list_price=sold.goods.list_price_minor,
        unit_price=line.unit_price_minor,
        price_source=_price_source(sold),
        gross=line.gross_minor,
        discounts=_discounts(line),
        amount=line.pay_minor,
        tax_class=line.tax_class,
        taxes=tuple(LineTax(component=t.component, tax=t.amount_minor) for t in line.taxes),
        levy=line.levy_minor,
        points=earning.line_points[number],
        growth=earning.line_growth[number],
        spend=earning.line_spend[number],
        points_paid=payment.line_values[number] if payment else 0,
        points_spent=payment.line_points[number] if payment else 0,
    )


def goods_names(goods: Goods) -> dict[str, str]:
    """Names by language code, as facts carry them."""
    return {"zh_CN": goods.name_zh or goods.name_en, "en": goods.name_en or goods.name_zh}


def names_by_language(names: Names) -> dict[str, str]:
    """A rule's names by language code, as facts carry them."""
    return {"zh_CN": names.zh, "en": names.en}


def _price_source(sold: BasketLine) -> PriceSource:
    if sold.price_minor is not None:
        return PriceSource.MANUAL
    return PriceSource.LIST if sold.label_minor is None else PriceSource.CODED


def _discounts(line: LineQuote) -> tuple[LineDiscount, ...]:
    by_hand = (
        (LineDiscount(offer_id=HAND_DISCOUNT, amount=line.hand_minor),) if line.hand_minor else ()
    )
    by_offer = tuple(
        LineDiscount(
            offer_id=share.offer,
            amount=share.amount_minor,
            units=share.units,
            coupon_id=share.coupon,
        )
        for share in line.discounts
    )
    return (*by_hand, *by_offer)


def offers_applied(quote: Quote, programme: Programme) -> tuple[OfferApplied, ...]:
    """Each applied offer with the names the customer reads."""
    names = {offer.id: offer.names for offer in programme.offers}
    return tuple(
        OfferApplied(
            offer_id=total.offer,
            version=total.version,
            names=names_by_language(names[total.offer]),
            amount=total.amount_minor,
            coupon_id=CouponId(total.coupon) if total.coupon else None,
        )
        for total in quote.offers
    )


def tax_totals(quote: Quote, programme: Programme) -> tuple[TaxTotal, ...]:
    """The tax table: one row per class and rate; a class without rates has one row without tax."""
    rows: list[TaxTotal] = []
    for total in quote.taxes:
        rates = {r.id: r.rate_ppm for r in programme.tax_class(total.tax_class).rates}
        shares = [(share.component, share.amount_minor) for share in total.taxes] or [("", 0)]
        for component, tax in shares:
            rows.append(
                TaxTotal(
                    tax_class=total.tax_class,
                    component=component,
                    rate_ppm=rates.get(component, 0),
                    net=total.net_minor,
                    tax=tax,
                )
            )
    return tuple(rows)


def rules_earned(earning: EarningQuote, programme: Programme) -> tuple[RuleEarned, ...]:
    """Points by rule with their names; rules that gave nothing are left out."""
    names = {rule.id: rule.names for rule in programme.earning.rules}
    return tuple(
        RuleEarned(rule=one.rule, names=names_by_language(names[one.rule]), points=one.points)
        for one in earning.points
        if one.points
    )
