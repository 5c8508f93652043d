"""The demo's scale: what is put on it in the panel is what the till weighs."""

from types import SimpleNamespace

import pytest
from PySide6.QtWidgets import QCheckBox, QSpinBox

from desktop.demo.panel import SimulatorPanel
from hardware.scale.port import Reading, ScaleState
from hardware.simulators.scale import CallbackScaleSimulator
from shared.clock import SystemClock
from shared.language import Language, words


@pytest.fixture
def scale() -> CallbackScaleSimulator:
    return CallbackScaleSimulator(SystemClock())


@pytest.fixture
def panel(qtbot, scale: CallbackScaleSimulator) -> SimulatorPanel:
    bench = SimpleNamespace(scale=scale, plug=None, wallet=None, scanner=None, reader=None)
    nobody = SimpleNamespace(members=[])
    nothing = SimpleNamespace(goods=[])
    made = SimulatorPanel(bench, nothing, nobody, language=Language.CHINESE)
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


def box(panel, key: str) -> QCheckBox:
    text = words(Language.CHINESE)(key)
    return next(one for one in panel.findChildren(QCheckBox) if one.text() == text)
