"""The worked cases in tests/vectors/pricing, played as ``evertill quote`` plays them."""

import re
from pathlib import Path

import msgspec
import pytest

from shared.errors import DomainError
from shared.workbench.expecting import unlike
from shared.workbench.playing import differences, play, refused_unforeseen
from shared.workbench.scenario import Show, read_scenario, schema
from tests.support.command_line import run_evertill

CASES = sorted((Path(__file__).parents[2] / "vectors" / "pricing").glob("*.toml"))


def test_there_are_cases():
    assert len(CASES) >= 150


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_case_comes_out_as_worked(file):
    scenario = read_scenario(file.read_bytes(), is_toml=True)
    shown = [step.expect for step in scenario.steps if isinstance(step, Show)]
    assert scenario.expect or any(shown)
    states = list(play(scenario))
    assert differences(scenario, states) == []
    assert refused_unforeseen(scenario, states) == []


def test_a_difference_is_told_with_its_place():
    found = {"total": 5, "lines": [{"pay": 1}, {"pay": 2}]}
    assert unlike({"total": 5, "lines": [{"pay": 1}, {}]}, found) == []
    assert unlike({"total": 6}, found) == ["$.total: 5 found, 6 expected"]
    assert unlike({"lines": [{"pay": 1}]}, found) == ["$.lines: 2 found, 1 expected"]
    assert unlike({"lines": [{"pay": 1}, {"pay": 3}]}, found) == [
        "$.lines[1].pay: 2 found, 3 expected"
    ]
    assert unlike({"nothing": 1}, found) == ["$.nothing: there is no such value"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"at = 1", "at"),
        (b"nonsense", "Expected"),
        (b"at = 1\nat = 2", "overwrite"),
        (b"\xff", "utf-8"),
        (b"at = 2026-01-01T00:00:00\ngoods = []\nsteps = []", "programme or template"),
        (b'at = 2026-01-01T00:00:00\ngoods = []\nsteps = [{ do = "dance" }]', "dance"),
        (b"goods = " + b"[" * 5_000 + b"]" * 5_000, "recursion"),
        (b"float_minor = " + b"9" * 5_000, "digits"),
    ],
)
def test_a_scenario_that_cannot_be_read_names_the_place(data, said):
    with pytest.raises(DomainError) as caught:
        read_scenario(data, is_toml=True)
    assert caught.value.code == "scenario-unreadable"
    assert said in str(caught.value.fields["detail"])


def test_a_document_that_says_something_twice_is_not_read():
    with pytest.raises(DomainError) as caught:
        read_scenario(b'{"at": 1, "goods": [], "at": 2}', is_toml=False)
    assert "`at` is there twice" in caught.value.fields["detail"]
    with pytest.raises(DomainError) as caught:
        read_scenario(b'{"float_minor": NaN}', is_toml=False)
    assert "NaN is no number" in caught.value.fields["detail"]


def test_a_byte_order_mark_is_no_part_of_a_document():
    document = b"\xef\xbb\xbf" + "\r\n".join(USUAL.values()).encode()
    assert read_scenario(document, is_toml=True).template == "default"


def run(monkeypatch, capsys, *arguments: str):
    return run_evertill(monkeypatch, capsys, "quote", *arguments)


def test_the_command_prints_json_and_tables_and_says_what_is_otherwise(
    monkeypatch, capsys, tmp_path
):
    code, out, _ = run(monkeypatch, capsys, str(CASES[0]), "--json")
    assert code == 0
    assert msgspec.json.decode(out)["differences"] == []
    code, out, _ = run(monkeypatch, capsys, str(CASES[0]), "--language", "zh_CN")
    assert code == 0
    assert "合计 32.50" in out
    other = tmp_path / "other.toml"
    other.write_text(CASES[0].read_text(encoding="utf-8").replace("= 3250\n", "= 3251\n", 1))
    code, _, err = run(monkeypatch, capsys, str(other))
    assert (code, "3250 found, 3251 expected" in err) == (1, True)


def test_names_of_goods_are_no_markup(monkeypatch, capsys, tmp_path):
    file = tmp_path / "names.toml"
    text = (
        CASES[0].read_text(encoding="utf-8").replace('"A"', '"[/bold]"').replace('"B"', '"[red]"')
    )
    file.write_text(text, encoding="utf-8")
    code, out, _ = run(monkeypatch, capsys, str(file))
    assert code == 0
    assert "[/bold]" in out or "[red]" in out


