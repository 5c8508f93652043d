"""The price engine: one pure function from a basket and a programme to a quote."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.loyalty.conditions import Spend
from shared.loyalty.effects import PercentOff
from shared.loyalty.offers import GroupMode, Offer, Phase
from shared.loyalty.programme import Programme, TaxClass
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.claims import Claiming, claiming
from shared.pricing.conditions import hindrance
from shared.pricing.earning import earn
from shared.pricing.effects import Candidate, OfferLine
from shared.pricing.explaining import explain_candidates
from shared.pricing.quote import (
    ComponentShare,
    Explanation,
    LineDiscount,
    LineQuote,
    OfferTotal,
    Quote,
    Reason,
    TaxClassTotal,
)
from shared.pricing.search import Choice, best_choice
from shared.pricing.tax import (
    included_amounts,
    included_levy,
    line_levies,
    rate_shares,
    split_class,
)

ENGINE: Final = "1"
"""Named by every sale: the same basket, programme and engine give the same quote for ever."""
BASKET_PERCENTAGES: Final = "\x00basket-percentages"
"""The group of whole-basket percentages that name none; no document can spell it."""


def price(basket: Basket, programme: Programme) -> Quote:
    """Price a basket: offers by best price, tax per class, shares per line, points.

    The answer does not depend on the order of lines or claims. Raises DomainError
    ``unknown-tax-class`` for goods of a class that the programme does not have.
    """
    order = sorted(range(len(basket.lines)), key=lambda index: _canonical(basket.lines[index]))
    ringing = _ring_up([basket.lines[index] for index in order], programme)
    claims = claiming(basket.claims, programme)
    candidates, hindered = _candidates(basket, ringing, programme, claims)
    offer_lines = [
        OfferLine(line.goods.sku, line.units, gross - hand)
        for line, gross, hand in zip(ringing.lines, ringing.gross, ringing.hand, strict=True)
    ]
    choice = best_choice(candidates, offer_lines)
    explained = explain_candidates(candidates, offer_lines, choice)
    told = (*explained, *hindered, *claims.refused)
    explanations = tuple(sorted(told, key=_told_order))
    return _quote(basket, programme, ringing, order, choice=choice, explanations=explanations)


@dataclass(frozen=True, slots=True)
class _Ringing:
    """Lines in canonical order with their tax-included amounts."""

    lines: list[BasketLine]
    classes: list[TaxClass]
    gross: list[int]
    hand: list[int]


def _canonical(line: BasketLine) -> tuple[str, int, int, bool, int, str]:
    """What orders lines: what they are, and their id only where they are the same."""
    hand = line.hand_discount(line.shelf_minor)
    return line.goods.sku, line.shelf_minor, line.quantity, line.is_manual, hand, line.id


def _told_order(told: Explanation) -> tuple[bool, str, str]:
    return told.reason is not Reason.APPLIED, told.offer, told.coupon or ""


def _ring_up(lines: list[BasketLine], programme: Programme) -> _Ringing:
    by_id = {known.id: known for known in programme.tax_classes}
    classes = [
        by_id.get(line.goods.tax_class) or programme.tax_class(line.goods.tax_class)
        for line in lines
    ]
    gross = [0] * len(lines)
    for tax_class, positions in _by_class(classes):
        shelf = [
            max(0, lines[i].shelf_minor - included_levy(tax_class, lines[i].units))
            for i in positions
        ]
        for index, amount in zip(positions, included_amounts(tax_class, shelf), strict=True):
            gross[index] = amount
    hand = [line.hand_discount(amount) for line, amount in zip(lines, gross, strict=True)]
    return _Ringing(lines, classes, gross, hand)


def _by_class(classes: Sequence[TaxClass]) -> list[tuple[TaxClass, list[int]]]:
    positions: dict[str, tuple[TaxClass, list[int]]] = {}
    for index, tax_class in enumerate(classes):
        positions.setdefault(tax_class.id, (tax_class, []))[1].append(index)
    return [positions[name] for name in sorted(positions)]


def _candidates(
    basket: Basket, ringing: _Ringing, programme: Programme, claims: Claiming
) -> tuple[list[Candidate], list[Explanation]]:
    """Offers that may apply, in order of id, and why others cannot."""
    modes = {group.id: group.mode for group in programme.groups}
    candidates: list[Candidate] = []
    hindered: list[Explanation] = []
    for offer in sorted(programme.offers, key=lambda offer: offer.id):
        for coupon in claims.of_offer(offer):
            reason = hindrance(offer.conditions, basket)
            lines = () if reason else _goods_of(offer, ringing)
            if lines:
                group = offer.group or _default_group(offer)
                mode = modes.get(group, GroupMode.ONE if group else GroupMode.CHAIN)
                spends = _thresholds(offer, ringing, lines)
                candidates.append(Candidate(offer, lines, spends, group, mode, coupon))
            elif coupon or reason is Reason.MEMBERS_ONLY:
                told = reason or Reason.NO_GOODS
                hindered.append(Explanation(offer=offer.id, reason=told, coupon=coupon))
    return candidates, hindered


def _default_group(offer: Offer) -> str:
    is_basket = offer.works_in is Phase.BASKET and offer.goods.is_everything
    return BASKET_PERCENTAGES if is_basket and isinstance(offer.effect, PercentOff) else ""


def _goods_of(offer: Offer, ringing: _Ringing) -> tuple[int, ...]:
    return tuple(
        index
        for index, line in enumerate(ringing.lines)
        if not line.goods.no_discount
        and (offer.on_manual_prices or not line.is_manual)
        and offer.goods.contains(line.goods)
    )


def _thresholds(
    offer: Offer, ringing: _Ringing, own: tuple[int, ...]
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    return tuple(
        (
            condition.minimum_minor,
            own
            if condition.goods is None
            else tuple(
                index
                for index, line in enumerate(ringing.lines)
                if not line.goods.no_discount and condition.goods.contains(line.goods)
            ),
        )
        for condition in offer.conditions
        if isinstance(condition, Spend)
    )


def _quote(
    basket: Basket,
    programme: Programme,
    ringing: _Ringing,
    order: list[int],
    *,
    choice: Choice,
    explanations: tuple[Explanation, ...],
) -> Quote:
    discounts: list[list[LineDiscount]] = [[] for _ in order]
    for taking in choice.takings:
        offer, coupon = taking.candidate.offer, taking.candidate.coupon
        for index, amount in taking.amounts.items():
            units = taking.units.get(index, 0)
            share = LineDiscount(offer.id, offer.version, amount, units, coupon)
            discounts[index].append(share)
    quoted, taxes = _tax(ringing, [tuple(shares) for shares in discounts])
    lines = [quote for _, quote in sorted(zip(order, quoted, strict=True), key=lambda p: p[0])]
    offers = tuple(
        OfferTotal(t.candidate.offer.id, t.candidate.offer.version, t.total, t.candidate.coupon)
        for t in choice.takings
    )
    return Quote(
        engine=ENGINE,
        currency=programme.currency,
        lines=tuple(lines),
        offers=offers,
        taxes=taxes,
        total_minor=sum(line.pay_minor for line in lines),
        saved_minor=sum(offer.amount_minor for offer in offers) + sum(ringing.hand),
        explanations=explanations,
        earning=earn(basket, lines, programme),
        is_best_price=choice.is_proved,
    )


def _tax(
    ringing: _Ringing, discounts: list[tuple[LineDiscount, ...]]
) -> tuple[list[LineQuote], tuple[TaxClassTotal, ...]]:
    """Finished lines in canonical order, and the tax table."""
    quoted: dict[int, LineQuote] = {}
    totals: list[TaxClassTotal] = []
    for tax_class, positions in _by_class(ringing.classes):
        taxed = [
            ringing.gross[i] - ringing.hand[i] - sum(d.amount_minor for d in discounts[i])
            for i in positions
        ]
        split = split_class(tax_class, taxed)
        levies = [line_levies(tax_class, ringing.lines[i].units) for i in positions]
        for place, i in enumerate(positions):
            line = ringing.lines[i]
            quoted[i] = LineQuote(
                line=line.id,
                goods=line.goods.sku,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                gross_minor=ringing.gross[i],
                hand_minor=ringing.hand[i],
                discounts=discounts[i],
                tax_class=tax_class.id,
                net_minor=split.line_nets[place],
                taxes=rate_shares(tax_class.rates, split.line_taxes[place]),
                levies=levies[place],
                pay_minor=taxed[place] + sum(share.amount_minor for share in levies[place]),
            )
        totals.append(
            TaxClassTotal(
                tax_class=tax_class.id,
                taxed_minor=sum(taxed),
                net_minor=split.net,
                taxes=rate_shares(tax_class.rates, split.taxes),
                levies=_levy_totals(levies),
            )
        )
    return [quoted[index] for index in range(len(quoted))], tuple(totals)


def _levy_totals(levies: Sequence[tuple[ComponentShare, ...]]) -> tuple[ComponentShare, ...]:
    totals: dict[str, int] = {}
    for share in (share for shares in levies for share in shares):
        totals[share.component] = totals.get(share.component, 0) + share.amount_minor
    return tuple(ComponentShare(component, amount) for component, amount in totals.items())
