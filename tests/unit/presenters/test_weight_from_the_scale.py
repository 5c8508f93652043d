"""Weighed goods at a till with a scale: its weight with one key, typing always possible."""

from dataclasses import dataclass, field

import pytest

from desktop.presenters.intent import Key, Press, ScaleTold
from desktop.presenters.text import Say
from desktop.presenters.view import Figures, Sheet
from hardware.ports import DeviceState, Health, Power
from hardware.scale.port import FRESH_S, OnReading, Reading, ScaleState
from shared.clock import ManualClock
from tests.support.till_fixture import APPLES, CHIPS
from tests.unit.presenters.conftest import Inline

CODE = str(APPLES.sku)


@dataclass
class ScaleInHand:
    """A scale that reads what the test says, on the till's clock."""

    clock: ManualClock
    now: Reading = field(default_factory=lambda: Reading(ScaleState.EMPTY))
    on_change: OnReading | None = None
    prices: list[int] = field(default_factory=list)
    name: str = "scale"

    def open(self) -> None: ...

    def close(self) -> None: ...

    def check_health(self, *, deadline_s: float) -> Health:
        return Health(self.name, DeviceState.IDLE, Power.ONLINE, "devices.scale.ready")

    def watch(self, on_change: OnReading | None, *, unit_price_minor: int = 0) -> None:
        self.on_change = on_change
        self.now = Reading(ScaleState.MOTION)
        if on_change is not None:
            self.prices.append(unit_price_minor)

    def reading(self) -> Reading:
        return self.now.as_of(self.clock.monotonic())

    def say(self, state: ScaleState, grams: int = 0) -> None:
        self.now = Reading(state, grams, self.clock.monotonic())
        assert self.on_change is not None
        self.on_change(self.now)


@pytest.fixture
def scale(inline: Inline) -> ScaleInHand:
    made = ScaleInHand(inline.clock)
    presenter = inline.loop._presenter
    presenter._session.scale = made  # type: ignore[union-attr]  # a TillPresenter
    return made


@pytest.fixture
def weighing(scale: ScaleInHand, selling: Inline) -> Inline:
    selling.scan(CODE)
    return selling


def sheet(till: Inline) -> Sheet:
    assert till.view.overlay is not None
    return till.view.overlay


def shown(till: Inline) -> str:
    (figures,) = (part for part in sheet(till).parts if isinstance(part, Figures))
    assert isinstance(figures.rows[0].value, str)
    return figures.rows[0].value


def test_the_weight_on_the_scale_is_shown_and_taken_with_one_key(weighing, scale):
    scale.say(ScaleState.STABLE, 1234)
    weighing.loop.run_waiting()
    assert shown(weighing) == "1.234 kg"
    weighing.press(Key.ENTER)
    assert [line.quantity for line in weighing.sale.lines] == [1234]
    assert weighing.view.overlay is None


def test_the_scale_is_told_the_price_and_weighs_only_while_it_is_asked(weighing, scale):
    assert scale.prices == [APPLES.list_price_minor]
    assert scale.on_change is not None
    weighing.press(Key.ESC)
    assert scale.on_change is None


def test_typing_comes_before_the_scale(weighing, scale):
    scale.say(ScaleState.STABLE, 1234)
    weighing.press(Key.ENTER, kilograms="0.5")
    assert [line.quantity for line in weighing.sale.lines] == [500]


@pytest.mark.parametrize("state", [state for state in ScaleState if state is not ScaleState.STABLE])
def test_no_other_state_is_a_weight_and_each_says_what_to_do(weighing, scale, state):
    scale.say(state)
    weighing.press(Key.ENTER)
    assert weighing.sale.lines == ()
    assert weighing.told.key == f"devices.scale.{state}"
    weighing.press(Key.ENTER, kilograms="0.5")
    assert [line.quantity for line in weighing.sale.lines] == [500]


def test_a_weight_that_has_expired_is_not_sold(weighing, scale):
    scale.say(ScaleState.STABLE, 1234)
    weighing.clock.advance(seconds=FRESH_S + 0.1)
    weighing.press(Key.ENTER)
    assert weighing.sale.lines == ()
    assert weighing.told.key == "devices.scale.stale"


def test_the_weight_of_the_last_goods_is_not_that_of_the_next(weighing, scale):
    scale.say(ScaleState.STABLE, 1234)
    weighing.press(Key.ENTER)
    weighing.scan(CODE)
    weighing.press(Key.ENTER)
    assert [line.quantity for line in weighing.sale.lines] == [1234]
    assert weighing.told.key == "devices.scale.motion"


def test_the_sale_goes_on_under_a_sheet_that_waits_for_a_weight(weighing, scale):
    weighing.scan(CHIPS.barcodes[0])
    assert weighing.amounts == [750]
    scale.say(ScaleState.STABLE, 1000)
    weighing.press(Key.ENTER)
    assert weighing.amounts == [750, 1280]


def test_news_of_the_scale_that_comes_too_late_changes_nothing(weighing, scale):
    weighing.press(Key.ESC)
    weighing.do(ScaleTold())
    assert weighing.view.overlay is None


def test_paying_takes_the_sheet_away_and_lets_the_scale_rest(weighing, scale):
    weighing.press(Key.ESC)
    weighing.scan(CHIPS.barcodes[0], CODE)
    weighing.do(Press(Key.F12, weighing.clock.monotonic()))
    assert weighing.tickets == 1
    assert scale.on_change is None


def test_without_a_scale_it_is_as_it_was(selling):
    selling.scan(CODE)
    assert not any(isinstance(part, Figures) for part in sheet(selling).parts)
    selling.press(Key.ENTER)
    assert selling.told == Say("error.bad-weight", (("text", ""),))
