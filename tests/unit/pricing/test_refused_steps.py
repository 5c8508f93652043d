"""Steps that cannot be done: told with their reason, and without any trace."""

from pathlib import Path

import msgspec
import pytest

from shared.workbench.playing import differences, play, refused_unforeseen
from shared.workbench.scenario import Scenario, read_scenario
from tests.support.command_line import run_evertill

CASES = Path(__file__).parents[2] / "vectors" / "pricing"

REFUSED = {
    '{ do = "claim", code = "c9" }': "code-of-another-coupon",
    '{ do = "claim", code = "c1", coupon = "x" }': "code-of-another-coupon",
    '{ do = "unclaim", code = "c1" }': "not-claimed",
    '{ do = "return", sale = "s" }, { do = "return", sale = "s" }': "nothing-to-return",
    """{ do = "paying", tender = "wallet" }, { do = "add", goods = "MILK" },
       { do = "tender", amount_minor = 100 }, { do = "tender", tender = "wallet" },
       { do = "complete" }""": "paying-not-kept",
    '{ do = "reward", offer = "nothing" }': "not-in-programme",
    '{ do = "reward", offer = "mug" }': "not-a-reward",
    '{ do = "reward", offer = "off", times = -1 }': "reward-times",
    '{ do = "gift", offer = "mug", goods = "MILK" }': "not-among-gifts",
    '{ do = "gift", offer = "nothing", goods = "MILK" }': "not-in-programme",
    '{ do = "discount", amount_minor = -1 }': "bad-discount",
    '{ do = "discount", basis_points = 10001 }': "bad-discount",
    '{ do = "tender", tender = "gold" }': "unknown-tender",
    '{ do = "paying", tender = "gold" }': "unknown-tender",
    '{ do = "return", sale = "s", lines = [{ line = "9" }] }': "line-not-in-sale",
    '{ do = "add", goods = "MILK", batch = "L1" }': "batch-lapsed",
    '{ do = "add", goods = "MILK", batch = "L2" }': "batch-recalled",
    '{ do = "add", goods = "MILK", batch = "L3" }': "unknown-batch",
    '{ do = "action", action = "survey", member = "m" }': "action-counted-already",
    '{ do = "action", action = "nap", member = "m" }': "not-in-programme",
    '{ do = "partner", partner = "spa", member = "m", spend_minor = 100, points = 5 }': (
        "points-not-accepted"
    ),
    '{ do = "partner", partner = "cinema", member = "m", spend_minor = 1, points = 5 }': (
        "tender-exceeds-due"
    ),
    '{ do = "partner", partner = "cinema", member = "m", spend_minor = 900, points = 500 }': (
        "points-not-enough"
    ),
    '{ do = "return", sale = "s", gifts = { MUG = 2 } }': "gifts-exceed-sale",
    '{ do = "points", points = 1 }': "points-need-member",
    '{ do = "tender" }': "basket-empty",
    '{ do = "add", goods = "MILK" }, { do = "tender", amount_minor = 0 }': "amount-not-positive",
    '{ do = "add", goods = "MILK" }, { do = "tender", amount_minor = -1 }': "amount-not-positive",
    """{ do = "add", goods = "MILK" },
       { do = "tender", tender = "wallet", amount_minor = 0 }""": "amount-not-positive",
    '{ do = "tender", tender = "points", amount_minor = -1 }': "amount-not-positive",
    """{ do = "add", goods = "MILK" }, { do = "sell-gift-card", code = "g", amount_minor = 9 },
       { do = "close-card", code = "g" },
       { do = "tender", tender = "gift-card", code = "g" }""": "tender-may-not-pay",
    """{ do = "sell-gift-card", code = "g", amount_minor = 9 }, { do = "close-card", code = "g" },
       { do = "close-card", code = "g" }""": "nothing-to-pay-out",
    '{ do = "close-stored-value", member = "m" }': "nothing-to-pay-out",
    '{ do = "return-without-receipt", goods = [{ goods = "MUG" }], is_approved = true }': (
        "return-needs-receipt"
    ),
    '{ do = "add", goods = "MILK", units = 0 }': "bad-quantity",
    '{ do = "add", goods = "MILK", grams = 300 }': "bad-quantity",
    '{ do = "add", goods = "OLD" }': "batch-lapsed",
    '{ do = "return", sale = "s", lines = [{ line = "1", units = 0 }] }': "nothing-to-return",
    '{ do = "return", sale = "s", lines = [{ line = "1", grams = 100 }] }': "bad-quantity",
    '{ do = "clock", at = 2026-11-22T11:59:59 }': "clock-back",
    """{ do = "add", goods = "TEA" }, { do = "tender" }, { do = "complete" }""": "gift-open",
    """{ do = "claim", code = "new", coupon = "milk" }, { do = "add", goods = "MILK" },
       { do = "tender" }, { do = "complete" }, { do = "claim", code = "new", coupon = "milk" }""": (
        "coupon-used-up"
    ),
}
SHOP = """
at = 2026-11-22T12:00:00
goods = [
  { sku = "MILK", price_minor = 500, batches = [
    { batch = "L1", last_day = 2026-11-21 }, { batch = "L2", is_recalled = true },
    { batch = "L4", last_day = 2026-12-31 }] },
  { sku = "MUG", price_minor = 900 },
  { sku = "TEA", price_minor = 700, category = "tea" },
  { sku = "OLD", price_minor = 700, batches = [{ batch = "L1", last_day = 2026-11-21 }] },
]
coupons = [{ code = "c1", coupon = "milk" }]
members = [{ id = "m", lots = [{ points = 9, earned_on = 2026-01-01 }] }]
steps = [
  { do = "action", action = "survey", member = "m" },
  { do = "add", goods = "MILK" }, { do = "tender" }, { do = "complete", sale = "s" },
  STEP,
]
[programme]
format = 1
id = "case"
names = { zh = "例", en = "Case" }
currency = "CNY"
points = { names = { zh = "积分", en = "points" } }
tax_classes = [{ id = "none", names = { zh = "不计税", en = "No tax" } }]
tiers = { ladder = [{ id = "member", names = { zh = "普通", en = "Member" } }] }
actions = [{ id = "survey", names = { zh = "问卷", en = "Survey" }, points = 5, per_member = 1 }]
[[programme.partners]]
id = "spa"
names = { zh = "水疗", en = "Spa" }
points = 1
per_minor = 100
price_per_block_minor = 1
[[programme.partners]]
id = "cinema"
names = { zh = "影院", en = "Cinema" }
points = 1
per_minor = 100
price_per_block_minor = 1
value_per_block_minor = 1
[[programme.coupons]]
id = "milk"
version = 1
names = { zh = "奶券", en = "Milk" }
offer = "milk"
valid_days = 9
[[programme.offers]]
id = "milk"
version = 1
names = { zh = "奶券", en = "Milk" }
effect = { type = "amount-off", off_minor = 1 }
claimed = true
[[programme.offers]]
id = "wallet"
version = 1
names = { zh = "微信", en = "Wallet" }
effect = { type = "amount-off", off_minor = 1 }
conditions = [{ type = "paying", tenders = ["wallet"] }]
[[programme.offers]]
id = "off"
version = 1
names = { zh = "减", en = "Off" }
effect = { type = "amount-off", off_minor = 1 }
costs_points = 1
[[programme.offers]]
id = "mug"
version = 1
names = { zh = "杯子", en = "Mug" }
effect = { type = "gift", choices = ["MUG"] }
[[programme.offers]]
id = "either"
version = 1
names = { zh = "任选", en = "Either" }
goods = { categories = ["tea"] }
effect = { type = "gift", choices = ["MILK", "MUG"] }
"""