def test_the_schema_knows_every_step(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--schema")
    assert code == 0
    assert msgspec.json.decode(out).keys() == schema().keys()
    assert {"Add", "Reward", "MoveClock"} <= schema()["$defs"].keys()


def test_what_is_told_has_a_schema_and_a_line_in_the_manual(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--result-schema")
    fields = msgspec.json.decode(out)["$defs"]["State"]["properties"].keys()
    assert code == 0
    manual = (Path(__file__).parents[3] / "docs" / "programme.md").read_text(encoding="utf-8")
    _, _, table = manual.partition("| field of a state | tells |")
    told = set(re.findall(r"`(\w+)`", table.partition("\n\n")[0]))
    assert fields - told == {"currency", "point_decimals"}


WRONG = {
    'goods = [{ sku = "A", price_minor = -1 }]': "price_minor out of range - at `$.goods[0]",
    'goods = [{ sku = "A", price_minor = 1, tax_class = "x" }]': "no tax class `x`",
    'goods = [{ sku = "A", price_minor = 1 }, { sku = "A", price_minor = 2 }]': "`A` is there 2",
    'goods = [{ sku = "", price_minor = 1 }]': "`sku` is needed - at `$.goods[0].sku`",
    'members = [{ id = "" }]': "`id` is needed - at `$.members[0].id`",
    'steps = [{ do = "gift", offer = "o", mix = { A = 1000000000 } }]': "$.steps[0].mix.A",
    'steps = [{ do = "complete", refused = "" }]': "$.steps[0].refused",
    "float_minor = -1": "$.float_minor",
    'members = [{ id = "m" }, { id = "m" }]': "`m` is there 2",
    'members = [{ id = "m", tier_floor = "x" }]': "no tier `x` - at `$.members[0]",
    'members = [{ id = "m", referred_by = "x" }]': "no member `x`",
    'members = [{ id = "m", stamps = { x = 1 } }]': "$.members[0].stamps.x",
    'members = [{ id = "m", principal_minor = -1 }]': "principal_minor out of range",
    'members = [{ id = "m", lots = [{ points = -1, earned_on = 2026-01-01 }] }]': "points out",
    'members = [{ id = "m", lots = [{ points = 1, earned_on = 0001-01-01 }] }]': "earned_on",
    'members = [{ id = "m", past = [{ day = 9999-01-01, spend_minor = 1 }] }]': "past[0].day",
    'coupons = [{ code = "1", coupon = "x" }]': "no coupon `x` - at `$.coupons[0]",
    'gift_cards = [{ code = "1", left_minor = -1 }]': "$.gift_cards[0].left_minor",
    "at = 2026-01-01T00:00:00+08:00": "needs the store's `zone` - at `$.at`",
    'zone = "Asia/Nowhere"': "no time zone `Asia/Nowhere` - at `$.zone`",
    "at = 9999-12-31T00:00:00": "a year from 1970",
    'steps = [{ do = "clock", at = 9999-01-01T00:00:00 }]': "$.steps[0].at",
    'steps = [{ do = "return", gifts = { A = -3 } }]': "$.steps[0].gifts.A",
    'steps = [{ do = "exchange", lines = [{ line = "1", units = -2 }] }]': "lines[0].units",
    'steps = [{ do = "points", points = -5 }]': "$.steps[0].points",
    'steps = [{ do = "paying", tender = "card", share_basis_points = 0 }]': "$.steps[0].share",
    'steps = [{ do = "paying", tender = "card", share_basis_points = 10001 }]': "$.steps[0].share",
    'steps = [{ do = "count-drawer", amount_minor = -1 }]': "$.steps[0].amount_minor",
    'steps = [{ do = "move-cash", kind = "drop", amount_minor = 10000000000001 }]': "amount_minor",
    'steps = [{ do = "claim", code = "", coupon = "x" }]': "a code is needed - at `$",
    'steps = [{ do = "sell-gift-card", code = "", amount_minor = 1 }]': "a code is needed",
    'members = [{ id = "m", last_active = 9999-01-01 }]': "$.members[0].last_active",
    'members = [{ id = "m", past = [{ day = 2026-01-01, spend_minor = 0, growth = -5 }] }]': "past",
}
USUAL = {
    "at": "at = 2026-01-01T00:00:00",
    "template": 'template = "default"',
    "goods": "goods = []",
    "steps": "steps = []",
}


@pytest.mark.parametrize("wrong", list(WRONG))
def test_what_cannot_be_in_a_scenario_is_named_with_its_place(wrong):
    document = {**USUAL, wrong.partition(" =")[0]: wrong}
    scenario = read_scenario("\n".join(document.values()).encode(), is_toml=True)
    with pytest.raises(DomainError) as caught:
        list(play(scenario))
    assert caught.value.code == "scenario-unreadable"
    assert WRONG[wrong] in caught.value.fields["detail"]


def test_a_scenario_without_steps_tells_how_things_stand_at_the_start():
    document = "\n".join(USUAL.values())
    (state,) = play(read_scenario(document.encode(), is_toml=True))
    assert (state.step, state.lines, state.total_minor) == (0, (), 0)


def test_what_cannot_be_read_is_said_in_the_language_that_was_asked_for(
    monkeypatch, capsys, tmp_path
):
    file = tmp_path / "wrong.json"
    document = {"at": "2026-01-01T00:00:00", "template": "default", "steps": [], "goods": [{}]}
    file.write_bytes(msgspec.json.encode(document))
    code, out, err = run(monkeypatch, capsys, str(file), "--json", "--language", "zh_CN")
    assert (code, "缺少字段 `sku`（位置 `$.goods[0]`）" in err) == (2, True)
    assert "required field `sku` - at `$.goods[0]`" in msgspec.json.decode(out)["error"]["en"]
    file.write_text('{"at": 1, "at": 2}', encoding="utf-8")
    command = ("programme", "check", str(file), "--json", "--language", "zh_CN")
    code, out, err = run_evertill(monkeypatch, capsys, *command)
    assert (code, "字段 `at` 出现了两次" in err) == (2, True)
    assert msgspec.json.decode(out)["error"]["code"] == "programme-unreadable"
