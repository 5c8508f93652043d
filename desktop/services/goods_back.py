"""What a return comes to: a function of the sale, what came back before, and the member now."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from desktop.services.basket import Pricing
from desktop.services.ticket import tier_after
from desktop.store.members import Member
from shared.errors import DomainError
from shared.ids import CouponId, EntryId, LotId
from shared.loyalty.lots import DEBT, Lot, claw_back
from shared.loyalty.returns import Paid, points_to_lots, split_refund
from shared.loyalty.wallet import Wallet, part_back
from shared.pricing.basket import BasketLine
from shared.pricing.cash import cash_refund, cash_rounding, settled_in_cash
from shared.pricing.coupons_kept import coupons_voided, voidable
from shared.pricing.engagement import CardsBack, cards_taken_back, referral_lost
from shared.pricing.return_lines import SoldBy, Wanted, lines_back
from shared.pricing.sale_lines import sale_lines, tax_totals
from shared.pricing.unreceipted import price_without_receipt
from shared.trade.fact import (
    CardTakenBack,
    LotDraw,
    MemberOutcome,
    PointsOutcome,
    ReferralTakenBack,
    TaxTotal,
    Tender,
    TenderKind,
)
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True)
class ReturnableSale:
    """A sale with what has come back of it so far."""

    entry_id: EntryId
    sold_at: datetime
    """On the store's wall."""
    sale: SaleCompleted
    returns: tuple[SaleReturned, ...]
    coupons_used: frozenset[CouponId] = frozenset()
    """Of those that it issued, at least once, by what this till knows."""
    coupons_used_up: frozenset[CouponId] = frozenset()
    """Of those that it issued, by what this till knows."""

    @property
    def sold_on(self) -> date:
        """The day of the sale."""
        return self.sold_at.date()

    def returned(self, line: int) -> int:
        """How much of a line has come back."""
        return sum(
            back.quantity for one in self.returns for back in one.lines if back.of_line == line
        )

    def left(self, line: SaleLine) -> int:
        """How much of a line can still come back; nothing of what the customer had handed in.

        Two tills that did not know of each other may have taken more back than there was.
        """
        return 0 if line.comes_in else max(0, line.quantity - self.returned(line.line))

    def line(self, number: int) -> SaleLine:
        """One line as sold; DomainError ``no-such-line``."""
        for line in self.sale.lines:
            if line.line == number:
                return line
        raise DomainError("no-such-line")


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


def receipted_return(
    sold: ReturnableSale,
    wanted: Sequence[Wanted],
    pricing: Pricing,
    member: Member | None,
    *,
    today: date,
    sold_by: SoldBy | None = None,
    referrer: Member | None = None,
    offline: bool = False,
) -> GoodsBack:
    """Each line's exact share of money, tax and points; the refund goes where money came from.

    Where the programme that the sale was ``sold_by`` says so, what is kept is priced again instead.
    Where the member is not known any more (erased), what points had paid is given back as money.
    """
    lines = lines_back(sold.sale, sold.returns, wanted, sold_by, is_forgotten=member is None)
    refund = _refund(lines, sold, pricing, is_forgotten=member is None)
    outcome, taken = None, tuple[LotDraw, ...]()
    cards, referral = _cards_back(lines, sold, sold_by), None
    if member is None:
        # Nobody has the stamps of whom is forgotten; the coupons are still out there.
        cards = CardsBack(coupons=cards.coupons)
    if member is not None and sold.sale.member is not None:
        referral = _referral_back(lines, sold, referrer, pricing, today)
        beside = cards.points + (referral.from_friend if referral else 0)
        outcome, taken = _claw_back(lines, beside, sold, refund, pricing, member, today)
        points = msgspec.structs.replace(outcome.points, offline=offline)
        outcome = msgspec.structs.replace(outcome, points=points)
    return GoodsBack(
        lines=tuple(lines),
        taxes=_taxes(lines, (*sold.sale.taxes, *_rows_of_gifts(lines, sold, sold_by))),
        total=sum(line.amount for line in lines),
        rounding=refund.rounding,
        refunds=refund.tenders,
        points_taken=taken,
        member=outcome,
        coupons_given_back=_given_back(lines, sold, pricing),
        coupons_voided=(
            *coupons_voided(sold.sale, sold.returns, lines, sold_by, sold.coupons_used_up),
            *cards.coupons,
        ),
        cards=cards.cards,
        referral=referral,
    )


def _cards_back(
    lines: Sequence[ReturnLine], sold: ReturnableSale, sold_by: SoldBy | None
) -> CardsBack:
    good = voidable(sold.sale, sold.returns, sold_by)
    free = {coupon for coupon, _offer in good} - sold.coupons_used
    return cards_taken_back(sold.sale, sold.returns, lines, free)


