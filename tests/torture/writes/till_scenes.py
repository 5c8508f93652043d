"""Each kind of transaction of a till: what comes before it, and the step that writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest import mock

from sqlalchemy import func, select

from desktop.services.exchanging import Exchange, in_cash
from desktop.services.returns import ReturnedBy
from desktop.store.schema import tickets
from desktop.sync.runner import STREAMS
from shared.protocol.message import Stream
from shared.returning.lines import Wanted
from shared.trade.fact import CashCount
from tests.mutants.table import ROOT
from tests.support.little_chain import TillHere
from tests.support.new_till import opened
from tests.torture.stage import BISCUIT, BOTTLE, Stage, pull_all, top_up

RELEASE: Final = ROOT / "tests/vectors/files/release-1/till"
Tell = Callable[[str], None]
"""Told what has been acknowledged, as soon as it is."""


@dataclass
class Acting:
    """A till in a scene."""

    stage: Stage
    here: TillHere
    sold: int = 0
    """Sales of a scene of several; what was committed is not done again."""


Step = Callable[[Acting, Tell], None]


def _nothing(_acting: Acting, _tell: Tell) -> None:
    """There is nothing to prepare."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """``act`` is what fails; after a failure it is done again."""

    name: str
    act: Step
    prepare: Step = _nothing
    folder: Callable[[Stage], Path] = lambda stage: stage.till
    opens: bool = True
    """Whether the till is at work before; otherwise opening it is the step."""
    pulls: bool = False
    """Whether everything must be here after another pull."""


def _ring_up(acting: Acting, _tell: Tell) -> None:
    here = acting.here
    here.counter.checkout.basket.attach(here.member(acting.stage.member.member_id))
    for code in (BISCUIT, BISCUIT, BOTTLE):
        here.counter.scanning.scan(code)
    here.counter.checkout.tender_points(100)
    here.counter.checkout.tender_cash()


def _finish(acting: Acting, tell: Tell) -> None:
    acting.here.counter.checkout.finish(acting.here.shift, acting.here.operator_id)
    tell("sale_completed")


def _ring_exchange(acting: Acting, _tell: Tell) -> None:
    acting.here.counter.scanning.scan(BISCUIT)
    acting.here.counter.scanning.scan(BOTTLE, comes_in=True)
    acting.here.counter.checkout.tender_cash()


def _bring_back(acting: Acting, _tell: Tell) -> None:
    """Goods of the first sale pay for new ones, as far as they go."""
    here, returns = acting.here, acting.here.till.returns
    with here.till.books.reading() as connection:
        number = connection.execute(select(func.min(tickets.c.receipt_no))).scalar_one()
    sold, wanted = returns.by_receipt(number), [Wanted(1, 1)]
    refunds = returns.would_give(here.till.pricing(), sold, wanted)
    for code in (BISCUIT, BISCUIT, BOTTLE):
        here.counter.scanning.scan(code)
    here.counter.checkout.exchange(
        Exchange(sold=sold, wanted=wanted, reason="faulty", cash=in_cash(refunds))
    )
    here.counter.checkout.tender_cash()


def _exchange(acting: Acting, tell: Tell) -> None:
    acting.here.counter.checkout.finish(acting.here.shift, acting.here.operator_id)
    tell("sale_returned")
    tell("sale_completed")


def _take_back(acting: Acting, tell: Tell) -> None:
    here = acting.here
    with here.till.books.reading() as connection:
        number = connection.execute(select(func.min(tickets.c.receipt_no))).scalar_one()
    sold = here.till.returns.by_receipt(number)
    returned_by = ReturnedBy(
        shift=here.shift, operator_id=here.operator_id, reason="changed mind", approvals=()
    )
    here.till.returns.take_back(here.till.pricing(), sold, [Wanted(1, 1)], returned_by)
    tell("sale_returned")


def _top_up(acting: Acting, tell: Tell) -> None:
    top_up(acting.here, acting.stage.member)
    tell("value_topped_up")


def _ring_two(acting: Acting, _tell: Tell) -> None:
    for code in (BISCUIT, BOTTLE):
        acting.here.counter.scanning.scan(code)


def _hold(acting: Acting, tell: Tell) -> None:
    acting.here.counter.holding.hold(acting.here.shift, acting.here.operator_id)
    tell("basket_held")


def _close_shift(acting: Acting, tell: Tell) -> None:
    shifts = acting.here.counter.shifts
    expected = shifts.figures().expected_cash
    shifts.close(acting.here.operator_id, [CashCount(denomination=1, pieces=expected)])
    tell("shift_closed")


def _open_shift(acting: Acting, tell: Tell) -> None:
    here = acting.here
    here.shift = here.counter.shifts.open(
        here.operator_id, [CashCount(denomination=100_00, pieces=5)]
    )
    tell("shift_opened")


def _close_day(acting: Acting, tell: Tell) -> None:
    acting.here.counter.shifts.close_day(acting.here.operator_id)
    tell("day_closed")


def _enrol(acting: Acting, tell: Tell) -> None:
    acting.here.enrol("韩梅梅", phone="13900139000", card="", birthday="0517")
    tell("member_enrolled")


def _pull(acting: Acting, _tell: Tell) -> None:
    pull_all(acting.here.till)


def _take_snapshot(acting: Acting, _tell: Tell) -> None:
    till = acting.here.till
    server = till.connect()
    till.puller.gives_way = lambda: False
    try:
        till.puller.resume()
        till.puller.pull(server, Stream.MEMBERS)
    finally:
        server.close()


def _open_new(acting: Acting, _tell: Tell) -> None:
    acting.here.till = opened(acting.here)
    server = acting.here.till.connect()
    try:
        for stream in STREAMS:
            if stream is not Stream.MEMBERS:
                acting.here.till.puller.pull(server, stream)
    finally:
        server.close()


def _sell_with_checkpoints(acting: Acting, tell: Tell) -> None:
    """The log is copied into the file after each; the next begins it anew."""
    with mock.patch("desktop.store.writer.FRAMES_BEFORE_CHECKPOINT", 0):
        while acting.sold < 2:
            acting.here.sell(BISCUIT)
            acting.sold += 1
            tell("sale_completed")


def _scrub(acting: Acting, _tell: Tell) -> None:
    writer = acting.here.till.store.writer
    done = writer.scrub()
    writer.run(lambda _transaction: None)
    done.result()


def _migrate(acting: Acting, _tell: Tell) -> None:
    acting.here.open()


def _sell_some(acting: Acting, _tell: Tell) -> None:
    for _ in range(3):
        acting.here.sell(BISCUIT)


def _close(acting: Acting, _tell: Tell) -> None:
    acting.here.till.close()


TILL_SCENES: Final = (
    Scene(name="sale", prepare=_ring_up, act=_finish),
    Scene(name="return", act=_take_back),
    Scene(name="exchange", prepare=_ring_exchange, act=_finish),
    Scene(name="goods-exchange", prepare=_bring_back, act=_exchange),
    Scene(name="top-up", act=_top_up),
    Scene(name="hold", prepare=_ring_two, act=_hold),
    Scene(name="shift-close", act=_close_shift),
    Scene(name="shift-open", prepare=_close_shift, act=_open_shift),
    Scene(name="day-close", prepare=_close_shift, act=_close_day),
    Scene(name="enrolment", act=_enrol),
    Scene(name="pull", act=_pull, pulls=True),
    Scene(
        name="snapshot",
        folder=lambda stage: stage.new,
        prepare=_open_new,
        act=_take_snapshot,
        opens=False,
        pulls=True,
    ),
    Scene(name="checkpoint", act=_sell_with_checkpoints),
    Scene(name="scrub", act=_scrub),
    Scene(name="closing", prepare=_sell_some, act=_close),
    Scene(name="migration", folder=lambda _stage: RELEASE, act=_migrate, opens=False),
)


def acting(scene: Scene, stage: Stage, folder: Path) -> Acting:
    """A till on a copy of the scene's folder; not open."""
    return Acting(stage, stage.copy(scene.folder(stage), folder))
