"""What can be wrong with the effect of an offer."""

from collections.abc import Iterator
from itertools import pairwise

from shared.errors import DomainError
from shared.loyalty.effects import (
    MULTI_BUY,
    NET,
    Addition,
    AmountOff,
    Bundle,
    FixedPrice,
    FreeUnits,
    FurtherUnits,
    Gift,
    IssueCoupon,
    Ladder,
    NthItem,
    PercentLadder,
    PercentOff,
    RoundDown,
    SetPrice,
)
from shared.loyalty.findings import WHOLE, within
from shared.loyalty.offers import Offer
from shared.money import AMOUNT_MINOR_MAX


def effect_problems(offer: Offer, rule: str) -> Iterator[DomainError]:
    """Figures out of bounds, ladders that fall, bundles without a reward."""
    effect = offer.effect
    match effect:
        case NthItem() | SetPrice() | Bundle() | FreeUnits():
            yield from _multi_buy_problems(effect, rule)
        case FurtherUnits() | Gift() | IssueCoupon():
            yield from _addition_problems(effect, rule)
        case _:
            yield from _money_problems(effect, rule)
    if offer.net and not isinstance(effect, NET):
        yield DomainError("programme-not-net", rule=rule)
    if offer.reuses_units and not isinstance(effect, MULTI_BUY):
        yield DomainError("programme-uses-no-units", rule=rule)


def _money_problems(
    effect: Ladder | PercentLadder | FixedPrice | PercentOff | AmountOff | RoundDown, rule: str
) -> Iterator[DomainError]:
    match effect:
        case Ladder():
            yield from _ladder_problems(effect, rule)
        case PercentLadder():
            yield from _percent_ladder_problems(effect, rule)
        case FixedPrice():
            yield from within(effect.price_minor, 0, AMOUNT_MINOR_MAX, rule, "price_minor")
        case PercentOff():
            yield from within(effect.basis_points_off, 1, WHOLE, rule, "basis_points_off")
        case AmountOff():
            yield from within(effect.off_minor, 1, AMOUNT_MINOR_MAX, rule, "off_minor")
        case RoundDown():
            yield from within(effect.step_minor, 2, AMOUNT_MINOR_MAX, rule, "step_minor")


def _addition_problems(effect: Addition, rule: str) -> Iterator[DomainError]:
    match effect:
        case FurtherUnits():
            yield from within(effect.per_units, 1, 10**6, rule, "per_units")
            yield from within(effect.units, 1, 10**6, rule, "units")
        case Gift():
            yield from within(len(effect.choices), 1, 100, rule, "choices")
            yield from within(effect.units, 1, 10**6, rule, "units")
        case IssueCoupon():
            yield from within(effect.units, 1, 1_000, rule, "units")
            yield from within(effect.per_minor, 0, AMOUNT_MINOR_MAX, rule, "per_minor")


def _multi_buy_problems(
    effect: NthItem | SetPrice | Bundle | FreeUnits, rule: str
) -> Iterator[DomainError]:
    match effect:
        case NthItem():
            yield from within(effect.nth, 2, 1_000, rule, "nth")
            yield from within(effect.cheaper, 1, effect.nth - 1, rule, "cheaper")
            yield from within(effect.basis_points_off, 1, WHOLE, rule, "basis_points_off")
            yield from within(effect.sets_limit, 0, 10**6, rule, "sets_limit")
        case SetPrice():
            yield from within(effect.units, 2, 1_000, rule, "units")
            yield from within(effect.price_minor, 0, AMOUNT_MINOR_MAX, rule, "price_minor")
            yield from within(effect.sets_limit, 0, 10**6, rule, "sets_limit")
        case FreeUnits():
            yield from within(effect.units, 1, 10**6, rule, "units")
            yield from within(effect.basis_points_off, 1, WHOLE, rule, "basis_points_off")
        case Bundle():
            yield from _bundle_problems(effect, rule)


def _bundle_problems(bundle: Bundle, rule: str) -> Iterator[DomainError]:
    yield from within(len(bundle.parts), 1, 20, rule, "parts")
    for part in bundle.parts:
        yield from within(part.units, 1, 1_000, rule, "parts/units")
    yield from within(bundle.price_minor, 0, AMOUNT_MINOR_MAX, rule, "price_minor")
    yield from within(bundle.off_minor, 0, AMOUNT_MINOR_MAX, rule, "off_minor")
    yield from within(bundle.basis_points_off, 0, WHOLE, rule, "basis_points_off")
    yield from within(bundle.sets_limit, 0, 10**6, rule, "sets_limit")
    stated = [bundle.price_minor, bundle.off_minor, bundle.basis_points_off]
    if sum(figure > 0 for figure in stated) != 1:
        yield DomainError("programme-bundle-reward", rule=rule)


def _percent_ladder_problems(ladder: PercentLadder, rule: str) -> Iterator[DomainError]:
    yield from within(len(ladder.steps), 1, 100, rule, "steps")
    for step in ladder.steps:
        yield from within(step.threshold_minor, 1, AMOUNT_MINOR_MAX, rule, "threshold_minor")
        yield from within(step.basis_points_off, 1, WHOLE, rule, "basis_points_off")
    for lower, higher in pairwise(ladder.steps):
        is_risen = higher.basis_points_off > lower.basis_points_off
        if higher.threshold_minor <= lower.threshold_minor or not is_risen:
            threshold = higher.threshold_minor
            yield DomainError("programme-ladder-falls", rule=rule, threshold_minor=threshold)


def _ladder_problems(ladder: Ladder, rule: str) -> Iterator[DomainError]:
    yield from within(len(ladder.steps), 1, 100, rule, "steps")
    yield from within(ladder.repeat_limit, 0, 10**6, rule, "repeat_limit")
    for step in ladder.steps:
        yield from within(step.threshold_minor, 1, AMOUNT_MINOR_MAX, rule, "threshold_minor")
        yield from within(step.off_minor, 1, step.threshold_minor, rule, "off_minor")
    for lower, higher in pairwise(ladder.steps):
        if higher.threshold_minor <= lower.threshold_minor or higher.off_minor <= lower.off_minor:
            yield DomainError(
                "programme-ladder-falls", rule=rule, threshold_minor=higher.threshold_minor
            )
