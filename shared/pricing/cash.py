"""Cash rounding: what is due when cash settles the rest, and what goes back of it."""

from collections.abc import Iterable, Sequence
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


def in_cash(amount: int, programme: Programme) -> int:
    """An amount as cash pays it. What goes out (less than nothing) is rounded as what comes in."""
    rounded = cash_rounding(abs(amount), programme).due_minor
    return rounded if amount >= 0 else -rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What was handed over for a sale so far, in minor units."""

    cash: int = 0
    """Without its change."""
    others: int = 0
    """What other tenders settle, without their change."""
    change: int = 0
    """What went out in cash for other tenders."""
    moves_cash: bool = False
    """Whether cash was taken or given, be it nothing after rounding."""

    def rest(self, total: int) -> int:
        """What cash settles of a total; less than nothing where others gave more than is due."""
        return total - self.others - self.change

    def due(self, total: int) -> int:
        """What is not settled yet, before rounding."""
        return total - self.others - self.cash

    def due_in_cash(self, total: int, programme: Programme) -> int:
        """What cash has still to bring, rounded once, however many times cash was handed over."""
        return in_cash(self.rest(total), programme) - self.cash + self.change

    def rounding(self, total: int, programme: Programme) -> int | None:
        """What rounding adds to a total that is settled; None where it is not."""
        due = self.due(total)
        if not due:
            return 0
        is_settled = self.moves_cash and not self.due_in_cash(total, programme)
        return -due if is_settled else None

    def fits(self, total: int, programme: Programme) -> bool:
        """Whether no more was taken than a total asks for, which may be more than is due."""
        return self.due(total) > 0 or self.rounding(total, programme) is not None

    def change_for(self, given: int, total: int, programme: Programme) -> int:
        """The change in cash for another tender that is more than what is due.

        To the cent where rounding would ask for more cash than was handed over in odd coins.
        """
        rest, stays = self.rest(total) - given, self.cash - self.change
        rounded = stays - in_cash(rest, programme)
        return rounded if rounded >= 0 else stays - rest


def handed_over(tenders: Iterable[Tender]) -> Handed:
    """What these tenders come to."""
    cash, others, change, moves_cash = 0, 0, 0, False
    for one in tenders:
        if one.tender is TenderKind.CASH:
            cash += one.amount
            moves_cash = True
        else:
            others += one.amount
            change += one.change
            moves_cash |= bool(one.given)
    return Handed(cash=cash, others=others, change=change, moves_cash=moves_cash)


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
