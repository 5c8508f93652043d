"""The findings that every part of the check of a programme makes."""

from collections.abc import Iterable, Iterator
from typing import Final

from shared.errors import DomainError
from shared.loyalty.programme import Programme

WHOLE: Final = 10_000


def within(value: int, lowest: int, highest: int, rule: str, field: str) -> Iterator[DomainError]:
    """A figure outside its bounds."""
    if not lowest <= value <= highest:
        yield DomainError(
            "programme-out-of-range",
            rule=rule,
            field=field,
            value=value,
            lowest=lowest,
            highest=highest,
        )


def twice(ids: Iterable[str], rule: str) -> Iterator[DomainError]:
    """An id that is empty, or used before."""
    seen: set[str] = set()
    for known in ids:
        if known in seen or not known:
            yield DomainError("programme-same-id", rule=rule, id=known)
        seen.add(known)


def unknown(rule: str, field: str, value: str) -> DomainError:
    """A name that nothing in the programme has."""
    return DomainError("programme-unknown-reference", rule=rule, field=field, value=value)


def tiers_of(programme: Programme) -> frozenset[str]:
    """The ids of its tiers."""
    return frozenset(tier.id for tier in programme.tiers.ladder)
