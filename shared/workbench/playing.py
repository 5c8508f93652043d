"""Plays a scenario from its first step to its last."""

from collections.abc import Iterator

import msgspec

from shared.catalogue.goods import Goods
from shared.errors import DomainError
from shared.ids import GoodsId, LotId
from shared.loyalty.bundle import template
from shared.loyalty.lots import Lot
from shared.loyalty.programme import Programme
from shared.loyalty.tiers import Spending
from shared.loyalty.validation import check
from shared.workbench import scenario as told
from shared.workbench.result import State
from shared.workbench.shop import Account, Shop
from shared.workbench.telling import state_of


class StepRefused(DomainError):
    """A step that cannot be done; ``cause`` says why."""

    def __init__(self, number: int, step: told.Step, cause: DomainError) -> None:
        what = msgspec.json.encode(step).decode()
        super().__init__("step-refused", number=number, what=what)
        self.cause = cause


def open_shop(scenario: told.Scenario) -> Shop:
    """The shop before the first step.

    Raises the DomainErrors of the programme's check and of goods that cannot be.
    """
    programme = scenario.programme or template(scenario.template)
    check(programme)
    return Shop(
        programme=programme,
        goods={one.sku: _goods(one, programme) for one in scenario.goods},
        accounts={one.id: _account(one) for one in scenario.members},
        at=scenario.at,
        store=scenario.store,
        till=scenario.till,
    )


def play(scenario: told.Scenario) -> Iterator[State]:
    """The state after each ``show``, and after the last step.

    Raises StepRefused where a step cannot be done, and what ``open_shop`` raises.
    """
    shop = open_shop(scenario)
    for number, step in enumerate(scenario.steps, start=1):
        try:
            shop.do(step)
        except DomainError as error:
            raise StepRefused(number, step, error) from error
        is_last = number == len(scenario.steps)
        if isinstance(step, told.Show) or is_last:
            yield state_of(shop, number, step.title if isinstance(step, told.Show) else "")


def _goods(article: told.Article, programme: Programme) -> Goods:
    return Goods(
        sku=GoodsId(article.sku),
        name_zh=article.name_zh or article.name_en or article.sku,
        name_en=article.name_en or article.name_zh or article.sku,
        tax_class=article.tax_class or programme.tax_classes[0].id,
        list_price_minor=article.price_minor,
        category=article.category,
        brand=article.brand,
        supplier=article.supplier,
        marks=article.marks,
        sold_by=article.sold_by,
        no_discount=article.no_discount,
        no_points=article.no_points,
        cost_minor=article.cost_minor,
    )


def _account(person: told.Person) -> Account:
    lots = [
        Lot(
            lot=LotId(lot.lot or f"lot-{number}"),
            points=lot.points,
            earned_on=lot.earned_on,
            last_day=lot.last_day,
        )
        for number, lot in enumerate(person.lots, start=1)
    ]
    spending = [
        Spending(sale=f"past-{number}", day=one.day, spend_minor=one.spend_minor, growth=one.growth)
        for number, one in enumerate(person.past, start=1)
    ]
    return Account(person, lots, spending)
