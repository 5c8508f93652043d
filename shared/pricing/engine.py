"""The price engine: one pure function from a basket and a programme to a quote."""

from collections.abc import Sequence
from typing import Final

from shared.loyalty.programme import Programme, TaxClass
from shared.pricing.additions import Additions, additions_of
from shared.pricing.after_offers import (
    BY_HAND,
    further_discounts,
    line_discounts,
    within_reach,
)
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.candidates import candidates_of
from shared.pricing.claims import claiming, points_missing
from shared.pricing.dividing import best_division
from shared.pricing.earning import earn
from shared.pricing.effects import Candidate, OfferLine, Taking
from shared.pricing.explaining import Course, explain_candidates
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
from shared.pricing.ringing import Ringing, canonical_order, ring_up
from shared.pricing.rulebook import rulebook
from shared.pricing.search import Choice, SearchMemory, best_choice
from shared.pricing.tax import line_levies, rate_shares, split_class

ENGINE: Final = "5"
"""Named by every sale: the same basket, programme and engine give the same quote for ever."""


def price(
    basket: Basket,
    programme: Programme,
    memory: SearchMemory | None = None,
    *,
    refunded_minor: int = 0,
    tells_all: bool = False,
) -> Quote:
    """Price a basket: offers by best price, tax per class, shares per line, points.

    The answer does not depend on the order of lines or claims, nor on ``memory``, which makes the
    next pricing of much the same basket quicker: it solves again only what a scan changed.
    ``refunded_minor`` is what was given back of a sale without goods: it lowers what gifts and
    coupons are measured by. ``tells_all`` says of every offer with goods in the basket why it does
    not apply, also where nobody at a till could do something about it. Raises DomainError
    ``unknown-tax-class`` for goods of a class that the programme does not have.
    """
    order = canonical_order(basket)
    ringing = ring_up(basket, order, programme)
    claims = claiming(basket, programme)
    candidates = candidates_of(basket, ringing, programme, claims, tells_all=tells_all)
    lines = ringing.offer_lines
    if memory is not None:
        memory.open(programme)
    division = best_division(
        candidates.discounts,
        claims.points,
        lambda some: _choice(some, lines, ringing, memory),
    )
    choice, course = division.choice, Course(lines, division.choice)
    points = claims.points - sum(one.candidate.offer.costs_points for one in choice.takings)
    given = additions_of(
        candidates.additions,
        course,
        basket,
        points=points,
        personal=rulebook(programme).personal,
        refunded_minor=refunded_minor,
    )
    missing = points_missing(claims, programme, division.short | given.short, points - given.points)
    short = {one.offer for one in missing}
    told = (
        *(
            one
            for one in explain_candidates(candidates.discounts, course)
            if one.offer not in short or one.reason is not Reason.BETTER_WITHOUT
        ),
        *given.told,
        *candidates.hindered,
        *claims.refused,
        *missing,
    )
    return _quote(
        basket,
        programme,
        ringing,
        order,
        course=course,
        is_best_price=choice.is_proved,
        given=given,
        explanations=tuple(sorted(told, key=_told_order)),
    )


def _choice(
    candidates: Sequence[Candidate],
    lines: Sequence[OfferLine],
    ringing: Ringing,
    memory: SearchMemory | None,
) -> Choice:
    """The best choice, let in as far as there is room.

    A claim for which no room is left is given back: it must not have changed which offers apply.
    """
    best = best_choice(candidates, lines, memory)
    choice = within_reach(best, ringing)
    used = {id(taking.candidate) for taking in choice.takings}
    idle = {
        id(one.candidate)
        for one in best.takings
        if one.candidate.is_claimed and id(one.candidate) not in used
    }
    if not idle:
        return choice
    return _choice([one for one in candidates if id(one) not in idle], lines, ringing, memory)


def _told_order(told: Explanation) -> tuple[bool, str, str]:
    return told.reason is not Reason.APPLIED, told.offer, told.coupon or ""