def scenario_with(steps: str, more: str = "") -> Scenario:
    return read_scenario((more + SHOP.replace("STEP", steps)).encode(), is_toml=True)


@pytest.mark.parametrize("step", list(REFUSED))
def test_a_step_that_cannot_be_done_says_why(step):
    *_, state = play(scenario_with(step))
    (refused,) = state.refused
    assert refused.code == REFUSED[step]
    assert refused.step >= 5
    assert refused.zh != refused.en


@pytest.mark.parametrize("step", list(REFUSED))
def test_a_step_that_cannot_be_done_leaves_no_trace(step):
    scenario = scenario_with(step)
    *_, state = play(scenario)
    (refused,) = state.refused
    steps = [one for n, one in enumerate(scenario.steps, start=1) if n != refused.step]
    *_, without = play(msgspec.structs.replace(scenario, steps=tuple(steps)))
    same = msgspec.structs.replace(state, refused=(), step=without.step)
    assert same == without


def test_after_a_refused_step_the_others_are_done():
    wrong = '{ do = "claim", code = "c9" }, { do = "add", goods = "MUG" }'
    *_, state = play(scenario_with(wrong))
    assert [line.goods for line in state.lines] == ["MUG"]
    assert [(one.step, one.do) for one in state.refused] == [(5, "claim")]


WRONG_CODE = '{ do = "claim", code = "c9"%s }'


@pytest.mark.parametrize(
    ("expected", "unforeseen", "told"),
    [
        ("", 1, []),
        (", refused = true", 0, []),
        (', refused = "code-of-another-coupon"', 0, []),
        (
            ', refused = "coupon-used-up"',
            0,
            ["step 5: refused as code-of-another-coupon, coupon-used-up expected"],
        ),
    ],
)
def test_a_scenario_can_say_that_a_step_is_to_be_refused(expected, unforeseen, told):
    scenario = scenario_with(WRONG_CODE % expected)
    states = list(play(scenario))
    assert len(refused_unforeseen(scenario, states)) == unforeseen
    assert differences(scenario, states) == told


