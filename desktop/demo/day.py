"""A day at three tills of two stores, played through the real window and the real server."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from desktop.bootstrap import OpenStore
from desktop.demo.cashier import Cashier, Tell
from desktop.demo.hands import HandClock, Hands
from desktop.demo.shop import SCREENS, Bench, DemoShop
from desktop.demo.stock import Operator, Person, card_of
from desktop.demo.tour import tour_of_empty_sale, tour_of_searches, tour_of_tenders
from desktop.presenters.view import TillView
from desktop.till_window import Station, open_station
from hardware.simulators.payment_books import Behaviour
from shared.errors import EnvironmentFault
from shared.loyalty.coupon_code import new_coupon_code

SIZE: Final = (1366, 768)
PAPER_S: Final = 30.0
OUTAGE_S: Final = 5.0
WALLET_CODE: Final = "134567890123456789"
NEW_CARD: Final = card_of(901)
NEW_CARD_OFFLINE: Final = card_of(902)


class Day:
    """Plays it till by till: one window at a time, as one looks over a cashier's shoulder."""

    def __init__(self, shop: DemoShop, tell: Tell) -> None:
        self._shop = shop
        self._tell = tell
        self.offline_points = ""
        """What the member who joined without a network was last shown to have."""

    def play(self) -> None:
        """The first store's two tills, then the second store's."""
        first, second, third = self._shop.benches
        with self._at(first, "zh_CN") as (cashier, station):
            self._first_till(cashier, station, first)
        with self._at(second, "en") as (cashier, _):
            self._second_till(cashier, second)
        with self._at(third, "zh_CN") as (cashier, _):
            self._third_till(cashier)

    def _card(self, tier: str, number: int = 0) -> str:
        """The card of somebody in a tier."""
        people: tuple[Person, ...] = self._shop.people.members
        own = [at for at, person in enumerate(people, 1) if person.tier == tier]
        return card_of(own[number])

    @contextmanager
    def _at(self, bench: Bench, language: str) -> Iterator[tuple[Cashier, Station]]:
        """Open a till's window, and leave it only when everything is printed and sent."""
        self._tell(f"{bench.name} · {bench.store}")
        clock = HandClock()
        station = open_station(
            OpenStore(bench.folder),
            bench.surroundings(language=language, clock=clock),
            scanner=bench.scanner,
            cards=bench.reader,
        )
        try:
            station.window.resize(*SIZE)
            station.window.show()
            station.start()
            hands = Hands(station, bench, clock, self._shop.folder / SCREENS)
            hands.settle()
            yield Cashier(hands, self._shop.stock, bench.folder.database, self._tell), station
            _finish_papers(station)
            hands.wait("everything sent", lambda _: not station.till.unsent())
        finally:
            station.close()

    # The three tills

    def _first_till(self, cashier: Cashier, station: Station, bench: Bench) -> None:
        self._morning(cashier, self._shop.people.cashiers()[0])
        self._offers(cashier)
        self._members(cashier, station)
        self._wallet(cashier, bench)
        self._exceptions(cashier)
        self._outage(cashier, station, bench)
        cashier.sell("王老吉", "王老吉", member=NEW_CARD_OFFLINE)
        self._remember_points(cashier)
        cashier.to_close_shift()
        self._evening(cashier, miscount=0)

    def _second_till(self, cashier: Cashier, bench: Bench) -> None:
        self._morning(cashier, self._shop.people.cashiers()[1])
        self._offers(cashier)
        self._exceptions(cashier)
        for member in range(4):
            cashier.sell("雪碧500ml", "乐事青柠味", member=self._card("member", member))
        cashier.sell("海底捞", "雪花", "雪花")
        self._wallet_dies(cashier, bench)
        cashier.sell("购物袋(大)", "中华香烟")
        cashier.to_close_shift()
        cashier.hands.picture("close-shift-payments")
        cashier.hands.tap(cashier.hands.say("till.close.resolve"))
        cashier.hands.press("Enter")
        cashier.told("till.attempt.other-approved")
        cashier.hands.picture("payments")
        cashier.hands.press("F8")
        cashier.told("till.attempt.other-reversed")
        cashier.hands.press("Esc")
        self._evening(cashier, miscount=100)

    def _third_till(self, cashier: Cashier) -> None:
        cashier.sign_in(self._shop.people.cashiers()[0])
        cashier.open_shift()
        cashier.hands.scan(NEW_CARD_OFFLINE)
        member = cashier.hands.sale.member
        shown = member.points if member else ""
        cashier.hands.picture("member-from-other-store")
        self._tell(f"the second store sees {shown} points, the first left {self.offline_points}")
        if not shown or shown != self.offline_points:
            raise EnvironmentFault("demo-stuck", what="the second store shows another balance")
        cashier.sell("周黑鸭", "青岛啤酒", "青岛啤酒")
        for tier in ("member", "silver", "gold", "diamond"):
            cashier.sell("安慕希", "鲜鸡蛋", member=self._card(tier, 5))
        cashier.ring("五得利", "海天金标", member=self._card("diamond", 6))
        cashier.pay("F7", "F12")
        cashier.to_close_shift()
        cashier.close_shift()
        cashier.close_day()

    def _morning(self, cashier: Cashier, operator: Operator) -> None:
        cashier.wait_for_names()
        cashier.hands.picture("sign-in")
        cashier.sign_in(operator)
        cashier.hands.picture("open-shift")
        cashier.open_shift()
        tour_of_empty_sale(cashier)
        tour_of_searches(cashier, "王建国")
        tour_of_tenders(cashier, self._shop.people.manager())
        cashier.pay()

    def _offers(self, cashier: Cashier) -> None:
        """The second drink at half price; 20 off 100; notes and change; scales."""
        cashier.sell("可口可乐500ml", "可口可乐500ml")
        cashier.hands.scan(self._shop.stock.label("牛腩", 1_250))
        cashier.ring("金龙鱼")
        cashier.hands.picture("offers")
        cashier.pay_notes("200")
        cashier.hands.picture("change")
        cashier.hands.type("3")
        cashier.hands.type("*")
        cashier.sell("农夫山泉")

    def _members(self, cashier: Cashier, station: Station) -> None:
        """A new member reaches a tier at once; points, cash and a card pay one sale; a coupon."""
        hands = cashier.hands
        cashier.ring("膳魔师", "苏泊尔", member=NEW_CARD)
        hands.picture("enrolment")
        cashier.enrol("苏晓晨", "13900005001")
        cashier.pay()
        cashier.sell("德芙", "士力架", member=NEW_CARD)
        cashier.ring("三只松鼠", "洽洽", member=self._card("gold"))
        hands.press("F7")
        hands.picture("points")
        hands.type("20")
        hands.press("Enter")
        hands.picture("split-tender")
        cashier.pay("F6")
        cashier.ring("太古", "梅林", "老干妈", "鲜鸡蛋", member=self._card("silver"))
        hands.scan(new_coupon_code(station.till.identity.lookup_key, "ten-off-fifty"))
        cashier.told("till.sale.coupon-taken")
        hands.picture("coupon")
        cashier.pay()
        hands.tap_card(self._card("diamond"))
        cashier.sell("飞鹤")

    def _wallet(self, cashier: Cashier, bench: Bench) -> None:
        """Paid at once; paid but the answer lost, and found; the request lost, then cash."""
        hands = cashier.hands
        cashier.ring("统一冰红茶", "好丽友派")
        hands.scan(WALLET_CODE)
        cashier.paid()
        bench.wallet.script(Behaviour.LOSE_ANSWER)
        cashier.ring("脉动青柠", "三养")
        hands.scan(WALLET_CODE)
        hands.picture("wallet-waiting")
        cashier.paid()
        bench.wallet.script(Behaviour.LOSE_REQUEST)
        cashier.ring("怡宝", "旺旺雪饼")
        hands.scan(WALLET_CODE)
        _wait_for_answer(cashier)
        hands.picture("wallet-declined")
        cashier.pay()

    def _wallet_dies(self, cashier: Cashier, bench: Bench) -> None:
        """Paid, then the line is dead: cash instead; the close finds it, and it is given back."""
        bench.wallet.script(Behaviour.DEAD_LINE)
        cashier.ring("星巴克", "蛋黄酥")
        cashier.hands.scan(WALLET_CODE)
        cashier.hands.picture("wallet-waiting")
        _wait_for_answer(cashier)
        cashier.hands.picture("wallet-unknown")
        cashier.pay()
        bench.wallet.revive()

    def _exceptions(self, cashier: Cashier) -> None:
        """Held and recalled, a line dropped, goods back, a copy."""
        hands = cashier.hands
        for name in ("卫龙", "溜溜梅"):
            cashier.ring(name, "洽洽")
            hands.press("F4")
            cashier.told("till.hold.held")
        receipt = cashier.sell("妙洁垃圾袋", "妙洁垃圾袋", member=self._card("member"))
        hands.press("F4")
        hands.picture("holds")
        hands.press("Enter")
        cashier.told("till.hold.recalled")
        cashier.pay()
        hands.press("F4")
        cashier.told("till.hold.recalled")
        cashier.ring("绿箭")
        hands.press("Del")
        cashier.told("till.sale.voided")
        cashier.pay()
        hands.scan(receipt)
        hands.picture("return")
        hands.press("Esc")
        cashier.take_back(receipt)
        cashier.menu("receipts")
        hands.press("Enter")
        cashier.told("till.receipts.copied")
        hands.press("Esc")

    def _outage(self, cashier: Cashier, station: Station, bench: Bench) -> None:
        """The network goes in the middle of a sale; selling, joining and returning go on."""
        hands = cashier.hands
        cashier.ring("百威", "黄飞红")
        bench.plug.pull()
        began = time.monotonic()
        self._tell("network cable pulled")
        cashier.pay()
        cashier.wait_offline()
        for number in range(3):
            cashier.sell("元气森林白桃", "浪味仙", member=self._card("silver", number))
        hands.picture("offline")
        cashier.ring("费列罗", "周黑鸭", member=NEW_CARD_OFFLINE)
        cashier.enrol("陆云帆", "13900005002")
        receipt = cashier.pay()
        cashier.sell("百草味", "东鹏", member=NEW_CARD_OFFLINE)
        cashier.take_back(receipt)
        cashier.idle(max(0.0, OUTAGE_S - (time.monotonic() - began)))
        bench.plug.plug_in()
        self._tell("network cable back in")
        cashier.sell("露露", "露露", member=NEW_CARD_OFFLINE)
        cashier.wait_online(station.till.unsent)

    def _remember_points(self, cashier: Cashier) -> None:
        """What the member who joined without a network is shown to have; then the card goes off."""
        hands = cashier.hands
        hands.scan(NEW_CARD_OFFLINE)
        member = hands.sale.member
        assert member is not None
        self.offline_points = member.points
        hands.press("F3")
        hands.tap(hands.say("till.member.off"))

    def _evening(self, cashier: Cashier, *, miscount: int) -> None:
        hands = cashier.hands
        hands.picture("close-shift")
        cashier.close_shift(miscount=miscount)
        cashier.close_day()


def _wait_for_answer(cashier: Cashier) -> None:
    """Until the wallet's last word is on the tender panel."""

    def is_final(view: TillView) -> bool:
        tender = getattr(view.body, "tender", None)
        attempt = tender.attempt if tender else None
        return attempt is not None and not attempt.is_running

    cashier.hands.wait("the wallet's answer", is_final)


def _finish_papers(station: Station) -> None:
    spooler = station.till.spooler
    station.till.wake_printer()
    if spooler is not None and not spooler.wait_idle(PAPER_S):
        raise EnvironmentFault("demo-stuck", what="printer")
