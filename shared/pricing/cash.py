"""Cash rounding: what is due when cash settles the rest."""

from dataclasses import dataclass

from shared.loyalty.programme import Programme
from shared.money import divide_rounded


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