def test_a_step_that_is_done_although_it_was_to_be_refused_is_told():
    scenario = scenario_with('{ do = "add", goods = "MUG", refused = true }')
    told = differences(scenario, list(play(scenario)))
    assert told == ["step 5: done, although it was to be refused"]


def test_what_is_refused_may_be_stated_with_everything_else():
    stated = 'expect = { refused = [{ step = 5, code = "code-of-another-coupon" }] }\n'
    scenario = scenario_with(WRONG_CODE % "", stated)
    states = list(play(scenario))
    assert refused_unforeseen(scenario, states) == differences(scenario, states) == []
    other = scenario_with(WRONG_CODE % "", stated.replace("5", "6"))
    assert differences(other, list(play(other))) == [
        "step 5 $.refused[0].step: 5 found, 6 expected"
    ]


def test_a_line_has_a_name_of_its_own_and_a_number_where_it_is_not_given_one():
    steps = '{ do = "add", goods = "MUG", line = "2" }, { do = "add", goods = "MUG" }'
    steps += ', { do = "add", goods = "MUG" }'
    *_, state = play(scenario_with(steps))
    assert len({line.line for line in state.lines}) == 3
    *_, state = play(scenario_with(steps + ', { do = "add", goods = "MUG", line = "2" }'))
    assert [one.code for one in state.refused] == ["line-named-twice"]


def test_no_units_take_a_line_off():
    steps = '{ do = "add", goods = "MUG", line = "a" }, { do = "quantity", line = "a", units = 0 }'
    *_, state = play(scenario_with(steps))
    assert state.lines == ()


def test_a_gift_that_is_declined_holds_nothing_up():
    steps = """{ do = "add", goods = "TEA" }, { do = "gift", offer = "either" },
        { do = "tender" }, { do = "complete" }"""
    *_, state = play(scenario_with(steps))
    assert (state.refused, state.sales) == ((), 2)


def test_a_code_that_nobody_issued_is_good_again_when_its_sale_comes_back():
    steps = """{ do = "claim", code = "new", coupon = "milk" }, { do = "add", goods = "MILK" },
        { do = "tender" }, { do = "complete", sale = "t" }, { do = "return", sale = "t" },
        { do = "claim", code = "new", coupon = "milk" }, { do = "add", goods = "MILK" }"""
    *_, state = play(scenario_with(steps))
    assert state.refused == ()
    assert state.total_minor == 499


def run(monkeypatch, capsys, *arguments: str):
    return run_evertill(monkeypatch, capsys, "quote", *arguments)


def case(name: str) -> str:
    (file,) = CASES.glob(f"*-{name}.toml")
    return file.read_text(encoding="utf-8")


def test_the_command_prints_everything_and_names_the_step_with_the_reason(
    monkeypatch, capsys, tmp_path
):
    file = tmp_path / "step.toml"
    text = next(iter(sorted(CASES.glob("01-*.toml")))).read_text(encoding="utf-8")
    file.write_text(text.replace('goods = "B"', 'goods = "X"'), encoding="utf-8")
    code, out, err = run(monkeypatch, capsys, str(file), "--json")
    assert code == 2
    assert "Step 2" in err
    assert "no goods" in err
    told = msgspec.json.decode(out)
    assert told["refused"] == told["states"][-1]["refused"]
    assert told["refused"][0]["code"] == "unknown-goods"
    _, out, err = run(monkeypatch, capsys, str(file), "--language", "zh_CN")
    assert "第 2 步" in out
    assert "第 2 步" in err


@pytest.mark.parametrize(
    ("content", "code"), [("at = 1", "scenario-unreadable"), (None, "file-unusable")]
)
def test_programs_are_told_what_keeps_a_scenario_from_being_played(
    monkeypatch, capsys, tmp_path, content, code
):
    file = tmp_path / "wrong.toml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    exit_code, out, err = run(monkeypatch, capsys, str(file), "--json")
    assert exit_code == 2
    assert err
    assert msgspec.json.decode(out)["error"]["code"] == code


def test_a_draw_is_run_once(monkeypatch, capsys, tmp_path):
    again = '\n[[steps]]\ndo = "run-draw"\ndraw = "spring"\nseed = "other"\n'
    before, expect, after = case("prize-draw").partition("\n[expect]")
    file = tmp_path / "again.toml"
    file.write_text(before + again + expect + after, encoding="utf-8")
    code, _, err = run(monkeypatch, capsys, str(file))
    assert (code, "was run already" in err) == (2, True)
