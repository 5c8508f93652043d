"""Actions and draws under the cashier's hands: menu, tiles, keys."""

import msgspec
import pytest

from desktop.presenters.intent import Key
from desktop.presenters.text import key_of
from desktop.presenters.view import Choices
from shared.loyalty.bundle import template
from tests.support.benefits import SPRING, SURVEY

PROGRAMME = msgspec.structs.replace(template("default"), actions=(SURVEY,), draws=(SPRING,))
pytestmark = pytest.mark.parametrize("programme", [PROGRAMME], indirect=True, ids=["taking-part"])


def open_sheet(selling) -> None:
    selling.press(Key.F10)
    selling.act("menu", "taking-part")


def enrol(selling) -> None:
    selling.press(Key.F3)
    selling.act("enrol")
    selling.press(Key.ENTER, name="王小明", phone="13800138000")


def tiles(selling) -> list[str]:
    (found,) = (part for part in selling.view.overlay.parts if isinstance(part, Choices))
    return [f"{one.trailing} {one.value}" for one in found.items]


def test_without_a_member_it_says_who_is_missing(selling):
    open_sheet(selling)
    assert key_of(selling.view.overlay.parts[0].text) == "till.taking-part.member-first"


def test_a_number_key_counts_an_action_and_enters_a_draw(selling):
    enrol(selling)
    open_sheet(selling)
    assert tiles(selling) == ["1 action survey", "2 draw spring"]
    selling.type("1")
    assert selling.told.key == "till.taking-part.counted"
    open_sheet(selling)
    # What has counted for today is not offered again.
    assert tiles(selling) == ["1 draw spring"]
    selling.type("1")
    selling.press(Key.ENTER, entries="1")
    assert selling.told.key == "till.taking-part.entered"
    assert dict(selling.view.message.text.fields)["points"] == "10"
    open_sheet(selling)
    selling.type("1")
    selling.press(Key.ENTER, entries="1")
    assert selling.told.key == "error.points-not-enough"


@pytest.mark.parametrize("typed", ["0", "-1", "two", "1" * 30, "②"])
def test_how_often_is_a_number(selling, typed):
    enrol(selling)
    open_sheet(selling)
    selling.act("take-part", "draw spring")
    selling.press(Key.ENTER, entries=typed)
    assert selling.told.key == "error.bad-entries"
