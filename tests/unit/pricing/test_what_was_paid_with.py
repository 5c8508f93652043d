"""What a basket is paid with stays there until the sale is complete, whatever else happens."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from shared.workbench.playing import play
from shared.workbench.scenario import Scenario

SHOP = (Path(__file__).parents[2] / "data" / "any_steps.toml").read_text(encoding="utf-8")

HALF = (
    '{ do = "change-offer", offer = "half", replacement = { id = "half", version = 1, '
    'names = { zh = "半价", en = "Half" }, '
    'effect = { type = "percent-off", basis_points_off = 5000 } } }'
)
BY = {
    "stored value": ("b", '{ do = "tender", tender = "stored-value" }'),
    "card": ("b", '{ do = "tender", tender = "gift-card", code = "g1" }'),
    "lapsing card": ("b", '{ do = "tender", tender = "gift-card", code = "g2" }'),
    "points": ("a", '{ do = "points" }'),
    "points and a reward": (
        "a",
        '{ do = "reward", offer = "reward" }, { do = "points", points = 400 }',
    ),
    "cash": ("b", '{ do = "tender" }'),
    "cash in part": ("b", '{ do = "tender", amount_minor = 300 }'),
}
TAKES_AWAY = {
    '{ do = "close-stored-value", member = "b" }': "stored value",
    '{ do = "close-card", code = "g1" }': "card",
    '{ do = "clock", at = 2026-11-24T00:00:00 }': "lapsing card",
    '{ do = "clock", at = 2026-12-02T00:00:00 }': "points",
    '{ do = "enter-draw", draw = "spring", member = "a", entries = 1 }': "points",
    '{ do = "partner", partner = "cinema", member = "a", spend_minor = 620, points = 61 }': (
        "points and a reward"
    ),
    HALF: "cash",
    '{ do = "clock", at = 2026-11-24T00:00:01 }': "cash",
}
LEAVES = {
    '{ do = "close-stored-value", member = "b" }': "card",
    '{ do = "close-card", code = "g1" }': "stored value",
    '{ do = "partner", partner = "cinema", member = "a", spend_minor = 620, points = 60 }': (
        "points and a reward"
    ),
    '{ do = "clock", at = 2026-11-23T23:59:59 }': "lapsing card",
    HALF: "cash in part",
}


def refused_after(tendered: str, step: str) -> list[str]:
    """The codes of what is refused where a step comes between a tender and the end."""
    member, paying = BY[tendered]
    steps = f"""steps = [{{ do = "member", member = "{member}" }},
      {{ do = "add", goods = "MUG" }}, {paying}, {step},
      {{ do = "tender" }}, {{ do = "complete" }}]"""
    document = tomllib.loads(SHOP.replace("steps = []", steps, 1))
    *_, state = play(msgspec.convert(document, Scenario))
    assert state.sales == 1
    return [one.code for one in state.refused]


@pytest.mark.parametrize("step", list(TAKES_AWAY))
def test_what_was_paid_with_is_not_taken_away(step):
    assert refused_after(TAKES_AWAY[step], step) == ["tenders-first"]


@pytest.mark.parametrize("step", list(LEAVES))
def test_what_leaves_enough_to_pay_with_is_done(step):
    assert refused_after(LEAVES[step], step) == []
