"""One case before the judge: the engine's quote against every lawful combination, and more."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import msgspec

from shared.catalogue.goods import Goods
from shared.ids import GoodsId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket, BasketLine
from shared.pricing.engine import price
from shared.pricing.quote import LineQuote, Quote, Reason, TaxClassTotal
from tests.judges.brute_force.cases import Case
from tests.judges.brute_force.lawful import Applied, Best, Offering
from tests.judges.brute_force.plain_lines import PlainLine, half_up


def objections(case: Case) -> Iterator[str]:
    """Everything that is wrong with the engine's answer to a case."""
    quote = price(case.basket, case.programme)
    offering = Offering(case.basket, case.programme)
    best = offering.best()
    yield from _of_price(quote, offering, best)
    yield from _of_sums(quote, offering)
    yield from _of_claims(quote, case.basket)
    yield from _of_order(quote, case)
    yield from _of_more_goods(case)


def lowest_total(case: Case) -> int:
    """What the basket costs by the judge's own reckoning, with levies."""
    offering = Offering(case.basket, case.programme)
    return offering.best().left + sum(line.levy for line in offering.lines)


def _of_price(quote: Quote, offering: Offering, best: Best) -> Iterator[str]:
    found = quote.total_minor - sum(line.levy for line in offering.lines)
    if not quote.is_best_price:
        yield "the search gave up on so few offers"
    if found != best.left:
        yield f"costs {found}, the lowest lawful price is {best.left}"
        return
    if found > (in_turn := offering.in_turn()):
        yield f"costs {found}, taking every offer in turn {in_turn}"
    told = _told(quote, offering)
    for way in best.ways:
        if _way(way) == told:
            given = offering.given(way)
            if _added(quote) == given:
                return
    if told in map(_way, best.ways):
        yield f"gives {_added(quote)} on top"
    else:
        yield f"no best way gives these shares: {sorted(told)}; {sorted(_way(best.ways[0]))}"


Share = tuple[str, str, int, int, int]


def _way(way: tuple[Applied, ...]) -> tuple[Share, ...]:
    """Offer, coupon, line, amount and units used of each share."""
    return tuple(
        sorted(
            (one.attempt.offer.id, one.attempt.coupon, line, amount, one.taken.units.get(line, 0))
            for one in way
            for line, amount in one.taken.amounts.items()
        )
    )


def _told(quote: Quote, offering: Offering) -> tuple[Share, ...]:
    place = {line.sold.id: number for number, line in enumerate(offering.lines)}
    return tuple(
        sorted(
            (share.offer, share.coupon or "", place[line.line], share.amount_minor, share.units)
            for line in quote.lines
            for share in line.discounts
        )
    )


def _added(quote: Quote) -> dict[tuple[str, str, str], int]:
    added: dict[tuple[str, str, str], int] = {}
    for one in quote.added:
        key = (one.offer, one.coupon or "", one.goods)
        added[key] = added.get(key, 0) + one.units
    return added


def _of_sums(quote: Quote, offering: Offering) -> Iterator[str]:
    """Lines, tax table and offers tell one story, and nothing is below zero."""
    if quote.total_minor != sum(line.pay_minor for line in quote.lines):
        yield "the lines do not sum to the total"
    for total in quote.offers:
        if total.amount_minor <= 0:
            yield f"offer {total.offer} applies and gives nothing"
    known = {line.sold.id: line for line in offering.lines}
    for line in quote.lines:
        yield from _of_line(line, known[line.line])
    for row in quote.taxes:
        own = [line for line in quote.lines if line.tax_class == row.tax_class]
        yield from _of_class(row, own, known[own[0].line])


def _of_line(line: LineQuote, plain: PlainLine) -> Iterator[str]:
    off = sum(share.amount_minor for share in line.discounts)
    parts = (line.net_minor, line.taxed_minor, line.hand_minor, off)
    if min(parts) < 0 or any(share.amount_minor < 0 for share in line.taxes):
        yield f"line {line.line} falls below zero"
    if (line.gross_minor, line.gross_minor - line.hand_minor) != (plain.gross, plain.listed):
        yield f"line {line.line} begins with {line.gross_minor}, not {plain.gross}"
    if line.taxed_minor != plain.listed - off or line.levy_minor != plain.levy:
        yield f"line {line.line} does not add up"
    if line.pay_minor != line.taxed_minor + line.levy_minor:
        yield f"line {line.line} asks for something else than it says"


def _of_class(row: TaxClassTotal, own: list[LineQuote], plain: PlainLine) -> Iterator[str]:
    taxed = sum(line.taxed_minor for line in own)
    tax = half_up(*(taxed * (1 - plain.net)).as_integer_ratio())
    if row.taxed_minor != taxed or row.net_minor != sum(line.net_minor for line in own):
        yield f"class {row.tax_class} is not the sum of its lines"
    if row.net_minor + tax != taxed:
        yield f"class {row.tax_class} taxes {taxed} with {taxed - row.net_minor}, not {tax}"


def _of_claims(quote: Quote, basket: Basket) -> Iterator[str]:
    """Each claim is used or given back with a reason; no more points are spent than there are."""
    told = {one.coupon: one.reason for one in quote.explanations if one.coupon}
    for claim in basket.claims:
        used = claim.instance in quote.coupons_used
        if claim.instance not in told:
            yield f"nothing is said about coupon {claim.instance}"
        elif used and not any(
            one.coupon == claim.instance and one.reason is Reason.APPLIED
            for one in quote.explanations
        ):
            yield f"coupon {claim.instance} is spent in silence"
    if quote.reward_points > (basket.member.points if basket.member else 0):
        yield "rewards cost more points than there are"


def _of_order(quote: Quote, case: Case) -> Iterator[str]:
    """The same bytes again; the same answer in another order, from a programme read anew."""
    if msgspec.json.encode(price(case.basket, case.programme)) != msgspec.json.encode(quote):
        yield "priced twice, two answers"
    random = Random(case.seed)

    def shuffled(things: tuple) -> tuple:
        return tuple(random.sample(things, len(things)))

    basket = case.basket
    other = replace(
        basket,
        lines=shuffled(basket.lines),
        claims=shuffled(basket.claims),
        rewards=shuffled(basket.rewards),
        gifts=shuffled(basket.gifts),
        uses=shuffled(basket.uses),
    )
    read_anew = msgspec.json.decode(msgspec.json.encode(case.programme), type=Programme)
    again = price(other, read_anew)
    by_id = {line.line: line for line in again.lines}
    back = replace(
        again,
        lines=tuple(by_id[line.line] for line in quote.lines),
        earning=quote.earning,
    )
    if msgspec.json.encode(back) != msgspec.json.encode(quote):
        yield "the order of lines or claims matters"
    if again.earning.points_total != quote.earning.points_total:
        yield "the order of lines matters for points"


def _of_more_goods(case: Case) -> Iterator[str]:
    """Goods that no offer names, and more of what is there, make nothing dearer than its price."""
    first = case.basket.lines[0]
    stranger = Goods(
        sku=GoodsId("Z"), name_zh="Z", name_en="Z", tax_class="none", list_price_minor=777
    )
    more = (
        BasketLine(id="more", goods=stranger, units=2),
        replace(first, id="again", discount=None, price_minor=None),
    )
    grown = replace(case.basket, lines=(*case.basket.lines, *more))
    bare = msgspec.structs.replace(case.programme, offers=(), coupons=())
    without = {line.line: line.pay_minor for line in price(grown, bare).lines}
    for line in price(grown, case.programme).lines:
        if line.pay_minor > without[line.line]:
            yield f"line {line.line} is dearer with offers than without"
