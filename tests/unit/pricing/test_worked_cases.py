"""The worked cases in tests/vectors/pricing, played as ``evertill quote`` plays them."""

from pathlib import Path

import msgspec
import pytest

from shared.errors import DomainError
from shared.workbench.expecting import unlike
from shared.workbench.playing import differences, play
from shared.workbench.scenario import Show, read_scenario, schema
from tests.support.command_line import run_evertill

CASES = sorted((Path(__file__).parents[2] / "vectors" / "pricing").glob("*.toml"))
NEGATIVE = b"""
at = 2026-01-01T00:00:00
template = "default"
steps = []
goods = [{ sku = "A", price_minor = -1 }]
"""


def test_there_are_cases():
    assert len(CASES) >= 150


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_a_case_comes_out_as_worked(file):
    scenario = read_scenario(file.read_bytes(), is_toml=True)
    shown = [step.expect for step in scenario.steps if isinstance(step, Show)]
    assert scenario.expect or any(shown)
    assert differences(scenario, list(play(scenario))) == []


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
        (b"\xff", "utf-8"),
        (b"at = 2026-01-01T00:00:00\ngoods = []\nsteps = []", "programme or template"),
        (b'at = 2026-01-01T00:00:00\ngoods = []\nsteps = [{ do = "dance" }]', "dance"),
        (NEGATIVE, "price_minor out of range"),
    ],
)
def test_a_scenario_that_cannot_be_read_names_the_place(data, said):
    with pytest.raises(DomainError) as caught:
        read_scenario(data, is_toml=True)
    assert caught.value.code == "scenario-unreadable"
    assert said in str(caught.value.fields["detail"])


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
    assert "total 32.50" in out
    other = tmp_path / "other.toml"
    other.write_text(CASES[0].read_text(encoding="utf-8").replace("= 3250\n", "= 3251\n", 1))
    code, _, err = run(monkeypatch, capsys, str(other))
    assert (code, "3250 found, 3251 expected" in err) == (1, True)


def test_a_step_that_cannot_be_done_is_named_with_the_reason(monkeypatch, capsys, tmp_path):
    file = tmp_path / "step.toml"
    text = CASES[0].read_text(encoding="utf-8")
    file.write_text(text.replace('goods = "B"', 'goods = "X"'), encoding="utf-8")
    code, _, err = run(monkeypatch, capsys, str(file))
    assert code == 2
    assert "Step 2" in err
    assert "no goods" in err


def test_the_schema_knows_every_step(monkeypatch, capsys):
    code, out, _ = run(monkeypatch, capsys, "--schema")
    assert code == 0
    assert msgspec.json.decode(out).keys() == schema().keys()
    assert {"Add", "Reward", "MoveClock"} <= schema()["$defs"].keys()
