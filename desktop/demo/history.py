"""The early shift: members join and shop, so that every tier has people in it.

Tiers come from spending alone. These sales go through the same services as the screens, and are
printed, sent and closed like any others.
"""

from dataclasses import dataclass
from typing import Final

from desktop.bootstrap import Counter, Till
from desktop.demo.shop import Bench, DemoShop
from desktop.demo.stock import Person, Stock, card_of
from desktop.store.tickets import OpenShift
from shared.errors import EnvironmentFault
from shared.ids import OperatorId
from shared.trade.fact import CashCount, TenderKind

PIECES: Final = (10_000, 5_000, 2_000, 1_000, 500, 100, 50, 10)
PAPER_S: Final = 30.0
FLOAT: Final = (CashCount(denomination=10_000, pieces=3), CashCount(denomination=1_000, pieces=20))

BASKETS: Final = {
    "member": (("农夫山泉", 2), ("桃李醇熟", 1), ("乐事原味", 1), ("光明鲜牛奶", 1)),
    "silver": (("福临门东北大米", 2), ("蓝月亮洗衣液", 2), ("蒙牛纯牛奶", 1)),
    "gold": (("剑南春", 2), ("洋河海之蓝", 1), ("三只松鼠", 2)),
    "diamond": (("五粮液", 3), ("剑南春", 2), ("费列罗", 1)),
}
"""What one of a tier buys; gold takes two of them."""


class History:
    """Plays the early shift on one till."""

    def __init__(self, shop: DemoShop, bench: Bench) -> None:
        self._shop = shop
        self._bench = bench

    def play(self) -> None:
        """Everybody joins and shops; some come again."""
        till = self._shop.start_till(self._bench, language="zh_CN")
        try:
            till.start()
            self._play_shift(till)
            till.sync.close()
            till.sync.try_once()
        finally:
            till.close()

    def _play_shift(self, till: Till) -> None:
        operator = till.operators.all()[0].operator_id
        counter = till.counter()
        ring = _Ring(till, counter, counter.shifts.open(operator, FLOAT), operator)
        members = list(enumerate(self._shop.people.members, 1))
        for number, person in members:
            _join(till, person, number, operator)
            ring.sell(self._shop.stock, person, card_of(number))
        for number, person in members:
            if person.tier == "gold":
                ring.sell(self._shop.stock, person, card_of(number))
        counter.shifts.close(operator, pieces_of(counter.shifts.figures().expected_cash))
        till.wake_printer()
        if till.spooler is not None and not till.spooler.wait_idle(PAPER_S):
            raise EnvironmentFault("demo-stuck", what="printer")


def _join(till: Till, person: Person, number: int, operator: OperatorId) -> None:
    till.members.enrol(
        name=person.name,
        phone=person.phone,
        card=card_of(number),
        operator_id=operator,
        tier=till.pricing().programme.tiers.ladder[0].id,
    )


def pieces_of(amount: int) -> list[CashCount]:
    """An amount in notes and coins, the fewest that make it."""
    counts = []
    for piece in PIECES:
        pieces, amount = divmod(amount, piece)
        counts.append(CashCount(denomination=piece, pieces=pieces))
    return counts


@dataclass(slots=True)
class _Ring:
    """Rings a basket up: cash and cards in turn."""

    till: Till
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
        self.till.wake_printer()
        self.till.wake_sync()