def _referral_back(
    lines: Sequence[ReturnLine],
    sold: ReturnableSale,
    referrer: Member | None,
    pricing: Pricing,
    today: date,
) -> ReferralTakenBack | None:
    """Both sides lose what the sale was worth to them, once too little of it is kept."""
    paid = referral_lost(sold.sale, sold.returns, lines)
    if paid is None:
        return None
    lots: tuple[LotDraw, ...] = ()
    if referrer is not None:
        lots = claw_back(
            referrer.lots,
            paid.for_referrer,
            of_sale=LotId(sold.entry_id),
            today=today,
            floor=pricing.programme.returns.points_floor,
        ).draws
    return ReferralTakenBack(referrer_id=paid.referrer_id, from_friend=paid.for_friend, lots=lots)


def _is_all_back(lines: Sequence[ReturnLine], sold: ReturnableSale) -> bool:
    """Whether nothing is kept of what was paid for."""
    now: Counter[int] = Counter()
    for back in lines:
        now[back.of_line] += back.quantity
    paid = [line for line in sold.sale.lines if not line.given_by]
    # Gifts may come back after everything else: that is not the end of the sale a second time.
    is_now = any(now[line.line] for line in paid)
    return is_now and all(sold.left(line) == now[line.line] for line in paid)


def _given_back(
    lines: Sequence[ReturnLine], sold: ReturnableSale, pricing: Pricing
) -> tuple[CouponId, ...]:
    """Coupons that the sale used, once all of it is back, as they say."""
    stays = {one.offer for one in pricing.programme.coupons if not one.goes_back}
    used = (
        one.coupon_id
        for one in sold.sale.offers
        if one.coupon_id is not None and one.offer_id not in stays
    )
    return tuple(dict.fromkeys(used)) if _is_all_back(lines, sold) else ()


@dataclass(frozen=True, slots=True)
class _Refunding:
    tenders: tuple[Tender, ...]
    rounding: int


def _refund(
    lines: Sequence[ReturnLine], sold: ReturnableSale, pricing: Pricing, *, is_forgotten: bool
) -> _Refunding:
    money = sum(line.amount - line.points_paid for line in lines)
    rounding = 0
    tenders: list[Tender] = []
    for refund in split_refund(money, _paid(sold, is_forgotten=is_forgotten)):
        amount = refund.amount
        if refund.tender is TenderKind.CASH:
            settled = settled_in_cash(sold.sale, sold.returns, is_forgotten=is_forgotten)
            due = cash_refund(amount, settled, pricing.programme)
            amount, rounding = due.due_minor, due.rounding_minor
        if not amount:
            continue
        tenders.append(
            Tender(
                tender=refund.tender,
                amount=amount,
                provider=refund.provider,
                attempt_id=refund.attempt_id,
                reference=refund.reference,
                bonus=_bonus_back(amount, sold) if refund.tender is TenderKind.STORED_VALUE else 0,
            )
        )
    points = _points_refund(lines, sold)
    return _Refunding((*tenders, *points), rounding)


def _bonus_back(amount: int, sold: ReturnableSale) -> int:
    """What of a refund to stored value goes back to the bonus that had paid."""
    own = [one for one in sold.sale.tenders if one.tender is TenderKind.STORED_VALUE]
    back = [
        one
        for returned in sold.returns
        for one in returned.refunds
        if one.tender is TenderKind.STORED_VALUE
    ]
    return part_back(_parts(own), _parts(back), amount, refunded=_parts(back).total + amount).bonus


def _parts(tenders: Sequence[Tender]) -> Wallet:
    """What tenders moved of principal and bonus."""
    bonus = sum(one.bonus for one in tenders)
    return Wallet(principal=sum(one.amount for one in tenders) - bonus, bonus=bonus)


def _paid(sold: ReturnableSale, *, is_forgotten: bool) -> list[Paid]:
    """Each way the sale was paid, tenders of one way together: two cards that nobody told apart.

    Whose member was erased has no stored value any more: that goes back in cash.
    """
    took: Counter[_Way] = Counter()
    for tender in sold.sale.tenders:
        took[_way(tender)] += tender.amount
    gave: Counter[_Way] = Counter()
    for refund in (refund for one in sold.returns for refund in one.refunds):
        gave[_way(refund)] += refund.amount
    return [
        Paid(
            tender=_way_back(way.tender, is_forgotten=is_forgotten),
            amount=amount,
            refunded=min(gave[way], amount),
            provider=way.provider,
            attempt_id=way.attempt_id,
            reference=way.reference,
        )
        for way, amount in took.items()
    ]


