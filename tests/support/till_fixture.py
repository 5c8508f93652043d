"""The till of window and presenter tests: other goods than the desk's, in a grocer's shop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.store.database import TillFolder
from shared.catalogue.goods import Goods, SoldBy
from shared.clock import ManualClock
from shared.ids import GoodsId
from tests.support.enrolled_till import (
    CASHIER,
    LOOKUP_KEY,
    MANAGER,
    PEOPLE,
    PINS,
    START,
    Person,
    enrol_locally,
)

__all__ = ["LOOKUP_KEY", "PEOPLE", "Person"]

MORNING = START
CASHIER_PIN = PINS[CASHIER]
MANAGER_PIN = PINS[MANAGER]

WATER = Goods(
    sku=GoodsId("W1"),
    name_zh="农夫山泉饮用天然水550ml",
    name_en="Nongfu Spring water 550 ml",
    tax_class="standard",
    list_price_minor=200,
    category="drinks/water",
    barcodes=("6921168509256",),
)
CHIPS = Goods(
    sku=GoodsId("C1"),
    name_zh="乐事原味薯片70g",
    name_en="Lay's potato chips 70 g",
    tax_class="standard",
    list_price_minor=750,
    category="snacks",
    barcodes=("6924743915763",),
)
RICE = Goods(
    sku=GoodsId("R1"),
    name_zh="五常大米5kg",
    name_en="Wuchang rice 5 kg",
    tax_class="reduced",
    list_price_minor=6990,
    category="food/rice",
    barcodes=("6901234567892",),
)
APPLES = Goods(
    sku=GoodsId("00012"),
    name_zh="红富士苹果",
    name_en="Fuji apples",
    tax_class="reduced",
    list_price_minor=1280,
    category="fruit",
    sold_by=SoldBy.WEIGHT,
)
GOODS = (WATER, CHIPS, RICE, APPLES)


def enrol_here(path: Path, *, goods: Sequence[Goods] = GOODS, **more: Any) -> OpenStore:
    """Make a till of a folder, as an enrolment and a first pull would, and open it."""
    return OpenStore(enrol_locally(path, goods=goods, **more))


def reopen(path: Path, surroundings: Surroundings) -> Till:
    """The same till again, as after a crash or a night."""
    return Till(OpenStore(TillFolder(path)), surroundings)


@contextmanager
def open_till(
    path: Path,
    *,
    surroundings: Surroundings | None = None,
    **more: Any,
) -> Iterator[Till]:
    """An enrolled till in a folder, not started: nothing runs in the background."""
    around = surroundings or Surroundings()
    if not isinstance(around.clock, ManualClock):
        around = replace(around, clock=ManualClock(MORNING))
    till = Till(enrol_here(path, **more), around)
    try:
        yield till
    finally:
        till.close()
