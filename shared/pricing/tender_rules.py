"""What a way of paying may pay of a priced basket, and what the goods ask of the cashier."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.loyalty.accounts import Restriction, TenderRule
from shared.loyalty.programme import Programme
from shared.pricing.basket import WHOLE, Basket
from shared.pricing.quote import Quote
from shared.trade.fact import TenderKind


def rule_of(tender: str, programme: Programme) -> TenderRule | None:
    """The rule of a tender; None where it may pay for everything."""
    return next((rule for rule in programme.tenders if rule.tender == tender), None)


def tender_name(kind: TenderKind) -> str:
    """How programmes call a way of paying."""
    return kind.value.replace("_", "-")


def payable(tender: str, basket: Basket, quote: Quote, programme: Programme) -> int:
    """The most that a tender may pay of a basket, in minor units, before other tenders."""
    rule = rule_of(tender, programme)
    if rule is None:
        return max(0, quote.total_minor)
    eligible = sum(
        line.pay_minor
        for sold, line in zip(basket.lines, quote.lines, strict=True)
        if rule.goods is None or rule.goods.contains(sold.goods)
    )
    most = min(max(0, eligible), max(0, quote.total_minor) * rule.at_most_basis_points // WHOLE)
    return min(most, rule.at_most_minor) if rule.at_most_minor else most


class Demand(StrEnum):
    """What the cashier has to see or note before goods are sold."""

    AGE = "age"
    """The buyer is old enough."""
    PRESCRIPTION = "prescription"
    """There is a prescription."""
    REAL_NAME = "real-name"
    """The buyer's name is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demanded:
    """A demand of one restriction; ``years`` where it is an age."""

    restriction: str
    demand: Demand
    years: int = 0


def demands(
    basket: Basket, programme: Programme, bought_today: Mapping[str, int] | None = None
) -> tuple[Demanded, ...]:
    """What has to be seen for the goods in a basket.

    ``bought_today`` is how many units of each restriction's goods the member bought before. Raises
    DomainError ``too-many-units`` where a sale, or a day, would have more than it may.
    """
    for one in programme.restrictions:
        if units := _units(one, basket):
            _check_units(one, units, (bought_today or {}).get(one.id, 0))
    return demands_of(basket, programme)


def demands_of(
    basket: Basket, programme: Programme, given: Collection[Goods] = ()
) -> tuple[Demanded, ...]:
    """What has to be seen for the goods in a basket, and for those ``given`` on top of it."""
    met = (
        one
        for one in programme.restrictions
        if _units(one, basket) or any(map(one.goods.contains, given))
    )
    return tuple(demand for one in met for demand in _demands(one))


def _units(one: Restriction, basket: Basket) -> int:
    sold = (line for line in basket.lines if not line.comes_in)
    return sum(line.units or 1 for line in sold if one.goods.contains(line.goods))


def _check_units(one: Restriction, units: int, before: int) -> None:
    if one.units_per_sale and units > one.units_per_sale:
        raise DomainError("too-many-units", rule=one.id, units=units, highest=one.units_per_sale)
    if one.units_per_day and before + units > one.units_per_day:
        left = max(0, one.units_per_day - before)
        raise DomainError("too-many-units", rule=one.id, units=units, highest=left)


def _demands(one: Restriction) -> list[Demanded]:
    found = []
    if one.minimum_age:
        demanded = Demanded(restriction=one.id, demand=Demand.AGE, years=one.minimum_age)
        found.append(demanded)
    if one.needs_prescription:
        found.append(Demanded(restriction=one.id, demand=Demand.PRESCRIPTION))
    if one.needs_real_name:
        found.append(Demanded(restriction=one.id, demand=Demand.REAL_NAME))
    return found
