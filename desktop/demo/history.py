"""The days before: members join and shop, so that every tier has people in it.

Tiers come from spending alone. These sales go through the same services as the screens, on an
earlier clock, and are printed, sent and closed like any other day.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from desktop.bootstrap import Counter, Till
from desktop.demo.shop import Bench, DemoShop
from desktop.demo.stock import Person, Stock, card_of
from desktop.store.tickets import OpenShift
from shared.clock import ManualClock, SystemClock
from shared.errors import EnvironmentFault
from shared.ids import OperatorId
from shared.trade.fact import CashCount, TenderKind

DAYS_BEFORE: Final = (40, 12)
PAPER_S: Final = 30.0
FLOAT: Final = (CashCount(denomination=10_000, pieces=3), CashCount(denomination=1_000, pieces=20))

BASKETS: Final = {
    "member": (("农夫山泉", 2), ("桃李醇熟", 1), ("乐事原味", 1), ("光明鲜牛奶", 1)),
    "silver": (("福临门东北大米", 2), ("蓝月亮洗衣液", 2), ("蒙牛纯牛奶", 1)),
    "gold": (("剑南春", 2), ("洋河海之蓝", 1), ("三只松鼠", 2)),
    "diamond": (("五粮液", 3), ("剑南春", 2), ("费列罗", 1)),
}
"""What one of a tier buys on each of the days before: enough of it reaches the tier."""


class History:
    """Plays the days before on one till."""

    def __init__(self, shop: DemoShop, bench: Bench) -> None:
        self._shop = shop
        self._bench = bench

    def play(self) -> None:
        """Everybody joins on the first day; most come again on the others."""
        clock = ManualClock(SystemClock().now() - timedelta(days=DAYS_BEFORE[0] + 1))
        till = self._shop.start_till(self._bench, language="zh_CN", clock=clock)
        try:
            till.start()
            for days in DAYS_BEFORE:
                clock.set(self._morning(till, days))
                self._play_day(till, clock, first=days == DAYS_BEFORE[0])
            till.sync.close()
            till.sync.try_once()
        finally:
            till.close()

    def _morning(self, till: Till, days: int) -> datetime:
        """Nine o'clock in the shop, so many days ago."""
        zone = till.identity.zone
        day = SystemClock().now().astimezone(zone).date() - timedelta(days=days)
        return datetime.combine(day, time(9), zone).astimezone(UTC)

    def _play_day(self, till: Till, clock: ManualClock, *, first: bool) -> None:
        operator = till.operators.all()[0].operator_id
        counter = till.counter()
        shift = counter.shifts.open(operator, FLOAT)
        ring = _Ring(counter, shift, operator)
        for number, person in enumerate(self._shop.people.members, 1):
            if first:
                _join(till, person, number, operator)
            elif person.tier != "gold" and number % 2:
                continue
            clock.advance(minutes=7)
            ring.sell(self._shop.stock, person, card_of(number))
            till.wake_printer()
        expected = counter.shifts.figures().expected_cash
        counter.shifts.close(operator, [CashCount(denomination=10, pieces=expected // 10)])
        counter.shifts.close_day(operator)
        till.wake_printer()
        _wait_for_paper(till)


def _join(till: Till, person: Person, number: int, operator: OperatorId) -> None:
    till.members.enrol(
        name=person.name,
        phone=person.phone,
        card=card_of(number),
        operator_id=operator,
        tier=till.pricing().programme.tiers.ladder[0].id,
    )


def _wait_for_paper(till: Till) -> None:
    if till.spooler is not None and not till.spooler.wait_idle(PAPER_S):
        raise EnvironmentFault("demo-stuck", what="printer")


@dataclass(slots=True)
class _Ring:
    """Rings a basket up: cash and cards in turn."""

    counter: Counter
    shift: OpenShift
    operator: OperatorId
    rung: int = 0

    def sell(self, stock: Stock, person: Person, card: str) -> None:
        """One sale to a member."""
        for name, units in BASKETS[person.tier]:
            self.counter.scanning.scan(stock.code(name), quantity=units)
        self.counter.scanning.scan(card)
        checkout = self.counter.checkout
        self.rung += 1
        if self.rung % 3:
            checkout.tender_cash()
        else:
            checkout.tender(TenderKind.CARD, checkout.due().amount)
        checkout.finish(self.shift, self.operator)
