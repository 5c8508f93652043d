"""The demo's panel: what is done there is what the till's devices do."""

from collections.abc import Iterator
from threading import Thread
from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QCheckBox, QPushButton, QSpinBox

from desktop.bootstrap import Surroundings
from desktop.demo.beside import Beside
from desktop.demo.panel import SimulatorPanel
from hardware.ports import AttemptState, PaymentRequest, PaymentResult
from hardware.scale.port import Reading, ScaleState
from hardware.simulators.scale import CallbackScaleSimulator
from shared.clock import SystemClock
from shared.language import Language, words
from shared.money import Currency, Money


@pytest.fixture
def scale() -> CallbackScaleSimulator:
    return CallbackScaleSimulator(SystemClock())


@pytest.fixture
def devices() -> Iterator[Beside]:
    with Beside() as made:
        yield made


@pytest.fixture
def panel(qtbot, scale: CallbackScaleSimulator, devices: Beside) -> SimulatorPanel:
    bench = SimpleNamespace(scale=scale, plug=None, wallet=None, scanner=None, reader=None)
    nobody = SimpleNamespace(members=[])
    nothing = SimpleNamespace(goods=[])
    made = SimulatorPanel(bench, nothing, nobody, devices=devices, language=Language.CHINESE)
    qtbot.addWidget(made)
    return made


def test_what_is_put_on_the_scale_is_weighed(panel, scale):
    told: list[Reading] = []
    scale.watch(told.append)
    grams, moving = panel.findChild(QSpinBox), box(panel, "demo.scale-moving")
    grams.setValue(1230)
    moving.setChecked(True)
    moving.setChecked(False)
    grams.setValue(16_000)
    grams.setValue(-10)
    grams.setValue(0)
    assert [(one.state, one.grams) for one in told] == [
        (ScaleState.STABLE, 1230),
        (ScaleState.MOTION, 0),
        (ScaleState.STABLE, 1230),
        (ScaleState.OVERLOAD, 0),
        (ScaleState.UNDER_ZERO, 0),
        (ScaleState.EMPTY, 0),
    ]
    assert scale.reading().state is ScaleState.EMPTY


def press(panel: SimulatorPanel, key: str) -> None:
    text = words(Language.CHINESE)(key)
    next(one for one in panel.findChildren(QPushButton) if one.text() == text).click()


def test_the_next_card_does_what_was_clicked(panel, devices):
    terminal = devices.attached_to(Surroundings()).terminal
    assert terminal is not None

    def pay(attempt: str) -> PaymentResult:
        return terminal.pay(PaymentRequest(attempt, Money(500, Currency("CNY"))), deadline_s=30)

    press(panel, "demo.card-declined")
    assert pay("a").state is AttemptState.DECLINED
    assert pay("b").state is AttemptState.APPROVED
    press(panel, "demo.card-slow")
    said: list[AttemptState] = []
    waiting = Thread(target=lambda: said.append(pay("c").state))
    waiting.start()
    while "c" not in devices.terminal.provider.books:
        waiting.join(0.01)
    press(panel, "demo.card-pays")
    waiting.join()
    assert said == [AttemptState.APPROVED]


def test_the_fiscal_device_is_pulled_out_and_put_in_again(panel, devices):
    device = devices.attached_to(Surroundings()).fiscal
    assert device is not None
    plug = box(panel, "demo.fiscal")
    assert device.check_health(deadline_s=5).is_ready
    plug.setChecked(False)
    assert not device.check_health(deadline_s=5).is_ready
    plug.setChecked(True)
    assert device.check_health(deadline_s=5).is_ready


def box(panel, key: str) -> QCheckBox:
    text = words(Language.CHINESE)(key)
    return next(one for one in panel.findChildren(QCheckBox) if one.text() == text)
