"""The fact of a sale from a priced basket and its tenders: only copying, nothing is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from shared.catalogue.goods import Goods
from shared.ids import GoodsId, LotId, OperatorId, ShiftId, StoreId, TillId
from shared.loyalty.programme import Programme
from shared.pricing.basket import Basket
from shared.pricing.known import known_before
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import THIS_SALE, PointsPayment
from shared.pricing.sale_lines import (
    basket_discount,
    given_lines,
    offers_applied,
    rules_earned,
    sale_lines,
    tax_totals,
)
from shared.trade.fact import (
    BundleRef,
    MemberOutcome,
    PointsOutcome,
    RuleEarned,
    Tender,
)
from shared.trade.ticket import SaleCompleted

NO_ARTICLES: Mapping[str, Goods] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleTicket:
    """Where, by whom and under which programme a sale is written."""

    receipt_no: str
    ticket_id: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    programme: BundleRef


def sale_fact(
    ticket: SaleTicket,
    priced: tuple[Basket, Quote, EarningQuote],
    programme: Programme,
    *,
    tenders: tuple[Tender, ...],
    rounding: int = 0,
    payment: PointsPayment | None = None,
    member: MemberOutcome | None = None,
    articles: Mapping[str, Goods] = NO_ARTICLES,
    barcodes: Sequence[str] = (),
) -> SaleCompleted:
    """The sale as it is priced and paid, without what it gives beside what its goods earn.

    ``articles`` are those that offers give on top, by SKU; ``barcodes`` what was scanned, by line.
    ``rounding`` is what cash was rounded by, in minor units.
    """
    basket, quote, earning = priced
    return SaleCompleted(
        receipt_no=ticket.receipt_no,
        ticket_id=ticket.ticket_id,
        store_id=ticket.store_id,
        till_id=ticket.till_id,
        shift_id=ticket.shift_id,
        operator_id=ticket.operator_id,
        currency=quote.currency,
        programme=ticket.programme,
        engine=quote.engine,
        lines=(
            *sale_lines(basket, quote, payment=payment, earning=earning, barcodes=barcodes),
            *given_lines(quote, articles),
        ),
        offers=offers_applied(quote, programme, articles),
        discount=basket_discount(basket, quote),
        taxes=tax_totals(quote, programme),
        total=quote.total_minor,
        rounding=rounding,
        tenders=tenders,
        member=member,
        known=known_before(basket, programme),
    )


def articles_given(
    quote: Quote, known: Mapping[str, Goods], programme: Programme
) -> dict[str, Goods]:
    """What offers give on top, by SKU; what is not among the ``known`` goods has no price."""
    return {
        one.goods: known.get(one.goods)
        or Goods(
            sku=GoodsId(one.goods),
            name_zh=one.goods,
            name_en=one.goods,
            tax_class=programme.tax_classes[0].id,
            list_price_minor=0,
        )
        for one in quote.added
        if one.goods
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """The member of a sale as the books know them at this moment; points are smallest units."""

    member_id: str
    tier: str
    points: int
    as_of: str
    """Since when the points are true."""
    offline: bool = False


def member_outcome(
    buyer: Buyer,
    programme: Programme,
    earning: EarningQuote,
    *,
    spent: int,
    beside: Sequence[RuleEarned] = (),
) -> MemberOutcome:
    """What a sale does to its member, whose tier stays.

    ``beside`` is what they get beside what its goods earn.
    """
    by_rule = (*rules_earned(earning, programme), *beside)
    earned = sum(one.points for one in by_rule)
    return MemberOutcome(
        member_id=buyer.member_id,
        tier=buyer.tier,
        tier_after=buyer.tier,
        growth=earning.growth_total,
        spend=earning.spend_minor,
        points=PointsOutcome(
            decimals=programme.points.decimals,
            opening=buyer.points,
            earned=earned,
            spent=spent,
            closing=buyer.points + earned - spent,
            as_of=buyer.as_of,
            offline=buyer.offline,
            by_rule=by_rule,
        ),
    )


def own_lot_named(tenders: Sequence[Tender], sale: str) -> tuple[Tender, ...]:
    """Points of the running sale are drawn from the lot that it makes."""
    own = {THIS_SALE: LotId(sale)}
    return tuple(
        replace(
            tender,
            lots=tuple(replace(one, lot=own.get(one.lot, one.lot)) for one in tender.lots),
        )
        if any(one.lot == THIS_SALE for one in tender.lots)
        else tender
        for tender in tenders
    )
