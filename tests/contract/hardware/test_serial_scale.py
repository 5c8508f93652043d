"""One contract for scales on a line (a pty), kept by the driver in every protocol."""

import time
from collections.abc import Callable, Iterator
from queue import Queue

import pytest

from hardware.ports import DeviceState, Power
from hardware.scale.dialog_06 import ApprovedPair
from hardware.scale.port import Reading, ScaleState
from hardware.scale.protocols import ScaleProtocol, line_of, maker_of
from hardware.scale.serial_scale import SerialScale
from hardware.simulators.scale import ScaleSimulator
from hardware.worker import Backoff
from shared.clock import SystemClock

WAIT_S = 10
ALL = list(ScaleProtocol)
PAIR = ApprovedPair(0x4711, 0x0815)
Weigh = Callable[[ScaleProtocol], tuple[ScaleSimulator, SerialScale, Queue[Reading]]]


@pytest.fixture
def weigh() -> Iterator[Weigh]:
    opened: list[ScaleSimulator | SerialScale] = []

    def make(protocol: ScaleProtocol) -> tuple[ScaleSimulator, SerialScale, Queue[Reading]]:
        simulator = ScaleSimulator(protocol)
        scale = SerialScale(
            "scale",
            line_of(protocol, simulator.port),
            maker_of(protocol, pair=PAIR),
            clock=SystemClock(),
            answer_s=0.6,
            backoff=lambda: Backoff(0.02),
        )
        scale.open()
        opened.extend((scale, simulator))
        assert scale.wait_until_connected(timeout_s=WAIT_S)
        told: Queue[Reading] = Queue()
        return simulator, scale, told

    yield make
    for one in opened:
        one.close()


def wait_for(told: Queue[Reading], state: ScaleState) -> Reading:
    while (reading := told.get(timeout=WAIT_S)).state is not state:
        pass
    return reading


@pytest.mark.parametrize("protocol", ALL)
def test_a_weight_comes_through_to_the_gram_also_in_pieces(
    weigh: Weigh, protocol: ScaleProtocol
) -> None:
    simulator, scale, told = weigh(protocol)
    simulator.faults.piece = 1
    simulator.put(1234)
    scale.watch(told.put, unit_price_minor=1299)
    assert wait_for(told, ScaleState.STABLE).grams == 1234
    assert scale.reading().grams == 1234
    simulator.put(1)
    assert wait_for(told, ScaleState.STABLE).grams == 1


@pytest.mark.parametrize("protocol", ALL)
def test_every_state_of_a_scale_is_told_and_none_of_them_is_a_weight(
    weigh: Weigh, protocol: ScaleProtocol
) -> None:
    simulator, scale, told = weigh(protocol)
    scale.watch(told.put, unit_price_minor=1299)
    assert wait_for(told, ScaleState.EMPTY).grams == 0
    simulator.put(20_000)
    assert wait_for(told, ScaleState.OVERLOAD).grams == 0
    simulator.put(-20)
    assert wait_for(told, ScaleState.UNDER_ZERO).grams == 0
    simulator.put(500)
    assert wait_for(told, ScaleState.STABLE).grams == 500
    simulator.faults.is_moving = True
    assert wait_for(told, ScaleState.MOTION).grams == 0
    simulator.faults.is_moving = False
    simulator.faults.breaks_checksums = True
    simulator.put(500)
    assert wait_for(told, ScaleState.NOISE).grams == 0
    simulator.faults.breaks_checksums = False
    simulator.put(500)
    for fault in ("is_noisy", "breaks_off"):
        wait_for(told, ScaleState.STABLE)
        setattr(simulator.faults, fault, True)
        wait_for(told, ScaleState.NOISE)
        setattr(simulator.faults, fault, False)
        simulator.put(500)
    assert wait_for(told, ScaleState.STABLE).grams == 500
    simulator.faults.is_silent = True
    assert wait_for(told, ScaleState.SILENT).grams == 0


