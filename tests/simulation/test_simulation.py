"""A few seeds of the simulation on every run; the same seed is the same run, in any process."""

import json
import subprocess
import sys

import pytest

from tests.mutants.table import ROOT
from tests.simulation.__main__ import main
from tests.simulation.coverage import EXPECTED, Coverage, Fault
from tests.simulation.plan import Action, Step, draw_plan
from tests.simulation.running import play, shrink
from tests.simulation.violation import must

STEPS = 60
SEEDS = range(1, 5)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_the_books_agree_in_the_end(seed):
    assert play(draw_plan(seed, steps=STEPS)).failure == ""


def test_many_tills_agree_too():
    assert play(draw_plan(1, steps=30, tills=12)).failure == ""


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path, capsys):
    shape = ["--steps", "10", "--tills", "2", "--jobs", "1", "--into", str(tmp_path)]
    assert main(["--seeds", "2", *shape]) == 0
    assert "2/2 seed 2: ok" in capsys.readouterr().out
    first = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))["seeds"]
    assert main(["--seeds", "3", *shape]) == 0
    assert "1/1 seed 3: ok" in capsys.readouterr().out
    known = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))["seeds"]
    assert {seed: known[seed] for seed in first} == first
    assert sorted(known) == ["1", "2", "3"]


def test_a_seed_that_fails_is_told_with_how_to_see_it_again(tmp_path, capsys, monkeypatch):
    def check(world, till):
        must(world.coverage.done["sell: done"] < 3, "three sales are too many")

    monkeypatch.setattr("tests.simulation.running.check_shown", check)
    shape = ["--steps", "40", "--tills", "2", "--jobs", "1", "--into", str(tmp_path)]
    assert main(["--seeds", "1", "--seed", "9", *shape]) == 1
    said = capsys.readouterr().out
    assert "make simulate SEEDS=1 SEED=9 SHAPE='--steps 40 --tills 2'" in said
    assert said.count(": sell at") == 3
    assert "three sales are too many" in (tmp_path / "failed-9.txt").read_text(encoding="utf-8")


def test_the_same_seed_is_the_same_run_in_another_process():
    plan = draw_plan(7, steps=40)
    here = play(plan)
    script = (
        "from tests.simulation.__main__ import keep_quiet; keep_quiet();"
        "from tests.simulation.plan import draw_plan; from tests.simulation.running import play;"
        "print(play(draw_plan(7, steps=40)).trace)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        # Another order of sets and dicts by hash must not show.
        env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "77"},
    )
    assert here.failure == ""
    assert here.trace == ran.stdout.strip()
    assert here.trace != play(draw_plan(8, steps=5)).trace


def test_a_plan_is_drawn_from_its_seed_alone():
    assert draw_plan(5) == draw_plan(5)
    assert draw_plan(5) != draw_plan(6)
    assert len(draw_plan(5).steps) == 400


def test_a_failing_plan_is_cut_down_to_what_it_takes():
    plan = draw_plan(3, steps=90)

    def fails(one) -> bool:
        sold = [step.number for step in one.steps if step.action is Action.SELL]
        return any(step.action is Action.SYNC for step in one.steps) and len(sold) >= 2

    shorter = shrink(plan, fails, 80)
    assert fails(shorter)
    assert len(shorter.steps) == 3
    assert all(step.fault is None for step in shorter.steps)
    assert set(shorter.steps) <= {step._replace(fault=None) for step in plan.steps}


def test_steps_that_are_left_out_change_nothing_for_those_that_stay():
    plan = draw_plan(4, steps=40)
    calm = plan.with_steps(
        [Step(900, 0, Action.ENROL, None, 1), Step(901, 0, Action.SELL, None, 1)]
    )
    more = calm.with_steps([calm.steps[0], Step(902, 1, Action.SELL, None, 1), calm.steps[1]])
    assert play(calm).failure == play(more).failure == ""


def test_what_never_happened_is_told(tmp_path, capsys, monkeypatch):
    full = Coverage()
    for fault in Fault:
        full.hit(fault, "push")
    full.done.update(EXPECTED)
    assert full.missing() == []
    del full.done["pay-card: by lease, offline"]
    del full.hits[Fault.DELAY.value, "push"]
    assert full.missing() == ["pay-card: by lease, offline", "fault delay"]
    monkeypatch.setattr("tests.simulation.__main__.MANY", 1)
    shape = ["--steps", "1", "--tills", "2", "--jobs", "1", "--into", str(tmp_path)]
    assert main(["--seeds", "1", *shape]) == 1
    assert "never happened in 1 seeds: " in capsys.readouterr().out


def test_coverage_of_two_runs_adds_up():
    first, second, both = Coverage(), Coverage(), Coverage()
    first.hit(Fault.DELAY, "push")
    second.hit(Fault.DELAY, "push")
    second.hit(Fault.CUT_REPLY, "pull of members, next page")
    second.did("sell", "done")
    for one in (first, second):
        both.add(**one.as_json())
    assert both.as_json() == {
        "hits": {"cut-reply × pull of members, next page": 1, "delay × push": 2},
        "done": {"sell: done": 1},
    }
