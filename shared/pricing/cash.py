"""Cash rounding: what is due when cash settles the rest, and what goes back of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.loyalty.programme import Programme
from shared.money import divide_rounded
from shared.trade.fact import Tender, TenderKind
from shared.trade.ticket import SaleCompleted, SaleReturned


@dataclass(frozen=True, slots=True)
class CashDue:
    """What is to be paid in cash. ``rounding_minor`` is the difference; it belongs to no line."""

    due_minor: int
    rounding_minor: int


def cash_rounding(due: int, programme: Programme) -> CashDue:
    """Round what is due in cash (or refunded, where negative) by the programme's rule."""
    rule = programme.cash_rounding
    rounded = divide_rounded(due, rule.step_minor, rule.rounding) * rule.step_minor
    return CashDue(rounded, rounded - due)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashSettled:
    """What cash settled of a sale, and what of that went back: as due, and as paid after rounding.

    In minor units.
    """

    due: int
    paid: int
    due_back: int = 0
    paid_back: int = 0


def cash_refund(amount: int, settled: CashSettled, programme: Programme) -> CashDue:
    """Round a refund in cash so that all refunds of a sale never pay out more than was paid in.

    What the refunds come to together is rounded, and each one pays the difference; with the last of
    what cash had settled all goes back that was paid. What other tenders had paid and goes back in
    cash is rounded beside that.
    """
    until = settled.due_back + amount
    if until < settled.due:
        together = min(cash_rounding(until, programme).due_minor, settled.paid)
    else:
        beside = cash_rounding(until - settled.due, programme).due_minor
        together = settled.paid + beside
    now = max(0, together - settled.paid_back)
    return CashDue(now, now - amount)


def settled_in_cash(
    sale: SaleCompleted, returns: Sequence[SaleReturned], *, is_forgotten: bool
) -> CashSettled:
    """What cash settled of a sale, and what its returns gave back.

    Where the member ``is_forgotten``, the stored value that paid goes back in cash and counts too.
    """
    kinds = {TenderKind.CASH}
    if is_forgotten:
        kinds.add(TenderKind.STORED_VALUE)
    paid = max(0, _amount(sale.tenders, kinds))
    back = sum(_amount(one.refunds, kinds) for one in returns)
    return CashSettled(
        due=max(0, paid - sale.rounding),
        paid=paid,
        due_back=back - sum(one.rounding for one in returns),
        paid_back=back,
    )


def _amount(tenders: Sequence[Tender], kinds: set[TenderKind]) -> int:
    return sum(one.amount for one in tenders if one.tender in kinds)
