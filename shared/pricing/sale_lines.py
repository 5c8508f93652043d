"""From a quote to the lines, offers and tax table of the fact that records it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from shared.catalogue.goods import Goods, SoldBy
from shared.ids import CouponId
from shared.loyalty.document import Names
from shared.loyalty.programme import Programme
from shared.pricing.after_offers import BY_HAND
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.quote import AddedUnits, EarningQuote, IssuedCoupons, LineQuote, Quote
from shared.pricing.redemption import PointsPayment
from shared.shares import largest_remainder
from shared.trade.fact import (
    BasketDiscount,
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
"""The offer id under which a hand-typed discount on a line stands in a fact."""
BASKET_DISCOUNT: Final = "manual-basket"
"""The offer id under which a line's share of one on the whole basket does."""
HAND_DISCOUNTS: Final = frozenset({HAND_DISCOUNT, BASKET_DISCOUNT})


def sale_lines(
    basket: Basket,
    quote: Quote,
    *,
    payment: PointsPayment | None = None,
    earning: EarningQuote | None = None,
    barcodes: Sequence[str] = (),
) -> tuple[SaleLine, ...]:
    """Every line with everything decided about it, numbered as in the basket.

    ``earning`` is what the sale earns where that is neither the quote's nor the payment's.
    """
    if earning is None:
        earning = quote.earning if payment is None else payment.earning
    codes = barcodes or [""] * len(basket.lines)
    rewards = reward_points(quote)
    return tuple(
        msgspec.structs.replace(sold, points_spent=sold.points_spent + rewards[number])
        for number, sold in enumerate(
            _sale_line(number, basket.lines[number], line, earning, payment, codes[number])
            for number, line in enumerate(quote.lines)
        )
    )


def reward_points(quote: Quote) -> list[int]:
    """What rewards cost in points, by line: by what they took off it.

    A reward that took nothing off (a coupon) belongs to all lines; one that gave goods to those.
    """
    points = [0] * len(quote.lines)
    costs: Counter[str] = Counter()
    for total in quote.offers:
        costs[total.offer] += total.points
    for offer, cost in costs.items():
        if cost:
            weights = [_taken_by(offer, line) for line in quote.lines]
            points = [a + b for a, b in zip(points, largest_remainder(cost, weights), strict=True)]
    issued = sum(one.points for one in quote.issued)
    if issued and points:
        weights = [max(0, line.pay_minor) for line in quote.lines]
        points = [a + b for a, b in zip(points, largest_remainder(issued, weights), strict=True)]
    return points


def _taken_by(offer: str, line: LineQuote) -> int:
    return sum(one.amount_minor for one in line.discounts if one.offer == offer)


def given_lines(quote: Quote, articles: Mapping[str, Goods]) -> tuple[SaleLine, ...]:
    """What offers gave on top, as lines at 0 after those that were rung up.

    ``articles`` are the goods by SKU. A gift that nobody has chosen is not given.
    """
    given = (one for one in quote.added if one.goods)
    return tuple(
        _given_line(len(quote.lines) + number, one, articles[one.goods])
        for number, one in enumerate(given, start=1)
    )


def _given_line(number: int, given: AddedUnits, goods: Goods) -> SaleLine:
    worth = goods.list_price_minor * given.units
    discount = LineDiscount(
        offer_id=given.offer, amount=worth, units=given.units, coupon_id=given.coupon
    )
    return SaleLine(
        line=number,
        goods_id=goods.sku,
        names=goods_names(goods),
        quantity=given.units,
        list_price=goods.list_price_minor,
        unit_price=goods.list_price_minor,
        gross=worth,
        discounts=(discount,),
        amount=0,
        tax_class=goods.tax_class,
        points_spent=given.points,
        given_by=given.offer,
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
        comes_in=sold.comes_in,
        batch=sold.batch,
    )


def goods_names(goods: Goods) -> dict[str, str]:
    """Names by language code, as facts carry them."""
    return {"zh_CN": goods.name_zh or goods.name_en, "en": goods.name_en or goods.name_zh}


def goods_total(basket: Basket, quote: Quote) -> int:
    """What the goods cost, before anything is set off that the customer hands in."""
    lines = zip(basket.lines, quote.lines, strict=True)
    return sum(quoted.pay_minor for line, quoted in lines if not line.comes_in)


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
            offer_id=name_in_fact(share.offer),
            amount=share.amount_minor,
            units=share.units,
            coupon_id=share.coupon,
        )
        for share in line.discounts
    )
    return (*by_hand, *by_offer)


def name_in_fact(offer: str) -> str:
    """How a fact names what took a share off a line beside the line's own hand discount."""
    return BASKET_DISCOUNT if offer == BY_HAND else offer


def basket_discount(basket: Basket, quote: Quote) -> BasketDiscount | None:
    """The discount typed by hand on the whole basket, with what it took off."""
    hand = basket.discount
    if hand is None:
        return None
    shares = (one for line in quote.lines for one in line.discounts if one.offer == BY_HAND)
    return BasketDiscount(
        basis_points=hand.basis_points,
        amount=hand.amount_minor,
        taken=sum(one.amount_minor for one in shares),
        approval_id=hand.approval,
    )


def offers_applied(
    quote: Quote, programme: Programme, articles: Mapping[str, Goods] | None = None
) -> tuple[OfferApplied, ...]:
    """Each applied offer with the names the customer reads; ``articles`` are those it gave."""
    names = {offer.id: offer.names for offer in programme.offers}
    applied = [
        OfferApplied(
            offer_id=total.offer,
            version=total.version,
            names=names_by_language(names.get(total.offer, programme.points.names)),
            amount=total.amount_minor,
            coupon_id=CouponId(total.coupon) if total.coupon else None,
        )
        for total in quote.offers
    ]
    applied += [
        OfferApplied(
            offer_id=given.offer,
            version=given.version,
            names=names_by_language(names[given.offer]),
            amount=worth,
            coupon_id=coupon,
        )
        for given, coupon, worth in _beside_the_price(quote, articles or {})
    ]
    return tuple(applied)


def offers_used(quote: Quote) -> Counter[str]:
    """How often each offer was used, as limits count it and ``offers_applied`` tells it."""
    used = Counter(total.offer for total in quote.offers)
    used.update(given[0].offer for given in _uses(one for one in quote.added if one.goods))
    used.update(issued.offer for issued in quote.issued)
    return used


def _beside_the_price(
    quote: Quote, articles: Mapping[str, Goods]
) -> Iterator[tuple[AddedUnits | IssuedCoupons, CouponId | None, int]]:
    """What was given or issued, by which coupon, and what it is worth."""
    for used in _uses(one for one in quote.added if one.goods):
        worth = sum(articles[one.goods].list_price_minor * one.units for one in used)
        yield used[0], used[0].coupon, worth
    for issued in quote.issued:
        yield issued, issued.claimed_by, 0


def _uses(added: Iterable[AddedUnits]) -> list[list[AddedUnits]]:
    """What was given together: one use of an offer may give several articles."""
    uses: list[list[AddedUnits]] = []
    for one in added:
        last = uses[-1][0] if uses else None
        is_same = last is not None and (last.offer, last.coupon) == (one.offer, one.coupon)
        if is_same and not one.points:
            uses[-1].append(one)
        else:
            uses.append([one])
    return uses


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
