"""What cannot be in a scenario although it has the right shape; each finding names its place."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final
from zoneinfo import available_timezones

import msgspec

from shared.errors import DomainError
from shared.loyalty.programme import Programme
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import UNITS_MAX, WHOLE
from shared.workbench.later_steps import CountDrawer, SellGiftCard
from shared.workbench.scenario import Claim, MoveClock, Person, PlanTender, Scenario, Step

YEARS: Final = range(1970, 2200)
POINTS_MAX: Final = 10**12
COUNTED: Final = (".gifts.", ".mix.")
"""Units by article."""
NEVER_BELOW: Final = (".units", ".grams", ".points", ".entries")
"""Figures of steps that are never below zero; amounts are refused by the steps themselves."""


def check_scenario(scenario: Scenario, programme: Programme) -> None:
    """Raise DomainError ``scenario-unreadable`` for the first thing that cannot be."""
    for detail in _problems(scenario, programme):
        raise DomainError("scenario-unreadable", detail=detail)


def _problems(scenario: Scenario, programme: Programme) -> Iterator[str]:
    yield from _unnamed((one.sku for one in scenario.goods), "$.goods", "sku")
    yield from _unnamed((one.id for one in scenario.members), "$.members", "id")
    yield from _unnamed((one.code for one in scenario.coupons), "$.coupons", "code")
    yield from _unnamed((one.code for one in scenario.gift_cards), "$.gift_cards", "code")
    yield from _twice((one.sku for one in scenario.goods), "$.goods", "sku")
    yield from _twice((one.id for one in scenario.members), "$.members", "id")
    yield from _twice((one.code for one in scenario.coupons), "$.coupons", "code")
    yield from _twice((one.code for one in scenario.gift_cards), "$.gift_cards", "code")
    if scenario.zone and scenario.zone not in available_timezones():
        yield f"there is no time zone `{scenario.zone}` - at `$.zone`"
    yield from _moment(scenario.at, scenario.zone, "$.at")
    yield from _amount(scenario.float_minor, "$.float_minor")
    if not programme.tax_classes:
        yield "at least one tax class is needed - at `$.programme.tax_classes`"
    yield from _goods(scenario, programme)
    for number, member in enumerate(scenario.members):
        yield from _member(member, f"$.members[{number}]", scenario, programme)
    yield from _held(scenario, programme)
    for number, step in enumerate(scenario.steps):
        if step.refused == "":
            yield f"true, false or a code is needed - at `$.steps[{number}].refused`"
        yield from _step(step, f"$.steps[{number}]", scenario.zone)


def _step(step: Step, place: str, zone: str) -> Iterator[str]:
    match step:
        case MoveClock():
            yield from _moment(step.at, zone, f"{place}.at")
        case PlanTender() if not 0 < step.share_basis_points <= WHOLE:
            yield f"share_basis_points out of range - at `{place}.share_basis_points`"
        case CountDrawer():
            yield from _amount(step.amount_minor, f"{place}.amount_minor")
        case Claim(code="") | SellGiftCard(code=""):
            yield f"a code is needed - at `{place}.code`"
        case _:
            pass
    yield from _figures(msgspec.to_builtins(step), place)


def _figures(told: object, place: str) -> Iterator[str]:
    """Quantities and points below zero, and amounts beyond all bounds, however deep."""
    match told:
        case dict():
            for name, value in told.items():
                if name != "expect":
                    yield from _figures(value, f"{place}.{name}")
        case list() | tuple():
            for number, value in enumerate(told):
                yield from _figures(value, f"{place}[{number}]")
        case int() if not _is_possible(told, place):
            yield f"{place.rpartition('.')[2]} out of range - at `{place}`"


def _is_possible(figure: int, place: str) -> bool:
    if any(one in place for one in COUNTED):
        return 0 <= figure <= UNITS_MAX
    if place.endswith("_minor"):
        return abs(figure) <= AMOUNT_MINOR_MAX
    return figure >= 0 or not place.endswith(NEVER_BELOW)


def _goods(scenario: Scenario, programme: Programme) -> Iterator[str]:
    classes = {known.id for known in programme.tax_classes} | {""}
    for number, article in enumerate(scenario.goods):
        place = f"$.goods[{number}]"
        yield from _amount(article.price_minor, f"{place}.price_minor")
        yield from _amount(article.cost_minor or 0, f"{place}.cost_minor")
        if article.tax_class not in classes:
            yield f"the programme has no tax class `{article.tax_class}` - at `{place}.tax_class`"
        yield from _twice((one.batch for one in article.batches), f"{place}.batches", "batch")


def _member(member: Person, place: str, scenario: Scenario, programme: Programme) -> Iterator[str]:
    yield from _twice((one.lot for one in member.lots if one.lot), f"{place}.lots", "lot")
    for number, lot in enumerate(member.lots):
        yield from _day(lot.earned_on, f"{place}.lots[{number}].earned_on")
        if not 0 <= lot.points <= POINTS_MAX:
            yield f"points out of range - at `{place}.lots[{number}].points`"
    for number, past in enumerate(member.past):
        yield from _day(past.day, f"{place}.past[{number}].day")
        yield from _amount(past.spend_minor, f"{place}.past[{number}].spend_minor")
        if past.growth < 0:
            yield f"growth out of range - at `{place}.past[{number}].growth`"
    if member.last_active is not None:
        yield from _day(member.last_active, f"{place}.last_active")
    yield from _amount(member.principal_minor, f"{place}.principal_minor")
    yield from _amount(member.bonus_minor, f"{place}.bonus_minor")
    tiers = {tier.id for tier in programme.tiers.ladder} | {""}
    if member.tier_floor not in tiers:
        yield f"the programme has no tier `{member.tier_floor}` - at `{place}.tier_floor`"
    # Somebody may say that they referred themselves: it gives nothing.
    if member.referred_by not in {one.id for one in scenario.members} | {""}:
        yield f"there is no member `{member.referred_by}` - at `{place}.referred_by`"
    yield from _stamps(member, place, programme)


def _stamps(member: Person, place: str, programme: Programme) -> Iterator[str]:
    """Below zero is lawful: full cards may have cost more than was kept."""
    cards = {card.id: card.stamps for card in programme.visit_cards}
    for card, stamps in member.stamps.items():
        if card not in cards:
            yield f"the programme has no visit card `{card}` - at `{place}.stamps.{card}`"
        elif stamps >= cards[card]:
            yield f"so many stamps fill the card of {cards[card]} - at `{place}.stamps.{card}`"


def _held(scenario: Scenario, programme: Programme) -> Iterator[str]:
    """Codes and cards from before."""
    coupons = {coupon.id for coupon in programme.coupons}
    members = {one.id for one in scenario.members} | {""}
    for number, code in enumerate(scenario.coupons):
        place = f"$.coupons[{number}]"
        if code.coupon not in coupons:
            yield f"the programme has no coupon `{code.coupon}` - at `{place}.coupon`"
        if code.member not in members:
            yield f"there is no member `{code.member}` - at `{place}.member`"
        if code.uses_left < 0:
            yield f"uses_left out of range - at `{place}.uses_left`"
    for number, card in enumerate(scenario.gift_cards):
        yield from _amount(card.left_minor, f"$.gift_cards[{number}].left_minor")


def _unnamed(names: Iterable[str], place: str, field: str) -> Iterator[str]:
    for number, name in enumerate(names):
        if not name:
            yield f"`{field}` is needed - at `{place}[{number}].{field}`"


def _twice(names: Iterable[str], place: str, field: str) -> Iterator[str]:
    for name, count in Counter(names).items():
        if count > 1:
            yield f"{field} `{name}` is there {count} times - at `{place}`"


def _amount(minor: int, place: str) -> Iterator[str]:
    if not 0 <= minor <= AMOUNT_MINOR_MAX:
        yield f"{place.rpartition('.')[2]} out of range - at `{place}`"


def _day(day: date, place: str) -> Iterator[str]:
    if day.year not in YEARS:
        yield f"a year from {YEARS.start} to {YEARS.stop - 1} is needed - at `{place}`"


def _moment(at: datetime, zone: str, place: str) -> Iterator[str]:
    yield from _day(at.date(), place)
    if at.tzinfo is not None and not zone:
        yield f"a time with an offset needs the store's `zone` - at `{place}`"
