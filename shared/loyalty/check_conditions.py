"""What can be wrong with the conditions of a rule."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from shared.errors import DomainError
from shared.loyalty.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Dates,
    Members,
    MonthDays,
    Not,
    NthVisit,
    Paying,
    Quantity,
    Spend,
    Weekly,
)
from shared.loyalty.findings import WHOLE, unknown, within
from shared.money import AMOUNT_MINOR_MAX
from shared.trade.fact import TenderKind

TENDERS: Final = frozenset(kind.value for kind in TenderKind)


def condition_problems(
    tiers: Collection[str], conditions: Iterable[Condition], rule: str
) -> Iterator[DomainError]:
    """Everything that is wrong with a rule's conditions; ``tiers`` are those of the programme."""
    for condition in conditions:
        match condition:
            case Dates() | Weekly() | MonthDays():
                yield from _time_problems(condition, rule)
            case AllOf(of=of) | AnyOf(of=of) | Not(of=of):
                yield from within(len(of), 1, 100, rule, "of")
                yield from condition_problems(tiers, of, rule)
            case Members():
                yield from (unknown(rule, "tiers", t) for t in condition.tiers if t not in tiers)
            case Paying():
                yield from _paying_problems(condition, rule)
            case Spend():
                yield from within(
                    condition.minimum_minor, 0, AMOUNT_MINOR_MAX, rule, "minimum_minor"
                )
            case Quantity() | NthVisit():
                yield from within(condition.minimum, 1, 10**6, rule, "minimum")
                yield from within(getattr(condition, "every", 1), 1, 10**6, rule, "every")
            case _:
                pass


def _time_problems(condition: Dates | Weekly | MonthDays, rule: str) -> Iterator[DomainError]:
    match condition:
        case Dates(first=first, last=last) if last < first:
            yield DomainError(
                "programme-dates-reversed",
                rule=rule,
                first=first.isoformat(),
                last=last.isoformat(),
            )
        case Weekly():
            for day in condition.weekdays:
                yield from within(day, 1, 7, rule, "weekdays")
        case MonthDays():
            for day in condition.days:
                yield from within(day, 1, 31, rule, "days")


def _paying_problems(condition: Paying, rule: str) -> Iterator[DomainError]:
    yield from within(condition.share_basis_points, 1, WHOLE, rule, "share_basis_points")
    for tender in condition.tenders:
        if tender not in TENDERS:
            yield unknown(rule, "tenders", tender)
