"""What a return gives back and takes back: the exact share of each line, whatever the sequence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.errors import DomainError
from shared.loyalty.programme import Returns
from shared.money import divide_rounded
from shared.shares import cumulative_share
from shared.trade.fact import LineTax, LotDraw, TenderKind
from shared.trade.ticket import SaleLine

REFUND_ORDER: Final = (
    TenderKind.CARD,
    TenderKind.WALLET,
    TenderKind.STORED_VALUE,
    TenderKind.GIFT_CARD,
    TenderKind.VOUCHER,
    TenderKind.CASH,
)
"""Where money goes back to: up to what each tender took, cash last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnShare:
    """What some units, or grams, of a line take along.

    ``points_paid`` is the part of ``amount`` that goes back as points, namely ``points_spent`` of
    them; ``points``, ``growth`` and ``spend`` are what the customer loses again.
    """

    quantity: int
    amount: int
    taxes: tuple[LineTax, ...]
    levy: int
    points: int
    growth: int
    spend: int
    points_paid: int
    points_spent: int

    @property
    def money(self) -> int:
        """The part of ``amount`` that goes back as money."""
        return self.amount - self.points_paid


def return_share(line: SaleLine, quantity: int, *, returned_before: int) -> ReturnShare:
    """What ``quantity`` more of a sold line take along.

    After k of n units the sum given back is ``round(share × k / n)``, and a return is the
    difference, so any sequence of returns sums to the line and their order does not matter. The
    part paid with points follows the amount given back instead of the units: so it is never more
    than the amount, and a refund in money is never negative.

    Raises DomainError ``return-exceeds-sale`` when more comes back than was sold.
    """
    if quantity <= 0 or not 0 <= returned_before <= line.quantity - quantity:
        left = line.quantity - returned_before
        raise DomainError("return-exceeds-sale", quantity=quantity, left=left, line=line.line)

    def share(whole: int) -> int:
        return cumulative_share(whole, returned_before, quantity, line.quantity)

    levy = share(line.levy)
    amount = share(line.amount - line.levy) + levy
    before = _given_back(line, returned_before)
    return ReturnShare(
        quantity=quantity,
        amount=amount,
        taxes=tuple(LineTax(component=tax.component, tax=share(tax.tax)) for tax in line.taxes),
        levy=levy,
        points=share(line.points),
        growth=share(line.growth),
        spend=share(line.spend),
        points_paid=_by_amount(line, before + amount) - _by_amount(line, before),
        points_spent=share(line.points_spent),
    )


def _given_back(line: SaleLine, quantity: int) -> int:
    levy = divide_rounded(line.levy * quantity, line.quantity)
    return divide_rounded((line.amount - line.levy) * quantity, line.quantity) + levy


def _by_amount(line: SaleLine, amount: int) -> int:
    return divide_rounded(line.points_paid * amount, line.amount) if line.amount else 0


def check_return_day(returns: Returns, *, sold: date, today: date) -> None:
    """Raise DomainError ``return-too-late`` after the last day the programme allows."""
    last = sold + timedelta(days=returns.days)
    if returns.days and today > last:
        raise DomainError("return-too-late", last_day=last.isoformat())


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """One way the sale was paid: what it took in all, and what earlier returns gave back to it."""

    tender: TenderKind
    amount: int
    refunded: int = 0
    provider: str = ""
    attempt_id: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money going back one way."""

    tender: TenderKind
    amount: int
    provider: str = ""
    attempt_id: str = ""
    reference: str = ""


def split_refund(money: int, paid: Iterable[Paid]) -> tuple[Refund, ...]:
    """Give money back to the tenders of the sale: cards first, cash last.

    Points tenders are left out: their part goes back as points. What cash rounding kept from the
    tenders goes back in cash.
    """
    assert money >= 0
    refunds: list[Refund] = []
    tenders = [one for one in paid if one.tender in REFUND_ORDER]
    for one in sorted(tenders, key=lambda one: REFUND_ORDER.index(one.tender)):
        part = min(money, one.amount - one.refunded)
        if part > 0:
            refunds.append(
                Refund(
                    tender=one.tender,
                    amount=part,
                    provider=one.provider,
                    attempt_id=one.attempt_id,
                    reference=one.reference,
                )
            )
            money -= part
    if money:
        refunds = _with_cash(refunds, money)
    return tuple(refunds)


def _with_cash(refunds: list[Refund], money: int) -> list[Refund]:
    others = [one for one in refunds if one.tender is not TenderKind.CASH]
    cash = sum(one.amount for one in refunds if one.tender is TenderKind.CASH)
    return [*others, Refund(tender=TenderKind.CASH, amount=cash + money)]


def points_to_lots(points: int, drawn: Sequence[LotDraw], *, before: int) -> tuple[LotDraw, ...]:
    """Give spent points back to the lots they came from, last drawn first.

    ``before`` points were given back by earlier returns of the sale. What stays spent is then what
    a smaller purchase would have drawn, and all returns together fill each lot exactly.
    """
    assert before + points <= sum(one.points for one in drawn)
    back: list[LotDraw] = []
    for one in reversed(drawn):
        filled = min(before, one.points)
        part = min(points, one.points - filled)
        before, points = before - filled, points - part
        if part:
            back.append(LotDraw(lot=one.lot, points=part))
    return tuple(back)
