"""The replay itself: a server process, some tills, and every invoice of the file, day by day."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from desktop.bootstrap import Counter as SalesCounter
from desktop.bootstrap import OpenStore, Surroundings, Till
from desktop.past_sales.invoices import invoices_of
from desktop.past_sales.lines import CANCELLATION, ShopLine
from desktop.past_sales.matching import Ledger, Place, Sold
from desktop.services.returns import ReturnedBy
from desktop.shop.network_plug import NetworkPlug
from desktop.shop.server_process import ServerProcess
from desktop.store.database import TillFolder
from desktop.store.members import Member
from desktop.store.tickets import OpenShift
from shared.catalogue.code_table import CodeKind
from shared.catalogue.codes import member_code, own_digits
from shared.catalogue.goods import Goods
from shared.clock import ManualClock
from shared.errors import DomainError
from shared.ids import GoodsId, OperatorId
from shared.loyalty.bundle import programme_bytes
from shared.loyalty.programme import Programme, Returns
from shared.money import AMOUNT_MINOR_MAX
from shared.pricing.basket import BasketLine
from shared.returning.lines import Wanted
from shared.trade.fact import Approval, CashCount

OPERATOR: Final = "replay"
PIN: Final = "000000"
INVOICES_PER_SPELL: Final = 25
"""How many invoices are rung before the network may change, and tills sync if it is up."""

Part = TypeVar("Part")
Tell = Callable[[int], None]
"""Told how many lines were dealt with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What a replay plays with."""

    folder: Path
    programme: Programme
    zone: str
    tills: int
    offline_share: float
    seed: int = 0


@dataclass(slots=True)
class Played:
    """What was done, as the replay counted it; the reckoning counts again from the files."""

    invoices: int = 0
    split: int = 0
    """Sales made because an invoice did not fit one receipt."""
    returned_lines_matched: int = 0
    returned_lines_unmatched: int = 0
    """Lines of which at least one unit has no earlier sale: a return without receipt."""
    returned_units_matched: int = 0
    returned_units_unmatched: int = 0
    invoices_offline: int = 0
    sync_batches: int = 0
    sell_s: float = 0.0
    sync_s: float = 0.0
    days: set[date] = field(default_factory=set)


@dataclass(slots=True)
class _Lane:
    """One till at work."""

    number: int
    till: Till
    counter: SalesCounter
    clock: ManualClock
    operator_id: OperatorId
    shift: OpenShift | None = None

    def on_duty(self, day: date) -> OpenShift:
        """The shift of the day, opened with its first ticket."""
        if self.shift is None:
            self.shift = self.counter.shifts.open(self.operator_id, (), business_date=day)
        return self.shift

    def end_day(self) -> None:
        """Close shift and day on a count that agrees."""
        if self.shift is None:
            return
        expected = self.counter.shifts.figures().expected_cash
        # A drawer that paid out more than it took is short: nothing can be counted in it.
        counts = [CashCount(denomination=1, pieces=expected)] if expected > 0 else []
        self.counter.shifts.close(self.operator_id, counts)
        self.counter.shifts.close_day(self.operator_id)
        self.shift = None


class Replay:
    """Rings lines up on the tills of a shop that is made for it."""

    def __init__(self, shop: Shop, lines: Sequence[ShopLine]) -> None:
        self._shop = shop
        self._lines = lines
        self._goods = _goods_of(lines, shop.programme)
        self._random = random.Random(shop.seed)  # noqa: S311 - a repeatable network, no secret
        self._sold = Ledger()
        self._homes: dict[str, _Lane] = {}
        self._cards: dict[str, str] = {}
        self._lanes: list[_Lane] = []
        self.played = Played()
        self.server = ServerProcess(shop.folder / "server")

    @property
    def till_files(self) -> list[Path]:
        """The tills' databases."""
        return [TillFolder(self._shop.folder / f"till-{n}").database for n in self._numbers]

    @property
    def _numbers(self) -> range:
        return range(1, self._shop.tills + 1)

    def play(self, tell: Tell) -> None:
        """Do everything; afterwards all processes have ended and all files are closed."""
        zone = ZoneInfo(self._shop.zone)
        sown = self.server.prepare(self._seed())
        with self.server:
            plug = NetworkPlug(self.server.start())
            try:
                self._enrol(sown, plug)
                for day, invoices in groupby(
                    invoices_of(self._lines, zone), key=lambda one: one.day
                ):
                    self._play_day(day, [one.lines for one in invoices], plug, tell)
                plug.plug_in()
                # Twice: what the last till sends in the first round, the others see in the second.
                self._sync()
                self._sync()
            finally:
                self._close(plug)

    def _seed(self) -> dict[str, Any]:
        programme = msgspec.structs.replace(
            self._shop.programme, returns=Returns(without_receipt_minor=AMOUNT_MINOR_MAX)
        )
        tills = [{"name": f"Till {number}"} for number in self._numbers]
        return {
            "stores": [{"name": "Replay", "zone": self._shop.zone, "tills": tills}],
            "operators": [{"name": OPERATOR, "pin": PIN, "role": "manager"}],
            "programme": msgspec.json.decode(programme_bytes(programme)),
            "goods": msgspec.to_builtins(list(self._goods.values())),
        }

    def _enrol(self, sown: dict[str, Any], plug: NetworkPlug) -> None:
        first = min((line.at for line in self._lines), default=datetime.now(UTC))
        for number, told in zip(self._numbers, sown["stores"][0]["tills"], strict=True):
            store = OpenStore(TillFolder(self._shop.folder / f"till-{number}"))
            store.enrol(url=plug.url, code=told["code"])
            clock = ManualClock(first)
            till = Till(store, Surroundings(clock=clock, language="en"))
            till.sync.try_once()
            operator = OperatorId(sown["operators"][0]["operator_id"])
            self._lanes.append(_Lane(number, till, till.counter(), clock, operator))

    def _play_day(
        self, day: date, invoices: list[list[ShopLine]], plug: NetworkPlug, tell: Tell
    ) -> None:
        self.played.days.add(day)
        for number, group in enumerate(invoices):
            if number % INVOICES_PER_SPELL == 0:
                self._next_spell(plug)
            self._ring_invoice(day, group, offline=not plug.is_plugged_in)
            tell(len(group))
        for lane in self._lanes:
            lane.end_day()

    def _next_spell(self, plug: NetworkPlug) -> None:
        if self._random.random() < self._shop.offline_share:
            plug.pull()
        else:
            plug.plug_in()
        self._sync()

    def _sync(self) -> None:
        began = time.perf_counter()
        for lane in self._lanes:
            lane.till.sync.try_once()
        self.played.sync_s += time.perf_counter() - began

    def _ring_invoice(self, day: date, lines: list[ShopLine], *, offline: bool) -> None:
        began = time.perf_counter()
        self.played.invoices += 1
        self.played.invoices_offline += offline
        if lines[0].invoice.startswith(CANCELLATION):
            self._take_back(day, lines)
        else:
            lane = self._lane_for(lines[0])
            _set_clock(lane, lines[0])
            self._sell(lane, day, lines)
        self.played.sell_s += time.perf_counter() - began

    def _lane_for(self, line: ShopLine) -> _Lane:
        """Any till; a member only where they are known (or at home, where they were enrolled)."""
        lane = self._random.choice(self._lanes)
        home = self._homes.get(line.member)
        if home is None or lane.till.members.by_card(self._cards[line.member]):
            return lane
        return home

    def _sell(self, lane: _Lane, day: date, lines: list[ShopLine]) -> None:
        shift = lane.on_duty(day)
        checkout = lane.counter.checkout
        for line in lines:
            checkout.basket.add(
                replace(self._goods[line.code], list_price_minor=line.price_minor),
                units=line.units,
            )
        if lines[0].member:
            checkout.basket.attach(self._member(lane, lines[0].member))
        try:
            checkout.tender_cash()
        except DomainError as error:
            if error.code != "basket-too-large":
                raise
            # The cashier's way out: finish a part, then ring up the rest.
            checkout.clear()
            self.played.split += 1
            middle = len(lines) // 2
            self._sell(lane, day, lines[:middle])
            self._sell(lane, day, lines[middle:])
            return
        sale = checkout.finish(shift, lane.operator_id).fact
        for sold in sale.lines:
            place = Place(lane.number, sale.receipt_no, sold.line)
            self._sold.sell(
                lines[0].member, sold.goods_id, sold.unit_price, Sold(place, sold.quantity)
            )

    def _member(self, lane: _Lane, member: str) -> Member | None:
        card = self._cards.get(member)
        if card is None:
            # Cards are numbered in the order people first came; the file's own numbers are text.
            card = member_code(f"{len(self._cards) + 1:0{own_digits(CodeKind.MEMBER)}d}")
            self._cards[member] = card
            self._homes[member] = lane
            return lane.till.members.enrol(
                name=f"Customer {member}",
                card=card,
                operator_id=lane.operator_id,
                tier=self._shop.programme.tiers.ladder[0].id,
            )
        return lane.till.members.by_card(card)

    def _take_back(self, day: date, lines: list[ShopLine]) -> None:
        wanted: dict[tuple[int, str], Counter[int]] = {}
        rest: list[tuple[ShopLine, int]] = []
        for line in lines:
            left = -line.units
            for match in self._sold.take_back(line.member, line.code, line.price_minor, left):
                place = match.place
                wanted.setdefault((place.till, place.receipt_no), Counter())[place.line] += (
                    match.units
                )
                left -= match.units
            self.played.returned_lines_matched += left == 0
            self.played.returned_lines_unmatched += left > 0
            self.played.returned_units_matched += -line.units - left
            self.played.returned_units_unmatched += left
            if left:
                rest.append((line, left))
        for (till, receipt_no), units in wanted.items():
            lane = self._lanes[till - 1]
            _set_clock(lane, lines[0])
            back = [Wanted(line, count) for line, count in sorted(units.items())]
            self._in_parts(back, partial(self._take_back_by_receipt, lane, day, receipt_no))
        if rest:
            self._in_parts(rest, partial(self._take_back_without_receipt, day))

    def _in_parts(self, whole: Sequence[Part], do: Callable[[Sequence[Part]], None]) -> None:
        """What does not fit one record is done in two, as a cashier would."""
        try:
            do(whole)
        except DomainError as error:
            if error.code != "entry-too-large" or len(whole) < 2:
                raise
            self.played.split += 1
            middle = len(whole) // 2
            self._in_parts(whole[:middle], do)
            self._in_parts(whole[middle:], do)

    def _take_back_by_receipt(
        self, lane: _Lane, day: date, receipt_no: str, back: Sequence[Wanted]
    ) -> None:
        lane.till.returns.take_back(
            lane.counter.checkout.basket.pricing,
            lane.till.returns.by_receipt(receipt_no),
            back,
            _by(lane, day),
        )

    def _take_back_without_receipt(self, day: date, rest: Sequence[tuple[ShopLine, int]]) -> None:
        lane = self._random.choice(self._lanes)
        _set_clock(lane, rest[0][0])
        lane.till.returns.take_back_without_receipt(
            lane.counter.checkout.basket.pricing,
            [
                BasketLine(
                    id=str(number),
                    goods=replace(self._goods[line.code], list_price_minor=line.price_minor),
                    units=units,
                )
                for number, (line, units) in enumerate(rest)
            ],
            _by(lane, day, approved=True),
        )

    def _close(self, plug: NetworkPlug) -> None:
        for lane in self._lanes:
            self.played.sync_batches += lane.till.pusher.batches
            lane.till.close()
        plug.pull()


def _by(lane: _Lane, day: date, *, approved: bool = False) -> ReturnedBy:
    approval = Approval(
        approval_id=lane.till.books.new_id(),
        action="return-without-receipt",
        approver_id=lane.operator_id,
    )
    return ReturnedBy(
        shift=lane.on_duty(day),
        operator_id=lane.operator_id,
        reason="cancellation",
        approvals=(approval,) if approved else (),
    )


def _set_clock(lane: _Lane, line: ShopLine) -> None:
    """The file's time, but never backwards within a till."""
    lane.clock.set(max(line.at, lane.clock.now()))


def _goods_of(lines: Sequence[ShopLine], programme: Programme) -> dict[str, Goods]:
    """One article per code, by the first name and price the file tells."""
    tax_class = programme.tax_classes[0].id
    goods: dict[str, Goods] = {}
    for line in lines:
        if line.code not in goods:
            goods[line.code] = Goods(
                sku=GoodsId(line.code),
                name_zh=line.name,
                name_en=line.name,
                tax_class=tax_class,
                list_price_minor=line.price_minor,
            )
    return goods
