"""What the customer sees of a sale, on two lines and in full; and nothing of the member."""

from dataclasses import dataclass, field

import pytest

from desktop.customer_screens import CustomerScreens
from desktop.presenters.customer import CustomerKind, customer_view
from desktop.presenters.intent import Key
from desktop.presenters.till import TillPresenter
from hardware.display.port import DisplayLine
from hardware.ports import DeviceState, Health, Power
from tests.support.till_fixture import APPLES, CHIPS, RICE, WATER
from tests.unit.presenters.conftest import Inline


@dataclass
class PaperDisplay:
    """Keeps what it is shown."""

    shows_chinese: bool = True
    shown: list[tuple[str, str, str, str]] = field(default_factory=list)
    name: str = "display"

    def open(self) -> None: ...

    def close(self) -> None: ...

    def check_health(self, *, deadline_s: float) -> Health:
        return Health(self.name, DeviceState.IDLE, Power.UNKNOWN, "devices.display.mute")

    def show(self, upper: DisplayLine, lower: DisplayLine) -> None:
        self.shown.append((upper.left, upper.right, lower.left, lower.right))


@pytest.fixture
def display(inline: Inline) -> PaperDisplay:
    made = PaperDisplay()
    screens = CustomerScreens(display=made)
    presenter = inline.loop._presenter
    assert isinstance(presenter, TillPresenter)
    inline.loop.attach(presenter, screens.beside(inline.views.append))
    return made


def test_a_sale_from_the_greeting_to_the_change(display, inline):
    inline.sign_in()
    inline.open_shift()
    assert display.shown[-1][2] == "欢迎光临"
    inline.scan(CHIPS.barcodes[0])
    assert display.shown[-1] == ("乐事原味薯片70g", "¥7.50", "合计", "¥7.50")
    inline.type("3")
    inline.press(Key.TIMES)
    inline.scan(WATER.barcodes[0])
    assert display.shown[-1] == ("3×农夫山泉饮用天然水550ml", "¥5.00", "合计", "¥12.50")
    inline.press(Key.F11)
    assert display.shown[-1] == ("合计", "¥12.50", "应付", "¥12.50")
    inline.type("10")
    inline.press(Key.ENTER)
    assert display.shown[-1] == ("合计", "¥12.50", "应付", "¥2.50")
    inline.type("20")
    inline.press(Key.ENTER)
    assert display.shown[-1] == ("合计", "¥12.50", "找零", "¥17.50")
    inline.scan(RICE.barcodes[0])
    assert display.shown[-1] == ("五常大米5kg", "¥69.90", "合计", "¥69.90")


def test_a_display_without_chinese_is_given_english(display, selling):
    display.shows_chinese = False
    selling.scan(CHIPS.barcodes[0])
    assert display.shown[-1] == ("Lay's potato chips 70 g", "¥7.50", "Total", "¥7.50")


def test_the_same_is_not_written_twice(display, selling):
    selling.scan(CHIPS.barcodes[0])
    before = len(display.shown)
    selling.type("12")
    selling.press(Key.BACKSPACE)
    assert len(display.shown) == before


def test_weighed_goods_are_one_thing_and_the_chosen_line_is_shown(display, selling):
    selling.scan(CHIPS.barcodes[0], str(APPLES.sku))
    selling.press(Key.ENTER, kilograms="0.5")
    assert display.shown[-1][:2] == ("红富士苹果", "¥6.40")
    selling.press(Key.UP)
    assert display.shown[-1] == ("乐事原味薯片70g", "¥7.50", "合计", "¥13.90")


def test_a_screen_gets_the_goods_with_what_is_paid_for_them(selling):
    selling.scan(CHIPS.barcodes[0], WATER.barcodes[0])
    seen = customer_view(selling.view)
    assert seen.kind is CustomerKind.LINE
    assert [row.amount for row in seen.rows] == [750, 200]
    assert sum(row.amount for row in seen.rows) == selling.sale.total


def test_between_customers_it_greets_and_keeps_nothing_of_the_last(display, selling):
    selling.scan(CHIPS.barcodes[0])
    selling.press(Key.DELETE)
    assert display.shown[-1][2:] == ("欢迎光临", "")
    assert customer_view(selling.view).rows == ()