def _way_back(kind: TenderKind, *, is_forgotten: bool) -> TenderKind:
    is_lost = is_forgotten and kind is TenderKind.STORED_VALUE
    return TenderKind.CASH if is_lost else kind


class _Way(NamedTuple):
    tender: TenderKind
    provider: str
    attempt_id: str
    reference: str


def _way(tender: Tender) -> _Way:
    return _Way(tender.tender, tender.provider, tender.attempt_id, tender.reference)


def _points_refund(lines: Sequence[ReturnLine], sold: ReturnableSale) -> tuple[Tender, ...]:
    value = sum(line.points_paid for line in lines)
    points = sum(line.points_spent for line in lines)
    if not value and not points:
        return ()
    drawn = [draw for tender in sold.sale.tenders for draw in tender.lots]
    before = sum(back.points_spent for one in sold.returns for back in one.lines)
    lots = points_to_lots(points, drawn, before=before)
    return (Tender(tender=TenderKind.POINTS, amount=value, points=points, lots=lots),)


def _claw_back(
    lines: Sequence[ReturnLine],
    beside: int,
    sold: ReturnableSale,
    refund: _Refunding,
    pricing: Pricing,
    member: Member,
    today: date,
) -> tuple[MemberOutcome, tuple[LotDraw, ...]]:
    """Take earned points back, from the lots as they are once spent ones are given back.

    ``beside`` are those that no line has earned.
    """
    assert sold.sale.member is not None
    given = [draw for tender in refund.tenders for draw in tender.lots]
    claw = claw_back(
        _filled(member.lots, given),
        sum(line.points for line in lines) + beside,
        of_sale=LotId(sold.entry_id),
        today=today,
        floor=pricing.programme.returns.points_floor,
        forgiven_before=_forgiven(sold),
    )
    spend, growth = sum(line.spend for line in lines), sum(line.growth for line in lines)
    history = [
        replace(one, spend_minor=one.spend_minor - spend, growth=one.growth - growth)
        if one.sale == sold.entry_id
        else one
        for one in member.spending
    ]
    returned = sum(draw.points for draw in given)
    outcome = MemberOutcome(
        member_id=member.member_id,
        tier=member.tier,
        tier_after=tier_after(
            history, pricing.programme, today, member.points - claw.points + returned
        ),
        growth=-growth,
        spend=-spend,
        points=PointsOutcome(
            decimals=sold.sale.member.points.decimals,
            opening=member.points,
            earned=-claw.points,
            spent=-returned,
            closing=member.points - claw.points + returned,
            as_of=member.balance_as_of,
        ),
    )
    return outcome, claw.draws


def _forgiven(sold: ReturnableSale) -> int:
    """Points that earlier returns should have taken back and did not find."""
    due = sum(line.points for one in sold.returns for line in one.lines)
    due += sum(card.points for one in sold.returns for card in one.cards)
    due += sum(one.referral.from_friend for one in sold.returns if one.referral is not None)
    return max(0, due - sum(draw.points for one in sold.returns for draw in one.points_taken))


def _filled(lots: Iterable[Lot], given: Iterable[LotDraw]) -> list[Lot]:
    more = Counter({draw.lot: draw.points for draw in given})
    held = [replace(lot, points=lot.points + more.pop(lot.lot, 0)) for lot in lots]
    empty = [
        Lot(lot=lot, points=points, earned_on=date.min)
        for lot, points in more.items()
        if lot != DEBT
    ]
    return held + empty


def _rows_of_gifts(
    lines: Iterable[ReturnLine], sold: ReturnableSale, sold_by: SoldBy | None
) -> Iterator[TaxTotal]:
    """Rows for gifts that are charged and taxed as nothing that was sold."""
    if sold_by is None:
        return
    known = {row.tax_class for row in sold.sale.taxes}
    for name in sorted({line.tax_class for line in lines if line.taxes} - known):
        for rate in sold_by.programme.tax_class(name).rates:
            yield TaxTotal(tax_class=name, component=rate.id, rate_ppm=rate.rate_ppm, net=0, tax=0)


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


def unreceipted_return(lines: Sequence[BasketLine], pricing: Pricing, at: datetime) -> GoodsBack:
    """Goods without a receipt: today's list price without offers, in cash, nobody's points.

    Raises DomainError ``return-needs-receipt`` above what the programme allows.
    """
    programme = pricing.programme
    basket, quote = price_without_receipt(lines, programme, at=at, store=pricing.store_id)
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
