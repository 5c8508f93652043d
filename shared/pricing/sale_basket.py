"""From the fact of a sale back to the basket that was priced, and what a second pricing finds."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.catalogue.goods import Goods, SoldBy
from shared.errors import DomainError
from shared.ids import CouponId
from shared.loyalty.offers import Coupon, mixed_gifts
from shared.loyalty.programme import Programme, Treatment
from shared.pricing.basket import (
    Basket,
    BasketLine,
    CouponClaim,
    HandDiscount,
    PlannedTender,
    PointsOff,
    RewardClaim,
)
from shared.pricing.cash import handed_over, in_cash
from shared.pricing.claims import as_issued, claims_on
from shared.pricing.earning import earn
from shared.pricing.engagement import given_too_much, points_beside
from shared.pricing.engine import ENGINE, price
from shared.pricing.known import is_told, member_of, uses_before
from shared.pricing.paid_by_bonus import covers, earned_beside
from shared.pricing.quote import Quote
from shared.pricing.rulebook import rulebook
from shared.pricing.sale_lines import HAND_DISCOUNT, name_in_fact
from shared.pricing.tender_rules import tender_name
from shared.trade.fact import CouponIssued, Measure, PriceSource
from shared.trade.ticket import SaleCompleted, SaleLine

MINUTES_BEFORE: Final = (0, 10)
"""A basket is priced when it is changed, some minutes before the sale is complete."""


class Unjudged(StrEnum):
    """Why a sale or a return cannot be priced again from its fact."""

    UNREADABLE = "unreadable"
    """It is in quarantine, because this release cannot read it."""
    OTHER_ENGINE = "other-engine"
    """Another version of the engine priced it."""
    UNKNOWN_PROGRAMME = "unknown-programme"
    """Nobody published the programme that it names."""
    UNKNOWN_GOODS = "unknown-goods"
    """The catalogue does not know all of its goods, or their tax class."""
    NOT_TOLD = "not-told"
    """Its programme asks for visits, birthdays or uses, and its fact says nothing of them."""
    NO_RECEIPT = "no-receipt"
    """A return that names no sale: prices of its day stand nowhere."""
    UNKNOWN_SALE = "unknown-sale"
    """A return whose sale has not arrived; it is judged when the sale is there."""
    RETURNED_TWICE = "returned-twice"
    """A return of more than was sold, which is an exception of its own."""


class Measured(StrEnum):
    """What differs; the words are ``web.account.audit-<value>``."""

    TOTAL = "total"
    """What was to be paid, or given back."""
    TAX = "tax"
    """The tax in it."""
    POINTS = "points"
    """Points earned, or not taken back."""
    OFFERS = "offers"
    """What offers took off, where the total agrees."""
    GROWTH = "growth"
    """Growth that a return should have taken back."""
    SPEND = "spend"
    """Spend towards tiers that a return should have taken back."""
    POINTS_BACK = "points-back"
    """Points that a return gave back."""
    MONEY = "money"
    """What a return gave back as money instead of points."""
    ROUNDING = "rounding"
    """Cash rounding: paid on top of the total, or given on top of what goes back."""
    COUPONS = "coupons"
    """Coupons that no full card gives, or that are still good though what is kept would not have
    issued them."""
    PREPAID_TAX = "prepaid-tax"
    """Tax that was due when a gift card was sold."""
    STAMPS = "stamps"
    """Stamps on visit cards."""
    LINES = "lines"
    """How a return is spread over the lines of its sale, where all sums agree."""


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much something is more than it should be; of a return, what the customer keeps."""

    measured: Measured
    amount: int


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a coupon that a sale used: as it was issued, and to which member."""

    issued: CouponIssued
    member: str = ""


NOT_ISSUED: Final[Mapping[str, Known]] = MappingProxyType({})


def judge(
    sale: SaleCompleted,
    at: datetime,
    programme: Programme,
    goods: Mapping[str, Goods],
    coupons: Mapping[str, Known] = NOT_ISSUED,
) -> list[Difference] | Unjudged:
    """Price a sale again; ``at`` is the time on its fact, ``goods`` the articles by SKU.

    No difference where it agrees at the time of the sale, or a little before. Of ``coupons`` that
    are known those do not count that are not of their days, or of another member.
    """
    if sale.engine != ENGINE:
        return Unjudged.OTHER_ENGINE
    if not is_told(sale, programme):
        return Unjudged.NOT_TOLD
    if any(line.goods_id not in goods for line in sale.lines):
        return Unjudged.UNKNOWN_GOODS
    basket = sale_basket(sale, at, programme, goods)
    claims = [_as_known(claim, coupons, programme) for claim in basket.claims]
    buyer = sale.member.member_id if sale.member else ""
    found: list[Difference] = []
    for minutes in MINUTES_BEFORE:
        then = basket.at - timedelta(minutes=minutes)
        earlier = replace(basket, at=then, claims=claims_on(claims, buyer, then.date()))
        try:
            found = _differences(sale, earlier, price(earlier, programme), programme)
        except DomainError:
            return Unjudged.UNKNOWN_GOODS
        if not found:
            break
    return found


def _as_known(
    claim: CouponClaim, coupons: Mapping[str, Known], programme: Programme
) -> CouponClaim:
    known = coupons.get(claim.instance)
    if known is None:
        return claim
    is_personal = claim.coupon in rulebook(programme).personal
    return as_issued(claim, known.issued, known.member if is_personal else "")


def sale_basket(
    sale: SaleCompleted, at: datetime, programme: Programme, goods: Mapping[str, Goods]
) -> Basket:
    """The basket of a sale: its own prices and claims, the goods' marks from the catalogue.

    A discount typed by hand that took nothing off leaves no trace in a fact, and is missing here.
    """
    rewards = {offer.id for offer in programme.offers if offer.is_reward}
    mixed = mixed_gifts(programme.offers)
    claimed = Counter(one.offer_id for one in sale.offers if one.offer_id in rewards)
    return Basket(
        lines=tuple(_line(line, goods[line.goods_id]) for line in _rung_up(sale)),
        at=at,
        store=sale.store_id,
        till=sale.till_id,
        member=member_of(sale),
        claims=tuple(_claims(sale, programme)),
        rewards=tuple(RewardClaim(offer, times) for offer, times in claimed.items()),
        gifts=tuple(
            (line.given_by, line.goods_id)
            for line in sale.lines
            if line.given_by
            for _ in range(line.quantity if line.given_by in mixed else 1)
        ),
        discount=hand_discount(sale),
        points_off=_points_off(sale, programme),
        paying=_paying(sale),
        uses=uses_before(sale),
    )


def _claims(sale: SaleCompleted, programme: Programme) -> Iterator[CouponClaim]:
    """The codes of a sale; of several coupons for one offer each stands for as many as it may."""
    left = {
        offer: [one.id for one in coupons for _ in range(one.per_sale)]
        for offer, coupons in _coupons_by_offer(programme).items()
    }
    codes = {one.coupon_id: one.offer_id for one in sale.offers if one.coupon_id is not None}
    for code, offer in codes.items():
        may = left.get(offer, [])
        coupon = may.pop(0) if len(may) > 1 else may[0] if may else offer
        yield CouponClaim(coupon, CouponId(code))


def _coupons_by_offer(programme: Programme) -> dict[str, list[Coupon]]:
    found: dict[str, list[Coupon]] = {}
    for coupon in programme.coupons:
        found.setdefault(coupon.offer, []).append(coupon)
    return found


def _rung_up(sale: SaleCompleted) -> list[SaleLine]:
    return [line for line in sale.lines if not line.given_by]


def _paying(sale: SaleCompleted) -> tuple[PlannedTender, ...]:
    """An offer may ask for a tender that pays everything: tills plan with one and no other."""
    kinds = [one.tender for one in sale.tenders if one.amount]
    return (PlannedTender(tender=tender_name(kinds[0])),) if len(kinds) == 1 else ()


def hand_discount(sale: SaleCompleted) -> HandDiscount | None:
    """What was typed on the whole basket."""
    hand = sale.discount
    if hand is None:
        return None
    return HandDiscount(basis_points=hand.basis_points, amount_minor=hand.amount)


def _points_off(sale: SaleCompleted, programme: Programme) -> PointsOff | None:
    """Points that lowered the price stand among the offers under their rule."""
    lowering = {
        rule.id for rule in programme.redemptions if rule.treatment is Treatment.PRICE_REDUCTION
    }
    for one in sale.offers:
        if one.offer_id in lowering:
            return PointsOff(one.offer_id, 0, one.amount)
    return None


def _line(line: SaleLine, goods: Goods) -> BasketLine:
    by_hand = sum(one.amount for one in line.discounts if one.offer_id == HAND_DISCOUNT)
    source = line.price_source
    is_weighed = line.measure is Measure.GRAM
    return BasketLine(
        id=str(line.line),
        goods=replace(
            goods,
            list_price_minor=line.list_price,
            tax_class=line.tax_class,
            sold_by=SoldBy.WEIGHT if is_weighed else SoldBy.UNIT,
        ),
        units=0 if is_weighed else line.quantity,
        grams=line.quantity if is_weighed else 0,
        price_minor=line.unit_price if source is PriceSource.MANUAL else None,
        label_minor=abs(line.gross + line.levy) if source is PriceSource.CODED else None,
        discount=HandDiscount(amount_minor=by_hand) if by_hand else None,
        comes_in=line.comes_in,
    )


def _differences(
    sale: SaleCompleted, basket: Basket, quote: Quote, programme: Programme
) -> list[Difference]:
    tax = sum(share.tax for line in sale.lines for share in line.taxes)
    right_tax = sum(share.amount_minor for line in quote.lines for share in line.taxes)
    beside = given_too_much(sale, basket, quote, programme)
    points = _points(sale) - points_beside(sale)
    found = {
        Measured.TOTAL: sale.total - quote.total_minor,
        Measured.TAX: tax - right_tax,
        Measured.POINTS: points - _right_points(sale, basket, quote, programme) + beside.points,
        Measured.STAMPS: beside.stamps,
        Measured.COUPONS: _issued_beyond(sale, quote, programme) + beside.coupons,
        Measured.ROUNDING: sale.rounding - _right_rounding(sale, programme),
    }
    differences = [Difference(what, amount) for what, amount in found.items() if amount]
    if not differences and _shares(sale) != _right_shares(quote):
        taken = sum(one.amount for one in sale.offers)
        right = sum(one.amount_minor for one in quote.offers)
        differences.append(Difference(Measured.OFFERS, taken - right))
    return differences


def _issued_beyond(sale: SaleCompleted, quote: Quote, programme: Programme) -> int:
    """Coupons that no offer gives here, beside those of full visit cards."""
    claimed = {coupon.id: coupon.offer for coupon in programme.coupons}
    of_cards = {coupon for card in sale.cards for coupon in card.coupons}
    issued = Counter(one.offer_id for one in sale.coupons_issued if one.coupon_id not in of_cards)
    for one in quote.issued:
        issued[claimed[one.coupon]] -= one.units
    return issued.total()


def _right_rounding(sale: SaleCompleted, programme: Programme) -> int:
    """None where cash pays the rest to the cent, or nothing of it."""
    handed = handed_over(sale.tenders)
    rest = handed.rest(sale.total)
    if not handed.moves_cash or not handed.due(sale.total):
        return 0
    return in_cash(rest, programme) - rest


def _points(sale: SaleCompleted) -> int:
    return sale.member.points.earned if sale.member else 0


def _right_points(sale: SaleCompleted, basket: Basket, quote: Quote, programme: Programme) -> int:
    """What the sale earns, knowing what points paid of each line, and bonus in all."""
    paid = [line.points_paid for line in _rung_up(sale)]
    bonus = sum(one.bonus for one in sale.tenders)
    if covers(programme, bonus):
        return earned_beside(basket, quote, programme, paid, bonus).points_total
    if not any(paid) or any(rule.running_sale for rule in programme.redemptions):
        return quote.earning.points_total
    return earn(basket, quote.lines, programme, paid).points_total


Shares = Counter[tuple[str, int, int, str]]
"""What each offer took off lines that are alike: which of them has the odd cent does not matter.

What an offer gave on top counts as one.
"""


def _shares(sale: SaleCompleted) -> Shares:
    shares: Shares = Counter()
    for line in sale.lines:
        for one in line.discounts:
            if line.given_by:
                shares[line.goods_id, line.quantity, 0, one.offer_id] += 1
            elif one.offer_id != HAND_DISCOUNT:
                shares[line.goods_id, line.quantity, line.gross, one.offer_id] += one.amount
    return shares


def _right_shares(quote: Quote) -> Shares:
    shares: Shares = Counter()
    for line in quote.lines:
        for one in line.discounts:
            offer = name_in_fact(one.offer)
            shares[line.goods, line.quantity, line.gross_minor, offer] += one.amount_minor
    for given in quote.added:
        if given.goods:
            shares[given.goods, given.units, 0, given.offer] += 1
    return shares