def test_a_scale_that_is_plugged_in_again_weighs_again(weigh: Weigh) -> None:
    simulator, scale, told = weigh(ScaleProtocol.TOLEDO_8217)
    scale.watch(told.put)
    simulator.put(700)
    wait_for(told, ScaleState.STABLE)
    simulator.line.unplug()
    wait_for(told, ScaleState.OFF)
    health = scale.check_health(deadline_s=1)
    assert (health.state, health.power) == (DeviceState.ERROR, Power.OFF)


def test_nobody_is_asked_while_nobody_watches(weigh: Weigh) -> None:
    simulator, scale, told = weigh(ScaleProtocol.TOLEDO_8217)
    scale.watch(told.put)
    wait_for(told, ScaleState.EMPTY)
    scale.watch(None)
    scale.check_health(deadline_s=WAIT_S)
    asked = len(simulator.line.received)
    time.sleep(0.4)
    assert len(simulator.line.received) == asked


def test_a_weight_of_an_earlier_watch_is_never_shown_in_the_next(weigh: Weigh) -> None:
    simulator, scale, told = weigh(ScaleProtocol.DIALOG_06)
    simulator.put(700)
    scale.watch(told.put, unit_price_minor=100)
    wait_for(told, ScaleState.STABLE)
    scale.watch(told.put, unit_price_minor=200)
    assert scale.reading().state is ScaleState.MOTION
    wait_for(told, ScaleState.UNCHANGED)
    simulator.put(700)
    wait_for(told, ScaleState.STABLE)
    assert (simulator.prices[0], simulator.prices[-1]) == (100, 200)


def test_a_weight_that_is_given_once_stands_while_nothing_moves(weigh: Weigh) -> None:
    simulator, scale, told = weigh(ScaleProtocol.DIALOG_06)
    simulator.put(700)
    scale.watch(told.put, unit_price_minor=100)
    first = wait_for(told, ScaleState.STABLE)
    asked = len(simulator.prices)
    while len(simulator.prices) < asked + 3:
        time.sleep(0.01)
    assert scale.reading().grams == 700
    assert scale.reading().at > first.at
    assert told.empty()
    simulator.put(800)
    assert wait_for(told, ScaleState.STABLE).grams == 800


def test_a_weight_of_an_earlier_watch_is_never_told_to_the_next() -> None:
    """An answer that was on its way when the goods changed belongs to nobody."""
    scale = SerialScale(
        "scale",
        line_of(ScaleProtocol.DIALOG_06, "usb:1234:5678"),
        maker_of(ScaleProtocol.DIALOG_06),
        clock=SystemClock(),
    )
    told: list[Reading] = []
    scale.watch(told.append, unit_price_minor=100)
    earlier = scale._watch
    scale.watch(told.append, unit_price_minor=200)
    scale._note(earlier, Reading(ScaleState.STABLE, 700, SystemClock().monotonic()))
    assert told == []
    assert scale.reading().state is ScaleState.OFF


def test_dialog_06_answers_the_request_for_checksums_in_the_middle_of_the_work(
    weigh: Weigh,
) -> None:
    simulator, scale, told = weigh(ScaleProtocol.DIALOG_06)
    simulator.faults.checksum_every = 1
    for grams in (100, 200, 300):
        simulator.put(grams)
        scale.watch(told.put, unit_price_minor=100)
        while wait_for(told, ScaleState.STABLE).grams != grams:
            pass
    assert simulator.line.received.count(b"\x0210\x1b") >= 3


@pytest.mark.parametrize("protocol", ALL)
def test_health_is_asked_of_the_scale_itself(weigh: Weigh, protocol: ScaleProtocol) -> None:
    simulator, scale, _ = weigh(protocol)
    simulator.put(500)
    health = scale.check_health(deadline_s=WAIT_S)
    assert (health.state, health.power) == (DeviceState.IDLE, Power.ONLINE)
    simulator.faults.is_silent = True
    health = scale.check_health(deadline_s=WAIT_S)
    assert health.message_key == "devices.scale.silent"
    assert not health.is_ready
    scale.close()
    assert scale.check_health(deadline_s=1).state is DeviceState.CLOSED
