"""From a priced basket and its tenders to the fact of a sale: only copying, nothing is decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from desktop.services.basket import BasketState, Pricing
from desktop.store.members import Member
from shared.catalogue.goods import SoldBy
from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.language import Language
from shared.loyalty.calendar import last_day
from shared.loyalty.document import Names
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending, standing
from shared.pricing.basket import BasketLine
from shared.pricing.quote import EarningQuote, LineQuote, Quote
from shared.pricing.redemption import PointsPayment
from shared.trade.fact import (
    LineDiscount,
    LineTax,
    Measure,
    MemberOutcome,
    OfferApplied,
    PointsOutcome,
    PriceSource,
    RuleEarned,
    TaxTotal,
    Tender,
)
from shared.trade.ticket import SaleCompleted, SaleLine

MANUAL_OFFER = "manual"
"""The offer id under which a hand-typed discount stands in a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPlace:
    """Where and by whom a ticket is written."""

    receipt_no: str
    ticket_id: str
    entry_id: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    today: date
    as_of: str
    """Since when the member's opening balance is true."""
    offline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a basket was paid."""

    tenders: tuple[Tender, ...]
    rounding: int
    points: PointsPayment | None = None


def sale_fact(
    place: TicketPlace,
    pricing: Pricing,
    state: BasketState,
    quote: Quote,
    settled: Settled,
    member: Member | None,
) -> SaleCompleted:
    """The sale with all its outcomes; ``member`` as the books know them at this moment."""
    earning = settled.points.earning if settled.points else quote.earning
    barcodes = dict(state.barcodes)
    return SaleCompleted(
        receipt_no=place.receipt_no,
        ticket_id=place.ticket_id,
        store_id=place.store_id,
        till_id=place.till_id,
        shift_id=place.shift_id,
        operator_id=place.operator_id,
        currency=quote.currency,
        programme=pricing.ref,
        engine=quote.engine,
        hold_id=state.hold_id,
        lines=tuple(
            _line(number, line, quoted, earning, settled.points, barcodes.get(line.id, ""))
            for number, (line, quoted) in enumerate(
                zip(state.lines, quote.lines, strict=True), start=1
            )
        ),
        offers=tuple(
            OfferApplied(
                offer_id=offer.offer,
                version=offer.version,
                names=_offer_names(pricing.programme, offer.offer),
                amount=offer.amount_minor,
                coupon_id=offer.coupon,
            )
            for offer in quote.offers
        ),
        taxes=tax_table(pricing.programme, quote),
        total=quote.total_minor,
        rounding=settled.rounding,
        tenders=settled.tenders,
        member=_member(place, pricing.programme, settled, earning, member) if member else None,
        approvals=state.approvals,
    )


def _line(
    number: int,
    line: BasketLine,
    quoted: LineQuote,
    earning: EarningQuote,
    points: PointsPayment | None,
    barcode: str,
) -> SaleLine:
    index = number - 1
    return SaleLine(
        line=number,
        goods_id=line.goods.sku,
        names=goods_names(line),
        barcode=barcode,
        quantity=line.quantity,
        measure=Measure.GRAM if line.goods.sold_by is SoldBy.WEIGHT else Measure.PIECE,
        list_price=line.goods.list_price_minor,
        unit_price=quoted.unit_price_minor,
        price_source=_price_source(line),
        gross=quoted.gross_minor,
        discounts=_discounts(quoted),
        amount=quoted.pay_minor,
        tax_class=quoted.tax_class,
        taxes=tuple(LineTax(component=tax.component, tax=tax.amount_minor) for tax in quoted.taxes),
        levy=quoted.levy_minor,
        points=earning.line_points[index],
        growth=earning.line_growth[index],
        spend=earning.line_spend[index],
        points_paid=points.line_values[index] if points else 0,
        points_spent=points.line_points[index] if points else 0,
    )


def goods_names(line: BasketLine) -> dict[str, str]:
    """The article's names by language, for paper in any of them later."""
    return {language.value: line.goods.name(language) for language in Language}


def _price_source(line: BasketLine) -> PriceSource:
    if line.price_minor is not None:
        return PriceSource.MANUAL
    return PriceSource.LIST if line.label_minor is None else PriceSource.CODED


def _discounts(quoted: LineQuote) -> tuple[LineDiscount, ...]:
    by_offer = tuple(
        LineDiscount(offer_id=one.offer, amount=one.amount_minor, units=one.units)
        for one in quoted.discounts
    )
    if not quoted.hand_minor:
        return by_offer
    return (LineDiscount(offer_id=MANUAL_OFFER, amount=quoted.hand_minor), *by_offer)


def tax_table(programme: Programme, quote: Quote) -> tuple[TaxTotal, ...]:
    """One row per class and component."""
    rows: list[TaxTotal] = []
    for total in quote.taxes:
        rates = {rate.id: rate.rate_ppm for rate in programme.tax_class(total.tax_class).rates}
        rows += [
            TaxTotal(
                tax_class=total.tax_class,
                component=tax.component,
                rate_ppm=rates[tax.component],
                net=total.net_minor,
                tax=tax.amount_minor,
            )
            for tax in total.taxes
        ]
    return tuple(rows)


def names_of(names: Names) -> dict[str, str]:
    """A programme's names by language."""
    return {language.value: names.get(language) for language in Language}


def _offer_names(programme: Programme, offer_id: str) -> dict[str, str]:
    return next(names_of(offer.names) for offer in programme.offers if offer.id == offer_id)


def _member(
    place: TicketPlace,
    programme: Programme,
    settled: Settled,
    earning: EarningQuote,
    member: Member,
) -> MemberOutcome:
    spent = settled.points.points if settled.points else 0
    earned = earning.points_total
    lapses = last_day(place.today, programme.expiry) if earned else None
    sale = Spending(
        sale=place.entry_id,
        day=place.today,
        spend_minor=earning.spend_minor,
        growth=earning.growth_total,
    )
    names = {rule.id: names_of(rule.names) for rule in programme.earning.rules}
    return MemberOutcome(
        member_id=member.member_id,
        tier=member.tier,
        tier_after=tier_after((*member.spending, sale), programme, place.today),
        growth=earning.growth_total,
        spend=earning.spend_minor,
        points=PointsOutcome(
            decimals=programme.points.decimals,
            opening=member.points,
            earned=earned,
            spent=spent,
            closing=member.points + earned - spent,
            as_of=place.as_of,
            offline=place.offline,
            expires_on=lapses.isoformat() if lapses else None,
            by_rule=tuple(
                RuleEarned(rule=rule.rule, names=names[rule.rule], points=rule.points)
                for rule in earning.points
            ),
        ),
    )


def tier_after(history: Sequence[Spending], programme: Programme, today: date) -> str:
    """The tier a history of spending gives on a day."""
    return standing(history, programme.tiers, today).tier


def lots_hold(lots: Sequence[Lot], payment: PointsPayment) -> bool:
    """Whether the lots a payment draws on still hold what it draws."""
    held = {lot.lot: lot.points for lot in lots}
    return all(held.get(one.lot, 0) >= one.points for one in payment.draws)