def _quote(
    basket: Basket,
    programme: Programme,
    ringing: Ringing,
    order: list[int],
    *,
    course: Course,
    is_best_price: bool,
    given: Additions,
    explanations: tuple[Explanation, ...],
) -> Quote:
    left = list(course.end.remaining)
    further = further_discounts(basket, programme, ringing, left)
    for _, amounts in further:
        for index, amount in amounts.items():
            left[index] -= amount
    taxed = [amount - back for amount, back in zip(left, ringing.back, strict=True)]
    quoted, taxes = _tax(ringing, line_discounts(course.takings, further, len(order)), taxed)
    lines = [quote for _, quote in sorted(zip(order, quoted, strict=True), key=lambda p: p[0])]
    offers = (
        *map(_total, course.takings),
        *(total for total, _ in further if total.offer != BY_HAND),
    )
    by_hand = sum(total.amount_minor for total, _ in further if total.offer == BY_HAND)
    return Quote(
        engine=ENGINE,
        currency=programme.currency,
        lines=tuple(lines),
        offers=offers,
        taxes=taxes,
        total_minor=sum(line.pay_minor for line in lines),
        saved_minor=sum(offer.amount_minor for offer in offers) + sum(ringing.hand) + by_hand,
        explanations=explanations,
        earning=earn(basket, lines, programme),
        is_best_price=is_best_price,
        added=tuple(given.added),
        issued=tuple(given.issued),
    )


def _total(taking: Taking) -> OfferTotal:
    offer = taking.candidate.offer
    return OfferTotal(
        offer.id, offer.version, taking.total, taking.candidate.coupon, offer.costs_points
    )


def _tax(
    ringing: Ringing, discounts: list[tuple[LineDiscount, ...]], left: Sequence[int]
) -> tuple[list[LineQuote], tuple[TaxClassTotal, ...]]:
    """Finished lines in canonical order, and the tax table; ``left`` is what is taxed of each."""
    quoted: dict[int, LineQuote] = {}
    totals: list[TaxClassTotal] = []
    for tax_class, positions in ringing.by_class:
        taxed, rates = [left[i] for i in positions], tax_class.rates
        split = split_class(tax_class, taxed)
        levies: list[tuple[ComponentShare, ...]] = [()] * len(positions)
        if tax_class.levies:
            levies = [_levies(tax_class, ringing.lines[i]) for i in positions]
        one_rate = rates[0].id if len(rates) == 1 else ""
        for i, paid, net, own, levied in zip(
            positions, taxed, split.line_nets, split.line_taxes, levies, strict=True
        ):
            line = ringing.lines[i]
            quoted[i] = LineQuote(
                line=line.id,
                goods=line.goods.sku,
                quantity=line.quantity,
                unit_price_minor=line.unit_price_minor,
                gross_minor=ringing.gross[i] - ringing.back[i],
                hand_minor=ringing.hand[i],
                discounts=discounts[i],
                tax_class=tax_class.id,
                net_minor=net,
                taxes=(ComponentShare(one_rate, own[0]),) if one_rate else rate_shares(rates, own),
                levies=levied,
                pay_minor=paid + _sum_of(levied),
            )
        totals.append(
            TaxClassTotal(
                tax_class=tax_class.id,
                taxed_minor=sum(taxed),
                net_minor=split.net,
                taxes=rate_shares(rates, split.taxes),
                levies=_levy_totals(levies),
            )
        )
    return [quoted[index] for index in range(len(quoted))], tuple(totals)


def _sum_of(shares: Sequence[ComponentShare]) -> int:
    return sum([share.amount_minor for share in shares]) if shares else 0


def _levies(tax_class: TaxClass, line: BasketLine) -> tuple[ComponentShare, ...]:
    return line_levies(tax_class, -line.units if line.comes_in else line.units)


def _levy_totals(levies: Sequence[tuple[ComponentShare, ...]]) -> tuple[ComponentShare, ...]:
    totals: dict[str, int] = {}
    for share in (share for shares in levies for share in shares):
        totals[share.component] = totals.get(share.component, 0) + share.amount_minor
    return tuple(ComponentShare(component, amount) for component, amount in totals.items())
