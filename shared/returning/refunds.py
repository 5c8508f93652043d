"""Where the money of a return goes: back to what had paid, cash last, points to their lots."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.loyalty.prepaid_tax import TaxTable, tax_given_back
from shared.loyalty.programme import Programme
from shared.loyalty.returns import Paid, points_to_lots, split_refund
from shared.loyalty.wallet import Wallet, part_back
from shared.pricing.cash import CashSettled, cash_refund, cash_rounding, settled_in_cash
from shared.returning.history import bought, lines_of
from shared.returning.rewards import drawn
from shared.returning.sold import ReturnableSale
from shared.trade.fact import Tender, TenderKind
from shared.trade.ticket import ReturnLine, SaleCompleted, SaleLine, SaleReturned


@dataclass(frozen=True, slots=True)
class Refunding:
    """What is paid out, and the rounding of what of it is cash."""

    tenders: tuple[Tender, ...]
    rounding: int


def refunding(
    lines: Sequence[ReturnLine],
    sold: ReturnableSale,
    programme: Programme,
    *,
    is_forgotten: bool,
    set_off: int = 0,
) -> Refunding:
    """Money goes where it came from; ``set_off`` of it pays for other goods and stays.

    Cash is rounded as ``programme`` says. What a sale took more than it cost, because the change of
    a voucher was rounded, goes back with the last of its money.
    """
    money = _money(lines) - set_off
    rounding = over = _rounded_up(lines, sold)
    tenders: list[Tender] = []
    for refund in split_refund(money + over, _paid(sold, is_forgotten=is_forgotten)):
        amount = refund.amount
        if refund.tender is TenderKind.CASH:
            settled = _settled_in_cash(sold, programme, is_forgotten=is_forgotten)
            due = cash_refund(amount, settled, programme)
            amount, rounding = due.due_minor, over + due.rounding_minor
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
                prepaid=prepaid_back(
                    sold.sale, sold.returns, refund.reference, amount, sold.set_off
                )
                if refund.tender is TenderKind.GIFT_CARD
                else (),
            )
        )
    return Refunding((*tenders, *_points_back(lines, sold)), rounding)


def _rounded_up(lines: Sequence[ReturnLine], sold: ReturnableSale) -> int:
    """What other tenders than cash took too much, where these lines bring the last money back."""
    took_cash = sum(one.amount for one in sold.sale.tenders if one.tender is TenderKind.CASH)
    over = sold.sale.rounding - max(0, took_cash)
    if over <= 0:
        return 0
    whole = _money(bought(sold.sale))
    before = _money(lines_of(sold.returns))
    return over if before < whole <= before + _money(lines) else 0


def _money(lines: Iterable[ReturnLine | SaleLine]) -> int:
    """What was not paid with points."""
    return sum(line.amount - line.points_paid for line in lines)


def set_off_by(sold: ReturnableSale, amount: int) -> tuple[Tender, ...]:
    """Whose money it is that pays for other goods: of each way to pay in turn what is left of it.

    Those that had paid for other goods before stand among them.
    """
    found = list(sold.set_off)
    for one in _paid(sold, is_forgotten=False):
        part = min(amount, one.amount - one.refunded)
        if part > 0 and one.tender is not TenderKind.POINTS:
            found.append(
                Tender(
                    tender=one.tender,
                    amount=part,
                    provider=one.provider,
                    attempt_id=one.attempt_id,
                    reference=one.reference,
                )
            )
            amount -= part
    return tuple(found)


def _settled_in_cash(
    sold: ReturnableSale, programme: Programme, *, is_forgotten: bool
) -> CashSettled:
    settled = settled_in_cash(sold.sale, sold.returns, is_forgotten=is_forgotten)
    gone = sum(one.amount for one in sold.set_off if one.tender is TenderKind.CASH)
    if not gone:
        return settled
    due = max(0, settled.due - gone)
    # What is left to be paid out is what the drawer can pay.
    return CashSettled(
        due=due,
        paid=cash_rounding(due, programme).due_minor,
        due_back=settled.due_back,
        paid_back=settled.paid_back,
    )


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


def prepaid_back(
    sale: SaleCompleted,
    returns: Iterable[SaleReturned],
    card: str,
    amount: int,
    set_off: Iterable[Tender] = (),
) -> TaxTable:
    """The tax table of a refund to a card; empty for one that was not taxed when it was sold."""
    own = [one for one in sale.tenders if _is_of(one, card)]
    if not any(one.prepaid for one in own):
        return ()
    back = [one for returned in returns for one in returned.refunds if _is_of(one, card)]
    back += [one for one in set_off if _is_of(one, card)]
    return tax_given_back(own, sum(one.amount for one in back), amount)


def _is_of(tender: Tender, card: str) -> bool:
    return tender.tender is TenderKind.GIFT_CARD and tender.reference == card


def _parts(tenders: Sequence[Tender]) -> Wallet:
    """What tenders moved of principal and bonus."""
    bonus = sum(one.bonus for one in tenders)
    return Wallet(principal=sum(one.amount for one in tenders) - bonus, bonus=bonus)


def _paid(sold: ReturnableSale, *, is_forgotten: bool) -> list[Paid]:
    """Each way the sale was paid, tenders of one way together: two cards that nobody told apart.

    Whose member was erased has no stored value any more: that goes back in cash.
    """
    took, gave = _by_way(sold.sale.tenders), _by_way(sold.set_off)
    gave += _by_way(refund for one in sold.returns for refund in one.refunds)
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


def _by_way(tenders: Iterable[Tender]) -> Counter[_Way]:
    found: Counter[_Way] = Counter()
    for one in tenders:
        # Cash of an exchange names its other paper; it is cash all the same.
        reference = "" if one.tender is TenderKind.CASH else one.reference
        found[_Way(one.tender, one.provider, one.attempt_id, reference)] += one.amount
    return found


def _points_back(lines: Sequence[ReturnLine], sold: ReturnableSale) -> tuple[Tender, ...]:
    value = sum(line.points_paid for line in lines)
    points = sum(line.points_spent for line in lines)
    if not value and not points:
        return ()
    before = sum(back.points_spent for back in lines_of(sold.returns))
    lots = points_to_lots(points, drawn(sold.sale), before=before)
    return (Tender(tender=TenderKind.POINTS, amount=value, points=points, lots=lots),)
