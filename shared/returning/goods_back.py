"""What a return comes to: a function of the sale, what came back before, and the member now."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import date, datetime

import msgspec

from shared.ids import CouponId, OperatorId, ShiftId, StoreId, TillId
from shared.loyalty.programme import Programme
from shared.pricing.basket import BasketLine
from shared.pricing.cash import cash_rounding
from shared.pricing.engine import ENGINE
from shared.pricing.sale_lines import sale_lines, tax_totals
from shared.returning.coupons_kept import coupons_given_back, coupons_voided, voidable
from shared.returning.engagement import CardsBack, cards_taken_back
from shared.returning.grace import with_grace
from shared.returning.lines import SoldBy, Wanted, lines_back
from shared.returning.members import Taking
from shared.returning.refunds import refunding
from shared.returning.sold import MemberNow, ReturnableSale
from shared.returning.unreceipted import price_without_receipt
from shared.returning.without_goods import amount_back
from shared.trade.fact import (
    Approval,
    BundleRef,
    CardTakenBack,
    LotDraw,
    MemberOutcome,
    ReferralTakenBack,
    TaxTotal,
    Tender,
    TenderKind,
)
from shared.trade.ticket import ReturnLine, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnTicket:
    """Where, by whom and of what a return is written, and why."""

    receipt_no: str
    ticket_id: str
    store_id: StoreId
    till_id: TillId
    shift_id: ShiftId
    operator_id: OperatorId
    currency: str
    programme: BundleRef
    """Of the day of the return."""
    original: ReturnableSale | None
    reason: str
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsBack:
    """The outcome of a return, ready to be written."""

    lines: tuple[ReturnLine, ...]
    taxes: tuple[TaxTotal, ...]
    total: int
    rounding: int
    refunds: tuple[Tender, ...]
    points_taken: tuple[LotDraw, ...] = ()
    member: MemberOutcome | None = None
    coupons_given_back: tuple[CouponId, ...] = ()
    coupons_voided: tuple[CouponId, ...] = ()
    cards: tuple[CardTakenBack, ...] = ()
    referral: ReferralTakenBack | None = None

    @property
    def money(self) -> int:
        """What goes back otherwise than as points."""
        return self.total - sum(line.points_paid for line in self.lines)

    def fact(self, ticket: ReturnTicket) -> SaleReturned:
        """The fact of it."""
        return SaleReturned(
            receipt_no=ticket.receipt_no,
            ticket_id=ticket.ticket_id,
            store_id=ticket.store_id,
            till_id=ticket.till_id,
            shift_id=ticket.shift_id,
            operator_id=ticket.operator_id,
            currency=ticket.currency,
            programme=ticket.programme,
            engine=ENGINE,
            original=ticket.original.entry_id if ticket.original else None,
            original_receipt_no=ticket.original.sale.receipt_no if ticket.original else "",
            lines=self.lines,
            taxes=self.taxes,
            total=self.total,
            rounding=self.rounding,
            refunds=self.refunds,
            points_taken=self.points_taken,
            member=self.member,
            coupons_given_back=self.coupons_given_back,
            coupons_voided=self.coupons_voided,
            cards=self.cards,
            referral=self.referral,
            reason=ticket.reason,
            approvals=ticket.approvals,
        )


@dataclass(frozen=True, slots=True)
class TakingBack:
    """Goods of a sale, or money without goods, taken back on a day from who bought them.

    ``programme`` is that of the day: it rounds cash, floors points and gives the tier. Where the
    programme that the sale was ``sold_by`` says so, what is kept is priced again. A ``member`` who
    is not known any more (erased) is None: what points had paid is then given back as money.
    """

    sold: ReturnableSale
    programme: Programme
    member: MemberNow | None
    _: KW_ONLY
    today: date
    sold_by: SoldBy | None = None
    referrer: MemberNow | None = None
    """Who was paid for having brought the member."""
    offline: bool = False
    set_off: int = 0
    """Money that pays for other goods on the same ticket, and is not paid out."""

    def of_goods(self, wanted: Sequence[Wanted]) -> GoodsBack:
        """Units, or grams. Raises what ``lines_back`` raises."""
        sale, returns = self.sold.sale, self.sold.returns
        return self._of(
            lines_back(sale, returns, wanted, self.sold_by, is_forgotten=self.member is None)
        )

    def of_amount(self, amount: int) -> GoodsBack:
        """Money without goods. Raises what ``amount_back`` raises."""
        return self._of(amount_back(self.sold.sale, self.sold.returns, amount))

    def _of(self, lines: Sequence[ReturnLine]) -> GoodsBack:
        sold, sale, returns = self.sold, self.sold.sale, self.sold.returns
        refund = refunding(
            lines, sold, self.programme, is_forgotten=self.member is None, set_off=self.set_off
        )
        voided = coupons_voided(sale, returns, lines, self.sold_by, sold.coupons_used_up)
        cards = self._cards(lines)
        refunds = with_grace(
            refund.tenders,
            sold,
            self.member.lots if self.member else (),
            today=self.today,
            expiry=self.programme.expiry,
        )
        # Nobody has the stamps of whom is forgotten; the coupons are still out there.
        back = GoodsBack(
            lines=tuple(lines),
            taxes=_taxes(lines, (*sale.taxes, *self._rows_of_gifts(lines))),
            total=sum(line.amount for line in lines),
            rounding=refund.rounding,
            refunds=refunds,
            coupons_given_back=coupons_given_back(
                sale, returns, lines, self.sold_by.programme if self.sold_by else self.programme
            ),
            coupons_voided=(*voided, *cards.coupons),
            cards=() if self.member is None else cards.cards,
        )
        if self.member is None or sale.member is None:
            return back
        return self._with_member(back, self.member)

    def _cards(self, lines: Sequence[ReturnLine]) -> CardsBack:
        sold = self.sold
        good = voidable(sold.sale, sold.returns, self.sold_by)
        free = {coupon for coupon, _offer in good} - sold.coupons_used
        return cards_taken_back(sold.sale, sold.returns, lines, free)

    def _with_member(self, back: GoodsBack, member: MemberNow) -> GoodsBack:
        taking = Taking(self.sold, self.programme, self.today)
        referrer = self.referrer
        referral = taking.referral(back.lines, referrer.lots if referrer else None)
        beside = sum(card.points for card in back.cards)
        beside += referral.from_friend if referral else 0
        taken = taking.from_member(back.lines, beside, back.refunds, member)
        if referrer is not None and referrer.person == member.person:
            # Two who were merged since: what is taken twice is not there twice.
            referral = taking.referral(back.lines, taken.lots)
        points = msgspec.structs.replace(taken.outcome.points, offline=self.offline)
        outcome = msgspec.structs.replace(taken.outcome, points=points)
        return replace(back, member=outcome, points_taken=taken.draws, referral=referral)

    def _rows_of_gifts(self, lines: Iterable[ReturnLine]) -> Iterator[TaxTotal]:
        """Rows for gifts that are charged and taxed as nothing that was sold."""
        if self.sold_by is None:
            return
        known = {row.tax_class for row in self.sold.sale.taxes}
        for name in sorted({line.tax_class for line in lines if line.taxes} - known):
            for rate in self.sold_by.programme.tax_class(name).rates:
                yield TaxTotal(
                    tax_class=name, component=rate.id, rate_ppm=rate.rate_ppm, net=0, tax=0
                )


def _taxes(lines: Iterable[ReturnLine], sold: Iterable[TaxTotal]) -> tuple[TaxTotal, ...]:
    """The tax table of what came back, at the rates it was sold with."""
    taxes: Counter[tuple[str, str]] = Counter()
    nets: Counter[str] = Counter()
    for line in lines:
        nets[line.tax_class] += line.amount - line.levy - sum(tax.tax for tax in line.taxes)
        for tax in line.taxes:
            taxes[line.tax_class, tax.component] += tax.tax
    return tuple(
        msgspec.structs.replace(
            row, net=nets[row.tax_class], tax=taxes[row.tax_class, row.component]
        )
        for row in sold
        if (row.tax_class, row.component) in taxes
    )


def unreceipted_return(
    lines: Sequence[BasketLine],
    programme: Programme,
    *,
    at: datetime,
    store: StoreId,
    given_today: int = 0,
) -> GoodsBack:
    """Goods without a receipt: today's list price without offers, in cash, nobody's points.

    Raises what ``price_without_receipt`` raises; ``given_today`` as there.
    """
    basket, quote = price_without_receipt(
        lines, programme, at=at, store=store, given_today=given_today
    )
    due = cash_rounding(quote.total_minor, programme)
    return GoodsBack(
        lines=tuple(_unreceipted_line(line) for line in sale_lines(basket, quote)),
        taxes=tax_totals(quote, programme),
        total=quote.total_minor,
        rounding=due.rounding_minor,
        refunds=(Tender(tender=TenderKind.CASH, amount=due.due_minor),),
    )


def _unreceipted_line(line: SaleLine) -> ReturnLine:
    return ReturnLine(
        line=line.line,
        of_line=0,
        goods_id=line.goods_id,
        names=line.names,
        quantity=line.quantity,
        measure=line.measure,
        amount=line.amount,
        tax_class=line.tax_class,
        taxes=line.taxes,
        levy=line.levy,
    )
