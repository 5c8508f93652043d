"""The fact of a sale at a till: what was priced and paid, and what the sale gives beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from desktop.services.basket import BasketState, Pricing
from desktop.services.giving import Given, given_beside
from desktop.store.members import Member
from shared.catalogue.goods import Goods
from shared.ids import OperatorId, ShiftId, StoreId, TillId
from shared.loyalty.calendar import last_day
from shared.loyalty.lots import Lot
from shared.loyalty.member_now import points_now, standing_with
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending
from shared.pricing import sale_fact as sale_facts
from shared.pricing.basket import Basket
from shared.pricing.paid_by_bonus import earning_of
from shared.pricing.quote import EarningQuote, Quote
from shared.pricing.redemption import THIS_SALE, PointsPayment
from shared.pricing.sale_fact import Buyer, SaleTicket, member_outcome, own_lot_named
from shared.trade.fact import MemberOutcome, Tender
from shared.trade.ticket import SaleCompleted


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
    reward_points: int = 0
    """What rewards cost; the last of the tenders draws them, for no money."""
    articles: Mapping[str, Goods] = field(default_factory=dict)
    """What offers give on top, by SKU."""


def sale_fact(
    place: TicketPlace,
    pricing: Pricing,
    state: BasketState,
    priced: tuple[Basket, Quote],
    settled: Settled,
    member: Member | None,
    referrer: Member | None = None,
    coupon_key: bytes = b"",
) -> SaleCompleted:
    """The sale with all its outcomes; ``member`` as the books know them at this moment.

    ``referrer`` is who is to be paid for having brought them. ``coupon_key`` seals the codes of
    coupons that it issues.
    """
    basket, quote = priced
    bonus = sum(tender.bonus for tender in settled.tenders)
    earning = earning_of(basket, quote, pricing.programme, settled.points, bonus)
    given = given_beside(
        priced,
        pricing.programme,
        member,
        referrer,
        coupon_key=coupon_key,
        entry_id=place.entry_id,
        today=place.today,
    )
    buyer = (member, basket.member.tier) if member and basket.member else None
    barcodes = dict(state.barcodes)
    fact = sale_facts.sale_fact(
        SaleTicket(
            receipt_no=place.receipt_no,
            ticket_id=place.ticket_id,
            store_id=place.store_id,
            till_id=place.till_id,
            shift_id=place.shift_id,
            operator_id=place.operator_id,
            programme=pricing.ref,
        ),
        (basket, quote, earning),
        pricing.programme,
        tenders=own_lot_named(settled.tenders, place.entry_id),
        rounding=settled.rounding,
        payment=settled.points,
        member=_outcome(place, pricing.programme, settled, earning, buyer, given)
        if buyer
        else None,
        articles=settled.articles,
        barcodes=[barcodes.get(line.id, "") for line in state.lines],
    )
    return msgspec.structs.replace(
        fact,
        hold_id=state.hold_id,
        approvals=state.approvals,
        coupons_issued=given.coupons,
        cards=given.cards,
        referral=given.referral,
        seen=state.seen,
    )


def _outcome(
    place: TicketPlace,
    programme: Programme,
    settled: Settled,
    earning: EarningQuote,
    bought_by: tuple[Member, str],
    given: Given,
) -> MemberOutcome:
    """``bought_by`` is the member as known now, and the tier that the basket was priced with."""
    member, tier = bought_by
    buyer = Buyer(
        member_id=member.member_id,
        tier=tier,
        points=points_now(member, programme, place.today),
        as_of=place.as_of,
        offline=place.offline,
    )
    spent = (settled.points.points if settled.points else 0) + settled.reward_points
    outcome = member_outcome(buyer, programme, earning, spent=spent, beside=given.points)
    sale = Spending(
        sale=place.entry_id,
        day=place.today,
        spend_minor=outcome.spend,
        growth=outcome.growth,
    )
    points, history = outcome.points, (*member.spending, sale)
    lapses = last_day(place.today, programme.expiry) if points.earned else None
    return msgspec.structs.replace(
        outcome,
        tier_after=standing_with(
            member, programme, place.today, points=points.closing, spending=history
        ).tier,
        points=msgspec.structs.replace(points, expires_on=lapses.isoformat() if lapses else None),
    )


def lots_hold(lots: Sequence[Lot], payment: PointsPayment) -> bool:
    """Whether the lots a payment draws on still hold what it draws."""
    held = {lot.lot: lot.points for lot in lots}
    held[THIS_SALE] = payment.earning.points_total
    return all(held.get(one.lot, 0) >= one.points for one in payment.draws)
